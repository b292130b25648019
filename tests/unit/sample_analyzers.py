"""Analyzers that misbehave, for the tests of the stage."""

import ctypes
import os
import sys
import time

from cpu_stage.types import Page


def length(page: Page) -> dict[str, int]:
    return {"characters": len(page.text)}


def misbehave(page: Page) -> dict[str, object]:
    if page.title == "crash":
        os._exit(3)
    if page.title == "segfault":
        ctypes.string_at(0)
    if page.title == "hang":
        while True:
            time.sleep(0.01)
    if page.title == "exit":
        sys.exit(1)
    if page.title == "unpicklable":
        return {"value": lambda: None}
    return {"ok": True}
