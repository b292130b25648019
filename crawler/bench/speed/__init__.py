"""How fast the crawler is: beside peers on real sites, against slow servers, from its start, and with many URLs."""
