"""The configuration: YAML files, environment and command line become one frozen, checked :class:`Config`.

::

    --set, flags ┐
    environment  ├─ sources ─► documents ─► keys ─► settings ─► models ─► Config + origins
    files        ┘             (with lines)         (last wins)

Everything that is wrong is found at once and said in one line each, with its place: nobody should repair a
file by running the program again and again.
"""

from crawler.config.entries import AnalyzerEntry, JsonlOptions, SinkEntry
from crawler.config.loading import Loaded, load
from crawler.config.models import Config
from crawler.config.processing import usable_cores
from crawler.config.show import describe, dump, schema
from crawler.config.trust import has_code, refuse_orders

__all__ = [
    "AnalyzerEntry",
    "Config",
    "JsonlOptions",
    "Loaded",
    "SinkEntry",
    "describe",
    "dump",
    "has_code",
    "load",
    "refuse_orders",
    "schema",
    "usable_cores",
]
