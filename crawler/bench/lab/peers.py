"""Other Python interpreters of this machine: free-threaded builds, and versions with subinterpreters."""

import shutil
import sys
from dataclasses import dataclass
from typing import Any

from crawler.bench.lab.experiments import scaling
from crawler.bench.lab.isolation import LabError, isolated

_NAMES = ("python3.13", "python3.13t", "python3.14", "python3.14t", "python3.15", "python3.15t")


@dataclass(frozen=True, slots=True, eq=False)
class Peer:
    """An interpreter: its name for people, where it is, and what :func:`scaling.build` says of it."""

    name: str
    path: str
    build: dict[str, Any]


def _peer(path: str) -> Peer:
    build = isolated(scaling.build, python=path)
    return Peer(f"Python {build['version']}{'t' if build['free_threaded'] else ''}", path, build)


def here() -> Peer:
    """Describe the interpreter that runs this."""
    return _peer(sys.executable)


def peers(me: Peer) -> list[Peer]:
    """Find the other interpreters on the path, one of each build; those that do not start are left out."""
    found = {me.name: me}
    for path in filter(None, map(shutil.which, _NAMES)):
        try:
            peer = _peer(path)
        except LabError:  # a name on the path is not yet an interpreter: a version manager leaves such shims
            continue
        found.setdefault(peer.name, peer)
    return list(found.values())[1:]
