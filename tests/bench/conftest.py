"""One small run of the lab and one of the benchmark, by their commands, for all tests that look at what they wrote."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.matrix_plan import write_plan
from tests.integration.crawls import crawler

PATIENCE_S = 600


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory that ``crawler lab --small`` wrote."""
    directory = tmp_path_factory.mktemp("lab") / "out"
    command = [sys.executable, "-m", "crawler", "lab", "--small", "-o", str(directory)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert ended.returncode == 0, ended.stderr
    assert f"{directory}/report.html" in ended.stdout
    assert len(ended.stderr.splitlines()) == 10
    return directory


@pytest.fixture(scope="session")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory that ``crawler bench`` wrote by a small plan, with what it printed."""
    folder = tmp_path_factory.mktemp("matrix")
    directory = folder / "out"
    done = crawler("bench", "-c", write_plan(folder), "-o", directory)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr.splitlines() == ["1/2 light: 4 cells", "2/2 light by concurrency: 4 cells"]
    (directory / "stdout").write_text(done.stdout, encoding="utf-8")
    return directory
