"""Where records go: each sink can be cut back to a position, so that a resumed crawl repeats no record."""
