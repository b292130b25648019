"""The YAML files that come with the crawler: they must say what the models say."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from crawler.bench.matrix.plan import plan_file, read_plan
from crawler.bench.matrix.variants import FETCHES
from crawler.config import Config, load
from crawler.config.settings import keys, section

DIRECTORY = Path(__file__).parents[2] / "config"
DEFAULT = DIRECTORY / "default.yaml"
PLANS = ["quick", "full"]
PRESETS = ["polite", "fast", "deep-analysis", "links-only"]


def documented() -> dict[str, str]:
    """Return every key of the file, dotted, with the comment above it in one line."""
    found: dict[str, str] = {}
    path: list[str] = []
    comment: list[str] = []
    for line in DEFAULT.read_text(encoding="utf-8").splitlines():
        text = line.strip()
        if text.startswith("#"):
            comment.append(text.removeprefix("#").strip())
            continue
        if match := re.match(r"( *)([a-z_]+):", line):
            path = [*path[: len(match[1]) // 2], match[2]]
            found[".".join(path)] = " ".join(comment)
        comment = []
    return found


def descriptions(model: type[BaseModel] = Config, above: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for name, field in model.model_fields.items():
        inner = section(model, name)
        found[above + name] = str(inner.__doc__ if inner else field.description)
        if inner:
            found |= descriptions(inner, f"{above}{name}.")
    return found


def test_the_defaults_are_those_of_the_models() -> None:
    loaded = load([DEFAULT], {}, [], {})
    assert loaded.config == Config()
    assert [key for key, origin in loaded.origins.items() if origin == "default"] == []


def test_every_comment_is_the_description_of_its_key() -> None:
    assert documented() == descriptions()
    assert list(documented()) == list(descriptions())


def test_every_key_has_a_description_with_a_reason() -> None:
    found = descriptions()
    for path in keys():
        assert len(found[".".join(path)].split(". ")) >= 2, path


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_short_and_changes_what_it_names(name: str) -> None:
    file = DIRECTORY / f"{name}.yaml"
    loaded = load([file], {}, [], {})
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 25
    assert file.read_text(encoding="utf-8").startswith("# For ")
    assert loaded.config != Config()
    assert loaded.config.politeness.obey_robots


def test_there_are_no_other_files() -> None:
    files = {str(file.relative_to(DIRECTORY)) for file in DIRECTORY.rglob("*") if file.is_file()}
    assert files == {"default.yaml", *(f"{name}.yaml" for name in PRESETS), *(f"bench/{name}.yaml" for name in PLANS)}


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_says_what_it_is_for_and_is_valid(name: str) -> None:
    file = DIRECTORY / "bench" / f"{name}.yaml"
    assert file.read_text(encoding="utf-8").startswith("# For ")
    plan = read_plan(file)
    assert all(work.about.endswith(".") for work in plan.workloads.values())
    assert {"sequential", "threaded", "textbook", "coroutines+processes@asyncio"} < set(plan.variants)
    assert {f"{fetch}+{cpu}" for fetch in FETCHES for cpu in ("inline", "threads", "processes")} < set(plan.variants)


def test_the_quick_plan_is_what_the_command_runs_by_itself() -> None:
    assert plan_file(None).samefile(DIRECTORY / "bench" / "quick.yaml")
