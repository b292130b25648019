"""How fast the crawler is: beside peers on real sites, against slow servers, and from its start."""
