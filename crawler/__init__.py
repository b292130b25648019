"""Tandem: coroutines for I/O, processes for CPU."""

__version__ = "0.1.0"
