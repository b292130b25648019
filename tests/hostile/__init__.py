"""What strangers may do to a crawl, and what the records say of it."""
