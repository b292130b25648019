"""What may import what, asked of the code and of real processes."""

import ast
import graphlib
import importlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from cpu_stage.analyzers import BUILT_IN
from cpu_stage.loading import AnalyzerSpec
from cpu_stage.stage import CpuStage, StageSettings
from cpu_stage.types import Page
from cpu_stage.worker import Plan, RawPage

ROOT = Path(__file__).parents[1]
PACKAGES = ("cpu_stage", "crawler")
NOT_FOR_WORKERS = frozenset({"crawler", "aiohttp", "uvloop", "pydantic", "click", "rich", "sqlite3"})


def top_level(modules: list[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


def modules_after(code: str) -> list[str]:
    """Return what a fresh interpreter has imported after ``code``."""
    script = f"{code}\nimport json, sys\nprint(json.dumps(list(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True, text=True)
    names: list[str] = json.loads(ran.stdout)
    return names


async def test_a_worker_process_imports_nothing_of_the_crawler() -> None:
    for name in ("crawler.build", "crawler.fetch.aio"):
        importlib.import_module(name)
    assert {"crawler", "aiohttp", "pydantic"} <= top_level(list(sys.modules)), "the parent has them"
    names = ("worker_process", "length")
    specs = [AnalyzerSpec(name, target) for name, target in BUILT_IN.items()]
    specs += [AnalyzerSpec(name, f"tests.sample_analyzers:{name}") for name in names]
    async with CpuStage(Plan(tuple(specs)), StageSettings("processes", 1)) as stage:
        raw = RawPage("http://example.test/", "text/html", b"<title>T</title><p>Some text in plain English.")
        await stage.submit(raw)
        result = await stage.submit(Page("http://example.test/", "text/html", "utf-8", "T", "text"))
    imported = result.analysis.values["worker_process"]["modules"]
    assert isinstance(imported, list)
    assert "cpu_stage.worker" in imported
    assert top_level([str(name) for name in imported]) & NOT_FOR_WORKERS == set()


def test_the_stage_can_be_used_without_the_crawler() -> None:
    code = "import cpu_stage.stage, cpu_stage.analyzers, cpu_stage.parse\nfrom cpu_stage.executors import *\n"
    code += "from cpu_stage.executors import inline, interpreters, processes, threads"
    assert top_level(modules_after(code)) & NOT_FOR_WORKERS == set()


def test_the_front_of_the_stage_imports_no_library() -> None:
    own = {"cpu_stage", *sys.stdlib_module_names}
    assert top_level(modules_after("import cpu_stage.stage")) - top_level(modules_after("")) <= own


@pytest.mark.parametrize(("fetcher", "other"), [("aio", "urllib3"), ("threads", "aiohttp")])
def test_a_fetcher_imports_its_own_client_alone(fetcher: str, other: str) -> None:
    assert other not in top_level(modules_after(f"import crawler.fetch.{fetcher}"))


def sources() -> dict[str, Path]:
    found = {}
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(body: list[ast.stmt]) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield the imports that run when the module is imported: not those in functions, or for type checkers alone."""
    for statement in body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            yield statement
        elif not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef) and not is_for_types(statement):
            for name in ("body", "orelse", "handlers", "finalbody"):
                yield from imports(getattr(statement, name, []))


def is_for_types(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.unparse(statement.test)


def imported_by(path: Path, known: Mapping[str, Path]) -> set[str]:
    names = set()
    for statement in imports(ast.parse(path.read_text("utf-8")).body):
        if isinstance(statement, ast.Import):
            names |= {alias.name for alias in statement.names}
        else:
            assert statement.level == 0, f"{path} has a relative import"
            for alias in statement.names:
                inner = f"{statement.module}.{alias.name}"
                names.add(inner if inner in known else str(statement.module))
    return names & known.keys()


def test_no_module_imports_itself_in_a_circle() -> None:
    known = sources()
    graph = {name: imported_by(path, known) for name, path in known.items()}
    assert len(graph) > 50
    assert sum(map(len, graph.values())) > 100
    order = list(graphlib.TopologicalSorter(graph).static_order())  # raises CycleError, which names the circle
    assert set(order) == set(graph)


def test_imports_count_where_they_run_with_their_module(tmp_path: Path) -> None:
    code = "if True:\n    from b import x\nif TYPE_CHECKING:\n    import c\ndef late():\n    import d\n"
    (tmp_path / "a.py").write_text(code, encoding="utf-8")
    assert imported_by(tmp_path / "a.py", dict.fromkeys("abcd", tmp_path)) == {"b"}
