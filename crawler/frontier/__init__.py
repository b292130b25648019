"""Frontiers: the durable queue of URLs, polite by construction.

An adapter (:mod:`~crawler.frontier.sqlite`) implements :class:`crawler.protocols.Frontier` for one store. What does
not depend on the store is shared: :mod:`~crawler.frontier.seen` knows every URL, :mod:`~crawler.frontier.hosts`
decides which host is due, :mod:`~crawler.frontier.hostqueue` is the line of one host.
"""
