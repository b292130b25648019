"""Fetchers: one HTTP exchange at a time, by coroutines (:mod:`~crawler.fetch.aio`) or by blocking clients."""
