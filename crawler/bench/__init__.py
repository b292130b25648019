"""Measuring: the synthetic web, the variants that are compared on it, and the reports."""
