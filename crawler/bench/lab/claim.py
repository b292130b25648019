"""What a claim is: a question, an experiment, a verdict that follows from its figures, and charts of them."""

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, TypeVar

from crawler.report.charts import Chart

Figures = Mapping[str, Any]
PALETTE = ("processes", "threads", "coroutines", "inline", "interpreters")
"""Series that have the same colour in every chart."""
K = TypeVar("K")
M = TypeVar("M")


class Outcome(enum.StrEnum):
    """What became of a claim on this machine and this Python."""

    HOLDS = "holds"
    FAILS = "does not hold"
    DEPENDS = "depends"
    UNKNOWN = "not measured"


@dataclass(frozen=True, slots=True)
class Verdict:
    """An outcome, and the sentence of figures that it follows from."""

    outcome: Outcome
    because: str

    def __str__(self) -> str:
        return f"{self.outcome}{'' if self.outcome is Outcome.DEPENDS else ':'} {self.because}"


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that a claim says: whether the figures bear it out (None: the runs do not agree), in words."""

    holds: bool | None
    text: str


def all_of(*answers: bool | None) -> bool | None:
    """Join answers: False where one is, otherwise None where one is not known."""
    return False if False in answers else None if None in answers else True


def negated(answer: bool | None) -> bool | None:
    """Turn an answer round; what is not known stays so."""
    return None if answer is None else not answer


def sentence(text: str) -> str:
    """Make a sentence of words."""
    return f"{text[0].upper()}{text[1:]}."


def weigh(parts: Sequence[Part], on: str) -> Verdict:
    """Join the parts of a claim to one verdict; ``on`` says what it depends on where they differ."""
    found = {part.holds for part in parts}
    if found == {True}:
        return Verdict(Outcome.HOLDS, f"{'; '.join(part.text for part in parts)}.")
    if found == {False}:
        return Verdict(Outcome.FAILS, f"{'; '.join(part.text for part in parts)}.")
    groups = ((True, "borne out"), (False, "not borne out"), (None, "not decided by these runs"))
    texts = [f"{word}: {'; '.join(p.text for p in parts if p.holds is is_)}" for is_, word in groups if is_ in found]
    return Verdict(Outcome.DEPENDS, f"on {on}. {' '.join(map(sentence, texts))}")


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A chart and the sentence below it, both made from the figures."""

    chart: Chart
    caption: str


@dataclass(frozen=True, slots=True)
class Setting:
    """How much to measure. The seed orders the runs of each round, so that no variant always comes first."""

    small: bool = False
    seed: int = 1

    @property
    def rounds(self) -> int:
        """How often everything is measured."""
        return 2 if self.small else 5

    def interleaved(self, cells: Sequence[K], measure: Callable[[K], M]) -> dict[K, list[M]]:
        """Measure every cell once a round, in an order that changes: a slow minute then hits all of them."""
        random, results = Random(self.seed), dict[K, list[M]]((cell, []) for cell in cells)
        for _ in range(self.rounds):
            for cell in random.sample(cells, len(cells)):
                results[cell].append(measure(cell))
        return results


@dataclass(frozen=True, slots=True)
class Claim:
    """One entry of the lab. ``claim`` is what textbooks say, ``method`` two sentences.

    ``judge`` and ``exhibits`` look at nothing but figures, as they stand in ``results.json``.
    """

    id: str
    question: str
    claim: str
    method: str
    measure: Callable[[Setting], Figures]
    judge: Callable[[Figures], Verdict]
    exhibits: Callable[[Figures], Sequence[Exhibit]]
