"""What a page says reaches no terminal as an escape sequence, no spreadsheet as a formula, no report as markup."""

import csv
import re
from pathlib import Path

import pytest

from tests.integration.crawls import crawler, impatient, records
from tests.wire import WireServer, response

CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""C0 but tab and newline, DEL, and C1, of which U+009B alone begins a sequence on some terminals."""
TITLES = {
    "escape": "\x1b]0;owned\x07\x1b[31mred",
    "c1": "\u009b31mred\u009d0;owned\u009c",
    "bidi": "\u202etxt.exe",
    "formula": "=cmd|' /C calc'!A0",
    "plus": "+1+1",
    "minus": "-1+1",
    "at": "@SUM(1+1)",
    "tab": "\t=1+1",
    "quote": '","=1+1',
    "markup": "</script><script>alert(1)</script><img src=x onerror=alert(1)>",
    "path": "../../../../etc/passwd",
}


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("outputs") / "job"
    with WireServer() as server:
        pages = {
            f"/{name}": response(f"<title>{title.replace('<', '&lt;')}</title>{title}".encode())
            for name, title in TITLES.items()
        }
        server.pages = {
            "/": response("".join(f"<a href='{page}'>x</a>" for page in (*pages, "/away", "/status")).encode()),
            "/robots.txt": response(status="404 \x1b[31mred"),
            "/away": response(status="302 \x1b[31mred", location="ftp://\x1b[31m\u009b31m/<script>alert(1)</script>"),
            "/status": response(status="500 \u009b31mred <script>"),
            **pages,
        }
        settings = impatient("analyzers=[structured]", "fetch.retries=0", "observe.log_level=debug")
        done = crawler("run", f"{server.url}/", "-j", path, "-o", "-", *settings)
        assert done.returncode == 0, done.stderr
        (path.parent / "stdout").write_text(done.stdout, encoding="utf-8")
        (path.parent / "stderr").write_text(done.stderr, encoding="utf-8")
    return path


def test_the_records_have_what_the_pages_said(job: Path) -> None:
    titles = {record["title"] for record in records(job)}
    assert {TITLES["formula"], TITLES["markup"], TITLES["path"]} <= titles
    assert any("owned" in (title or "") for title in titles)


@pytest.mark.parametrize("name", ["stdout", "stderr", "job/crawl.log", "job/report.html", "job/stats.json"])
def test_no_control_character_is_written(job: Path, name: str) -> None:
    text = (job.parent / name).read_text(encoding="utf-8")
    assert CONTROLS.findall(text) == []


@pytest.mark.parametrize("arguments", [["status"], ["export", "-f", "urls"], ["export", "-f", "csv"]])
def test_no_command_says_one(job: Path, arguments: list[str]) -> None:
    done = crawler(arguments[0], job, *arguments[1:])
    assert done.returncode == 0, done.stderr
    assert CONTROLS.findall((done.stdout + done.stderr).replace("\r\n", "\n")) == []


def test_no_cell_is_a_formula(job: Path) -> None:
    done = crawler("export", job, "-f", "csv")
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert len(rows) == len(TITLES) + 3
    assert [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == []


def test_no_report_has_markup_of_a_page(job: Path) -> None:
    assert crawler("report", job).returncode == 0
    report = (job / "report.html").read_text(encoding="utf-8")
    assert "alert(1)" not in report.replace("&lt;script&gt;alert(1)", "")
    assert "onerror=alert" not in report


def test_nothing_is_written_elsewhere(job: Path) -> None:
    names = {file.name for file in job.iterdir()}
    assert names <= {"config.yaml", "crawl.log", "job.db", "lock", "pages.jsonl", "report.html", "stats.json"}
