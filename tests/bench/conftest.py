"""One small run of the lab and one of the benchmark, by their commands, for all tests that look at what they wrote."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bench.matrix_plan import write_plan
from tests.integration.crawls import crawler

PATIENCE_S = 600


def once(temporary: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Return a directory that the first of pytest's processes to ask has filled; the others wait for it."""
    base = temporary.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    directory, done = base / f"once-{name}", base / f"once-{name}.done"
    with (base / f"once-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            directory.mkdir()  # an error where an earlier process failed at it: nothing is tried twice
            make(directory)
            done.touch()
    return directory / "out"


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory that ``crawler lab --small`` wrote."""
    return once(tmp_path_factory, "lab", _run_lab)


def _run_lab(folder: Path) -> None:
    command = [sys.executable, "-m", "crawler", "lab", "--small", "-o", str(folder / "out")]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert ended.returncode == 0, ended.stderr
    assert f"{folder / 'out'}/report.html" in ended.stdout
    assert len(ended.stderr.splitlines()) == 10


@pytest.fixture(scope="session")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory that ``crawler bench`` wrote by a small plan, with what it printed."""
    return once(tmp_path_factory, "matrix", _run_matrix)


def _run_matrix(folder: Path) -> None:
    done = crawler("bench", "-c", write_plan(folder), "-o", folder / "out")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr.splitlines() == ["1/2 light: 4 cells", "2/2 light by concurrency: 4 cells"]
    (folder / "out" / "stdout").write_text(done.stdout, encoding="utf-8")
