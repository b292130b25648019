"""The commands around a crawl: going on, starting over, streaming, looking at a job, exporting, configuring."""

import csv
import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from crawler.bench.site import SiteProcess, SiteSpec
from tests.integration.crawls import PATIENCE, crawler, environment, impatient, records, running, stats

PAGES = 30


@pytest.fixture(scope="module")
def site() -> Iterator[SiteProcess]:
    with SiteProcess(SiteSpec(pages=PAGES, hosts=2, page_size=5_000)) as site:
        yield site


def run(site: SiteProcess, folder: Path, *arguments: str) -> tuple[str, str]:
    """Crawl into ``folder/job``; return what was said on standard output and on standard error."""
    done = crawler("run", *site.seeds, "-j", "job", *impatient("analyzers=[fingerprint]"), *arguments, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def test_a_finished_job_says_so_and_asks_nobody(site: SiteProcess, tmp_path: Path) -> None:
    run(site, tmp_path)
    before = (tmp_path / "job" / "pages.jsonl").read_bytes()
    site.reset()
    said, _ = run(site, tmp_path)
    assert said == "job is finished: 30 pages; --fresh starts over\n"
    assert (tmp_path / "job" / "pages.jsonl").read_bytes() == before
    assert site.audit().requests == 0


def test_a_limit_ends_a_run_and_the_next_goes_on(site: SiteProcess, tmp_path: Path) -> None:
    said, _ = run(site, tmp_path, "-n", "10")
    assert said.startswith("limit: pages: job\n")
    assert len(records(tmp_path / "job")) == 10
    run(site, tmp_path)
    urls = [record["url"] for record in records(tmp_path / "job")]
    assert len(urls) == len(set(urls)) == PAGES


def test_without_seeds_a_job_goes_on_by_its_own_configuration(site: SiteProcess, tmp_path: Path) -> None:
    run(site, tmp_path, "-n", "10")
    done = crawler("run", "-j", "job", "-n", "100", "--progress", "none", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = records(tmp_path / "job")
    assert len(found) == PAGES
    assert all("fingerprint" in record["analysis"] for record in found)


@pytest.mark.parametrize("mode", ["coroutines", "threads"])
def test_concurrency_may_find_itself(site: SiteProcess, tmp_path: Path, mode: str) -> None:
    run(site, tmp_path, "-s", "fetch.concurrency=auto", "-s", "fetch.per_host=100", "-s", f"fetch.mode={mode}")
    found = stats(tmp_path / "job")
    assert found["pages"] == PAGES
    assert 1 <= found["concurrency"] <= 2000
    run(site, tmp_path, "--fresh", "-s", "fetch.concurrency=9")
    assert stats(tmp_path / "job")["concurrency"] == 9


def test_the_last_commit_waits_for_nothing_more(site: SiteProcess, tmp_path: Path) -> None:
    run(site, tmp_path, "-s", "frontier.commit_interval=90s")
    assert stats(tmp_path / "job")["pages"] == PAGES
    assert stats(tmp_path / "job")["seconds"] < 90


def test_the_installed_command_finds_a_users_analyzer_where_it_is_run(site: SiteProcess, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def analyze(page):\n    return {'letters': len(page.text)}\n")
    script = Path(sys.executable).with_name("crawler")
    done = subprocess.run(
        [script, "run", *site.seeds, "-n", "3", *impatient("analyzers=['mine:analyze']"), "-j", "job"],
        cwd=tmp_path,
        env={key: value for key, value in environment({}).items() if key != "PYTHONPATH"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert all(record["analysis"]["mine:analyze"]["letters"] > 0 for record in records(tmp_path / "job"))


def test_fresh_starts_over_and_keeps_the_old_job(site: SiteProcess, tmp_path: Path) -> None:
    run(site, tmp_path, "-n", "10")
    old = (tmp_path / "job" / "pages.jsonl").read_bytes()
    _, said = run(site, tmp_path, "--fresh")
    aside = [path for path in tmp_path.iterdir() if path.name != "job"]
    assert len(aside) == 1
    assert f"the old job is now {aside[0].name}" in said
    assert (aside[0] / "pages.jsonl").read_bytes() == old
    assert len(records(tmp_path / "job")) == PAGES


def test_records_stream_to_standard_output_and_nothing_else_does(site: SiteProcess, tmp_path: Path) -> None:
    said, beside = run(site, tmp_path, "-o", "-", "--progress", "plain")
    streamed = [json.loads(line) for line in said.splitlines()]
    assert streamed == records(tmp_path / "job")
    assert "finished: job" in beside


def test_an_output_file_holds_the_same_records(site: SiteProcess, tmp_path: Path) -> None:
    run(site, tmp_path, "-o", "out.jsonl", "-n", "12")
    run(site, tmp_path, "-o", "out.jsonl")
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "job" / "pages.jsonl").read_bytes()


def test_a_second_output_file_gets_the_rest(site: SiteProcess, tmp_path: Path) -> None:
    run(site, tmp_path, "-o", "one.jsonl", "-n", "12")
    run(site, tmp_path, "-o", "two.jsonl")
    both = (tmp_path / "one.jsonl").read_bytes() + (tmp_path / "two.jsonl").read_bytes()
    assert both == (tmp_path / "job" / "pages.jsonl").read_bytes()


def test_memory_keeps_nothing(site: SiteProcess, tmp_path: Path) -> None:
    done = crawler("run", *site.seeds, "-j", ":memory:", "-o", "-", *impatient("analyzers=[]"), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == PAGES
    assert list(tmp_path.iterdir()) == []


def test_seeds_come_from_standard_input(site: SiteProcess, tmp_path: Path) -> None:
    text = "# hosts\n\n" + "\n".join(site.seeds)
    done = crawler("run", "--seeds", "-", "-j", "job", *impatient("analyzers=[]"), cwd=tmp_path, text=text)
    assert done.returncode == 0, done.stderr
    assert len(records(tmp_path / "job")) == PAGES


def test_the_job_is_named_after_the_host(site: SiteProcess, tmp_path: Path) -> None:
    done = crawler("run", site.seeds[0], *impatient("analyzers=[]"), "-d", "0", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in (tmp_path / "jobs").iterdir()] == [site.seeds[0].split("/")[2].replace(":", "-")]


def test_status_report_and_export_agree_with_the_records(site: SiteProcess, tmp_path: Path) -> None:
    run(site, tmp_path)
    status = crawler("status", "job", cwd=tmp_path)
    assert status.stdout.startswith(f"job: finished, 0 queued of {PAGES} known URLs\n")
    as_json = json.loads(crawler("status", "job", "--json", cwd=tmp_path).stdout)
    assert as_json["pages"] == PAGES == stats(tmp_path / "job")["pages"]
    (tmp_path / "job" / "report.html").unlink()
    assert crawler("report", "job", cwd=tmp_path).stdout == "job/report.html\n"
    assert (tmp_path / "job" / "report.html").read_text().startswith("<!doctype html>")
    rows = list(csv.DictReader(crawler("export", "job", cwd=tmp_path).stdout.splitlines()))
    assert [row["url"] for row in rows] == [record["url"] for record in records(tmp_path / "job")]
    done = crawler("export", "job", "-f", "urls", "-o", "urls.txt", cwd=tmp_path)
    assert (done.returncode, len((tmp_path / "urls.txt").read_text().splitlines())) == (0, PAGES)


def test_an_export_never_costs_records(site: SiteProcess, tmp_path: Path) -> None:
    run(site, tmp_path)
    before = (tmp_path / "job" / "pages.jsonl").read_bytes()
    done = crawler("export", "job", "-o", "job/../job/pages.jsonl", cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (4, 1)
    assert (tmp_path / "job" / "pages.jsonl").read_bytes() == before
    (tmp_path / "job" / "pages.jsonl").write_bytes(before + b"garbage\n")
    (tmp_path / "old.csv").write_text("old")
    done = crawler("export", "job", "-o", "old.csv", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (
        4,
        f"crawler: job/pages.jsonl:{PAGES + 1}: is no JSON, so no record of a crawl\n",
    )
    assert (tmp_path / "old.csv").read_text() == "old"


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("fetch:\n  retries: 1\n  per_host: 1\n  concurrency: 1\n")
    env = {"CRAWLER_FETCH__RETRIES": "2", "CRAWLER_FETCH__PER_HOST": "2"}
    done = crawler("config", "show", "-c", "c.yaml", "-s", "fetch.retries=3", cwd=tmp_path, env=env)
    lines = done.stdout.splitlines()
    assert "fetch.retries: 3  # --set" in lines
    assert "fetch.per_host: 2  # environment CRAWLER_FETCH__PER_HOST" in lines
    assert "fetch.concurrency: 1  # c.yaml:4" in lines
    assert "fetch.backoff: 1s  # default" in lines
    assert crawler("config", "check", "-c", "c.yaml", cwd=tmp_path).stdout == "the configuration is valid\n"
    assert json.loads(crawler("config", "schema").stdout)["type"] == "object"


def test_the_demo_crawls_a_web_of_its_own(tmp_path: Path) -> None:
    done = crawler("demo", "-s", "analyzers=[fingerprint]", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "robots.txt 0 violations, 0 requests before it was read" in done.stdout
    assert "0 before Retry-After" in done.stdout
    assert (tmp_path / "jobs" / "demo" / "report.html").is_file()
    assert len(records(tmp_path / "jobs" / "demo")) > 250


def test_the_site_command_serves_until_ctrl_c() -> None:
    with running("site", "--port", 0, "-s", "pages=5", "-s", "hosts=1") as process:
        assert process.stdout is not None
        seed = process.stdout.readline().strip()
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(seed) as answer:
            assert b"<html" in answer.read()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=PATIENCE)
    assert (process.returncode, said) == (0, "")


@pytest.mark.parametrize("pair", ["pages=x", "page=5", "pages", "latency=soon", "hosts=0"])
def test_a_web_that_cannot_be(pair: str) -> None:
    done = crawler("site", "--port", 0, "-s", pair)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert pair.partition("=")[0] in done.stderr


def test_help_imports_nothing_heavy() -> None:
    code = "import sys; from crawler.cli import main; main(['--help'], standalone_mode=False); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment({}), timeout=PATIENCE
    )
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "click" in loaded
    assert loaded.isdisjoint({"aiohttp", "asyncio", "pydantic", "yaml", "rich", "uvloop", "sqlite3", "turbohtml"})


CRAWL = """
import atexit, sys
atexit.register(lambda: print(",".join(sorted({name.partition(".")[0] for name in sys.modules}))))
from crawler.cli import main
main(sys.argv[1:])
"""
ANALYZERS = "analyzers=[content,language,keywords,fingerprint,readability,structured]"


def test_the_crawlers_own_process_imports_no_library_of_an_analyzer(site: SiteProcess, tmp_path: Path) -> None:
    order = ["run", *site.seeds, "-j", "job", "-n", "3", *impatient(ANALYZERS)]
    ended = subprocess.run(
        [sys.executable, "-c", CRAWL, *order],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
        cwd=tmp_path,
        env=environment({}),
    )
    assert all(len(record["analysis"]) == 6 for record in records(tmp_path / "job"))
    imported = set(ended.stdout.split()[-1].split(","))
    assert "crawler" in imported
    assert not imported & {"trafilatura", "py3langid", "numpy", "stopwordsiso"}
