"""What a worker notes of a page, as the stage reads it after the worker is gone."""

from typing import Any

import pytest

import cpu_stage.notes
from cpu_stage.notes import SIZE, Notes

VALUES: dict[str, Any] = {
    "a": {"text": "é\u2028\x85", "n": 2**62, "f": 0.1},
    "b": {"list": [None, True, {"x": []}]},
    "c": {},
}


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> bytearray:
    monkeypatch.setattr(cpu_stage.notes, "_WORTH_S", -1.0)
    return bytearray(SIZE)


def part(names: str) -> dict[str, Any]:
    return {name: VALUES[name] for name in names}


def test_what_is_noted_step_by_step_is_read_as_a_whole(memory: bytearray) -> None:
    worker, stage = Notes(memory), Notes(memory)
    worker.begin(3.0)
    assert stage.read(3.0) == {}
    for names in ("", "a", "a", "ab", "abc"):
        worker.keep(part(names))
        assert stage.read(3.0) == part(names)
    assert stage.read(4.0) == {}


def test_another_page_has_notes_of_its_own(memory: bytearray) -> None:
    worker, stage = Notes(memory), Notes(memory)
    worker.begin(1.0)
    worker.keep(part("ab"))
    worker.begin(2.0)
    assert stage.read(2.0) == {}
    worker.keep(part("c"))
    assert (stage.read(1.0), stage.read(2.0)) == ({}, part("c"))


def test_what_does_not_fit_is_left_out(memory: bytearray) -> None:
    worker, stage = Notes(memory), Notes(memory)
    worker.begin(1.0)
    worker.keep(part("a"))
    worker.keep({**part("a"), "b": {"text": "x" * SIZE}})
    assert stage.read(1.0) == part("a")


def test_what_is_made_in_no_time_is_not_noted() -> None:
    memory = bytearray(SIZE)
    worker = Notes(memory)
    worker.begin(1.0)
    worker.keep(part("a"))
    assert not any(memory)


def test_a_worker_that_wrote_all_over_its_memory_has_left_nothing(memory: bytearray) -> None:
    worker = Notes(memory)
    worker.begin(1.0)
    worker.keep(part("a"))
    memory[12:20] = b"\xff" * 8
    assert Notes(memory).read(1.0) == {}
    memory[8:12] = b"\xff" * 4
    assert Notes(memory).read(1.0) == {}
    assert Notes().read(0.0) == {}
