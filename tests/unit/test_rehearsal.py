"""The page that analyzers read before there is a worker."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from cpu_stage.analyzers import BUILT_IN
from cpu_stage.executors.rehearsal import rehearse, sample
from cpu_stage.loading import AnalyzerSpec, load

FOUND: Mapping[str, Callable[[Any], bool]] = {
    "content": lambda values: "lighthouse" in values["text"],
    "language": lambda values: values["code"] == "en",
    "keywords": lambda values: len(values["terms"]) > 3,
    "fingerprint": lambda values: values["shingles"] > 20,
    "readability": lambda values: values["words"] > 50,
    "structured": lambda values: "Article" in str(values),
}


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_analyzer_finds_what_it_looks_for(name: str) -> None:
    values: Any = load(AnalyzerSpec(name, BUILT_IN[name])).call(sample("turbohtml"))
    assert FOUND[name](values), values


def test_what_fails_there_is_left_to_the_workers_to_say() -> None:
    calls = [AnalyzerSpec("broken", "tests.sample_analyzers:no_such"), AnalyzerSpec("fine", BUILT_IN["fingerprint"])]
    rehearse(calls, "turbohtml")
    rehearse(calls, "no such parser")
