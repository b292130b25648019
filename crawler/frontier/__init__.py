"""Durable queues of URLs."""
