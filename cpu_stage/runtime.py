"""Which Python runs: figures of one build say little of another."""

import platform
import sys
import sysconfig


def python_build() -> str:
    """Name the Python build for reports: ``CPython 3.13.0, GIL on``; a free-threaded build is said to be one.

    A free-threaded build may run with the GIL all the same: an extension that needs it switches it on.
    """
    free_threaded = " free-threaded" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
    gil = "on" if getattr(sys, "_is_gil_enabled", lambda: True)() else "off"
    return f"{platform.python_implementation()} {platform.python_version()}{free_threaded}, GIL {gil}"
