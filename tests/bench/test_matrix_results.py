"""``crawler bench`` as a command: what it writes, says and returns; and that the documentation has every key."""

import json
import os
import re
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crawler.bench.matrix.page import QUANTITIES, report
from crawler.bench.matrix.table import print_table
from tests.bench.matrix_plan import write_plan
from tests.integration.crawls import PATIENCE, ROOT, crawler, running
from tests.processes import alive, descendants, wait_until

DOCUMENT = (ROOT / "docs" / "bench.md").read_text(encoding="utf-8")


def documented(table: str) -> set[str]:
    """Return the keys in the first column of a table."""
    _, _, rest = DOCUMENT.partition(f"<!-- keys: {table} -->\n")
    rows = rest.partition("\n\n")[0].splitlines()[2:]
    return {key for row in rows for key in re.findall(r"`(\w+)`", row.split("|")[1])}


def test_every_key_is_documented(matrix: Path) -> None:
    results = json.loads((matrix / "results.json").read_bytes())
    assert set(results) == documented("top")
    assert all(set(block) == documented("block") for block in results["blocks"])
    assert all(set(cell) == documented("cell") for cell in results["cells"])
    for cell in results["cells"]:
        assert set(cell["pages_per_second"]) == {"median", "low", "high", "runs"}
        assert set(cell["variant"]) == {"name", "fetch", "cpu", "loop", "control"}


def test_cells_belong_to_the_blocks_of_the_plan(matrix: Path) -> None:
    results = json.loads((matrix / "results.json").read_bytes())
    titles = [(block["title"], block["sweep"], block["cells"]) for block in results["blocks"]]
    assert titles == [("light", None, 4), ("light by concurrency", "concurrency", 4)]
    assert [cell["concurrency"] for cell in results["cells"]] == [8, 8, 8, 8, 2, 8, 2, 8]
    assert [work["name"] for work in results["workloads"]] == ["light"]
    assert results["workloads"][0]["site"]["pages"] == 40


def test_the_table_has_every_cell_with_its_rate(matrix: Path) -> None:
    said = (matrix / "stdout").read_text(encoding="utf-8")
    results = json.loads((matrix / "results.json").read_bytes())
    for cell in results["cells"][:4]:
        assert re.search(rf"^{re.escape(cell['variant']['name'])} +[\d.,]+ +[\d.,]+ to ", said, re.MULTILINE)
    assert "coroutines+inline at 2" in said
    assert said.endswith(f"{matrix}/report.html and {matrix}/results.json\n")


def test_an_invalid_cell_is_said_everywhere_and_the_command_fails(tmp_path: Path) -> None:
    plan = write_plan(tmp_path, settings="{limits.depth: 0, analyzers: []}")
    done = crawler("bench", "run", "-c", plan, "-o", tmp_path / "out", "--repeats", 1, "--only", "light")
    assert done.returncode == 1
    why = "36 of 40 URLs were never asked for: http://127.0.0.1:"
    assert f"invalid: coroutines+inline: {why}" in done.stdout
    assert f"invalid: coroutines+inline at 2: {why}" in done.stdout
    results = json.loads((tmp_path / "out" / "results.json").read_bytes())
    assert [cell["valid"] for cell in results["cells"]] == [True, False, False, False] + [False] * 4
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert page.count(f": {why}") == 7


def test_what_cannot_be_done_is_said_before_anything_is_measured(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    plan = write_plan(tmp_path)
    for arguments, words in (
        (("-c", tmp_path / "nowhere.yaml"), "nowhere.yaml: cannot be read"),
        (("-c", plan, "--only", "heavy"), "workload 'heavy' is unknown; the plan has light"),
        (("-c", plan, "-o", tmp_path / "file" / "below"), "cannot be written"),
    ):
        done = crawler("bench", *arguments, cwd=tmp_path)
        assert done.returncode == 2
        assert words in done.stderr
        assert "cells" not in done.stderr


def test_mock_without_aioresponses_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "aioresponses.py").write_text("raise ImportError('not installed')", encoding="utf-8")
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    arguments = ("bench", "-c", write_plan(tmp_path), "-o", tmp_path / "out", "--mock")
    done = crawler(*arguments, env={"PYTHONPATH": path})
    assert done.returncode == 2
    assert "--mock needs aioresponses, which is not installed: pip install 'tandem-crawler[bench]'" in done.stderr


def test_ctrl_c_ends_it_and_every_process_of_it(tmp_path: Path) -> None:
    plan = write_plan(tmp_path, latency="constant:30")
    with running("bench", "-c", plan, "-o", tmp_path / "out") as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "1/2 light: 4 cells\n"
        wait_until(lambda: len(descendants(process.pid)) >= 3)
        children = descendants(process.pid)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 130
        wait_until(lambda: not alive(children))  # what was just being started ends by itself, without its parent


# The report without a browser


def results_of(matrix: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((matrix / "results.json").read_bytes())
    return found


def scaled(spread: Mapping[str, Any], factor: float) -> dict[str, Any]:
    numbers = {key: spread[key] * factor for key in ("median", "low", "high")}
    return {**numbers, "runs": [run * factor for run in spread["runs"]]}


def test_sentences_follow_from_the_figures(matrix: Path) -> None:
    results = results_of(matrix)
    light = {cell["variant"]["name"]: cell for cell in results["cells"][:4]}
    for name, cell in light.items():
        cell["pages_per_second"] = {"median": 50.0, "low": 49.0, "high": 51.0, "runs": [49.0, 51.0]}
        cell["cpu_ms_per_page"] = {"median": 4.0, "low": 4.0, "high": 4.0, "runs": [4.0, 4.0]}
        if name == "coroutines+inline":
            cell["pages_per_second"] = scaled(cell["pages_per_second"], 2)
            cell["cpu_ms_per_page"] = scaled(cell["cpu_ms_per_page"], 0.5)
    assert "coroutines+inline did most pages: 100 (98 to 102) a second." in report(results)
    assert "A page cost 2 ms of CPU in coroutines+inline, the least, and 4 ms in" in report(results)
    light["sequential"]["pages_per_second"] = {"median": 100.0, "low": 90.0, "high": 110.0, "runs": [110.0, 90.0]}
    assert "Too close to call: " in report(results)


def test_a_report_without_a_valid_cell_says_so(matrix: Path) -> None:
    results = results_of(matrix)
    for cell in results["cells"]:
        cell.update(valid=False, why="it was <b>planted</b>")
    page = report(results)
    assert "No cell is valid, so nothing can be compared." in page
    assert "Too few cells are valid to say how they scale." in page
    assert "it was &lt;b&gt;planted&lt;/b&gt;" in page
    assert "<svg" not in page


def test_a_block_whose_variants_were_all_left_out_is_still_shown(matrix: Path) -> None:
    results = results_of(matrix)
    for block in results["blocks"]:
        block["cells"] = 0
    results["cells"] = []
    results["left_out"] = [{"workload": "light", "variant": "coroutines+interpreters", "why": "refused"}]
    assert "coroutines+interpreters on light: refused" in report(results)
    print_table(results)


def test_every_quantity_of_the_table_is_one_of_the_results(matrix: Path) -> None:
    cell = results_of(matrix)["cells"][0]
    for path in QUANTITIES.values():
        found: Any = cell
        for key in path:
            found = found[key]
        assert set(found) == {"median", "low", "high", "runs"}
