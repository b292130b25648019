"""Analyzers for the tests of the CPU stage. A page's title says how ``misbehave`` is to treat it."""

import contextlib
import ctypes
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn

from cpu_stage.types import Needs, Page

_hoard: list[bytearray] = []


def length(page: Page) -> dict[str, int]:
    return {"characters": len(page.text)}


def shape(page: Page) -> dict[str, int]:
    """Say how much of each part of the page has arrived."""
    return {
        "text": len(page.text),
        "html": len(page.html),
        "links": len(page.links),
        "nofollow": len(page.nofollow),
        "meta": len(page.meta),
    }


def shape_of_text(page: Page) -> dict[str, int]:
    return shape(page)


shape_of_text.needs = Needs.TEXT  # type: ignore[attr-defined]  # how an analyzer says what it needs


def worker_process(page: Page) -> dict[str, object]:
    """Say who works: which process, at what priority, with which modules."""
    return {"pid": os.getpid(), "nice": os.nice(0), "modules": sorted(sys.modules)}


def takes(page: Page, seconds: float) -> dict[str, bool]:
    """Work for so long, as one does who waits for somebody else: without using the CPU."""
    time.sleep(seconds)
    return {"ok": True}


def prints(page: Page) -> dict[str, bool]:
    print("printed by an analyzer")
    return {"ok": True}


def logs_to(page: Page, path: str) -> dict[str, bool]:
    """Note that the page was analysed, outside the worker."""
    with Path(path).open("a", encoding="utf-8") as log:
        log.write(f"{page.title}\n")
    return {"ok": True}


def waits_for(page: Page, path: str) -> dict[str, bool]:
    """Note the page's beginning in ``path``.started, then wait until ``path`` exists."""
    with Path(f"{path}.started").open("a", encoding="utf-8") as log:
        log.write(f"{page.title} {os.getpid()}\n")
    while not Path(path).exists():
        time.sleep(0.005)
    return {"ok": True}


def leaks(page: Page, size: int) -> dict[str, int]:
    """Never give ``size`` bytes back; say how many were kept by now in this process, and in which."""
    _hoard.append(bytearray(size))
    return {"kept": len(_hoard), "pid": os.getpid()}


class NeverReady:
    """An analyzer that takes for ever to load."""

    def __init__(self) -> None:
        _loop()

    def __call__(self, page: Page) -> dict[str, bool]:
        return {"ok": True}


class DiesWhenLoaded:
    """An analyzer that ends the process that loads it."""

    def __init__(self) -> None:
        os._exit(3)

    def __call__(self, page: Page) -> dict[str, bool]:
        return {"ok": True}


class CannotBeUnpickledError(Exception):
    """An exception that breaks a whole stdlib pool: it is rebuilt from its message, and takes two arguments."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} and {two}")


class MuteError(Exception):
    def __str__(self) -> str:
        raise SystemExit("no words")


def _loop() -> NoReturn:
    while True:
        time.sleep(0.01)


def _recurse(page: Page) -> object:
    return _recurse(page)


def _raise(error: BaseException) -> Callable[[Page], object]:
    def call(page: Page) -> object:
        raise error

    return call


def _nested(page: Page) -> dict[str, object]:
    value: dict[str, object] = {}
    value["value"] = value
    return value


def _allocate(page: Page) -> None:
    """Take 24 MiB and keep them; more could eat the machine if a limit of ours did not hold."""
    taken = [bytearray(2**20) for _ in range(24)]
    time.sleep(60)
    taken.clear()


def _close_all_files(page: Page) -> object:
    os.closerange(3, 1000)
    return {"ok": True}


_TREATMENTS: Mapping[str, Callable[[Page], object]] = {
    # costs the analyzer its values
    "raises": _raise(ValueError("bad page")),
    "unpicklable exception": _raise(CannotBeUnpickledError("one", "two")),
    "mute exception": _raise(MuteError()),
    "exit": lambda page: sys.exit(1),
    "interrupt": _raise(KeyboardInterrupt()),
    "recursion": _recurse,
    "unpicklable": lambda page: {"value": lambda: None},
    "no json": lambda page: {"value": {1, 2}},
    "not a number": lambda page: {"value": float("nan")},
    "no dict": lambda page: "text",
    "nested": _nested,
    # costs the worker its life
    "_exit": lambda page: os._exit(3),
    "segfault": lambda page: ctypes.string_at(0),
    "killed": lambda page: os.kill(os.getpid(), signal.SIGKILL),
    "stops": lambda page: os.kill(os.getpid(), signal.SIGSTOP),
    "closes files": _close_all_files,
    # never ends
    "hang": lambda page: _loop(),
    "hang in C": lambda page: re.match(r"(a+)+$", "a" * 60 + "b"),
    "allocate": _allocate,
}


def misbehave(page: Page) -> object:
    """Treat the page as its title says; a title may have a number after it: ``segfault 17``."""
    treatment = _TREATMENTS.get((page.title or "").rstrip(" 0123456789"))
    return {"ok": True} if treatment is None else treatment(page)


def crashes_once(page: Page, path: str) -> dict[str, bool]:
    """End the process of the first page that comes, and of no other."""
    with contextlib.suppress(FileExistsError):
        Path(path).touch(exist_ok=False)
        os._exit(3)
    return {"ok": True}


def needs_broken_library(page: Page) -> dict[str, bool]:
    return {"ok": True}


needs_broken_library.libraries = ("tests.broken_library",)  # type: ignore[attr-defined]  # as above


def _in_a_cell() -> bool:
    """Whether this is a process of the benchmark, not the test's own."""
    return "crawler.bench.matrix.child" in sys.orig_argv


class DiesInAChild:
    """An analyzer that ends a process of the benchmark at its first page."""

    def __call__(self, page: Page) -> dict[str, bool]:
        if _in_a_cell():
            os._exit(3)
        return {"ok": True}


def waits_in_a_child(page: Page, path: str) -> dict[str, bool]:
    """Wait in a process of the benchmark until ``path`` exists."""
    while _in_a_cell() and not Path(path).exists():
        time.sleep(0.005)
    return {"ok": True}
