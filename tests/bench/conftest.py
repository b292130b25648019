"""One small run of the lab by its command, for all tests that look at what it wrote."""

import subprocess
import sys
from pathlib import Path

import pytest

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
