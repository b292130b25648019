"""A job directory that a stranger made: going on with it runs no code of its own and writes nothing elsewhere."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.crawls import crawler, impatient, records
from tests.wire import WireServer, linking, response

CODE = """
from pathlib import Path

Path({trace!r}).touch()


def analyze(page):
    return {{"n": 1}}
"""


@pytest.fixture
def server() -> Iterator[WireServer]:
    with WireServer() as running:
        nothing = response(status="404 Not Found")
        pages = {f"/{n}": response(b"page") for n in range(5)}
        running.pages = {"/": linking(*pages), "/robots.txt": nothing, **pages}
        yield running


@pytest.fixture
def job(server: WireServer, tmp_path: Path) -> Path:
    """Return a job that has something left to do."""
    job = tmp_path / "job"
    done = crawler("run", f"{server.url}/", "-j", job, "-n", "2", *impatient("analyzers=[]"))
    assert done.returncode == 0, done.stderr
    return job


def edit(job: Path, old: str, new: str) -> None:
    config = job / "config.yaml"
    text = config.read_text()
    assert old in text
    config.write_text(text.replace(old, new))


def state(job: Path) -> dict[str, bytes]:
    return {entry.name: entry.read_bytes() for entry in job.iterdir() if entry.name != "report.html"}


@pytest.mark.parametrize("place", ["in it", "beside it"])
def test_its_code_is_not_run_unless_it_is_named(job: Path, place: str) -> None:
    folder = job if place == "in it" else job.parent
    trace = job.parent / "trace"
    (folder / "evil.py").write_text(CODE.format(trace=str(trace)))
    edit(job, "analyzers: []", "analyzers: ['evil:analyze']")
    before = state(job)
    name = "." if folder is job else job.name
    done = crawler("run", "-j", name, cwd=folder)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "evil:analyze: this is code" in done.stderr
    assert not trace.exists()
    for command in (("status", name), ("report", name), ("export", name)):
        assert crawler(*command, cwd=folder).returncode == 0
    assert not trace.exists()
    assert state(job) == before
    named = crawler("run", "-j", name, "-c", Path(name) / "config.yaml", cwd=folder)
    assert named.returncode == 0, named.stderr
    assert trace.exists()
    assert [record for record in records(job) if "evil:analyze" in record["analysis"]]


@pytest.mark.parametrize("path", ["../outside.jsonl", "{folder}/outside.jsonl", "a/../../outside.jsonl"])
def test_it_names_no_file_outside(job: Path, path: str) -> None:
    path = path.format(folder=job.parent)
    edit(job, "sinks:\n- jsonl\n", f"sinks: [{{name: jsonl, options: {{path: '{path}'}}}}]\n")
    done = crawler("run", "-j", job)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "outside of the job" in done.stderr
    assert not (job.parent / "outside.jsonl").exists()


@pytest.mark.parametrize("name", ["pages.jsonl", "crawl.log", "stats.json", "job.db", "lock", "originals.txt"])
def test_no_file_of_it_leads_out(job: Path, name: str) -> None:
    target = job.parent / "target"
    target.write_bytes((job / name).read_bytes() if (job / name).exists() else b"precious\n")
    before = target.read_bytes()
    (job / name).unlink(missing_ok=True)
    (job / name).symlink_to(target)
    done = crawler("run", "-j", job)
    assert done.returncode == 4
    assert f"{job / name}: is a symbolic link" in done.stderr
    assert target.read_bytes() == before
