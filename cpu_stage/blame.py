"""What becomes of the pages that a lost worker held: a policy without I/O.

The page that the worker was at is known. It alone is charged: with a timeout or too much memory at once, with a
crash the second time, alone in its batch by then, and with the suspected analyzer alone: where that does no harm the
whole page has another try. Its batch-mates are replayed as if nothing had happened. A page
alone whose workers die before they begin it, again and again, cannot even be sent: it is charged in the end.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from cpu_stage.lanes import Batch, Job, Verdict
from cpu_stage.pulse import PARSE_STEP, Place
from cpu_stage.types import AnalysisError, AnalysisErrorKind
from cpu_stage.worker import PARSE, RawPage

_CRASHES = 2
_LOSSES = 5


@dataclass(slots=True)
class Ruling:
    """The pages to be tried again, in their order, and those that have got their last error."""

    replay: list[Job] = field(default_factory=list)
    finished: list[Job] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Blame:
    """Finds the culprit. ``timeout`` in seconds and ``memory`` in bytes are for the words of the error."""

    analyzers: Sequence[str]
    timeout: float | None
    memory: int | None

    def judge(self, batches: Sequence[Batch], place: Place | None, verdict: Verdict | None) -> Ruling:
        """Rule on a lost worker's batches.

        Args:
            batches: what it held, the one that it was at first.
            place: where it was in the first one; None where it was at none of its pages.
            verdict: why it was killed; None where it died by itself.
        """
        ruling = Ruling()
        if batches:
            self._judge_first(batches[0].jobs, place, verdict, ruling)
            ruling.replay.extend(job for batch in batches[1:] for job in batch.jobs)
        return ruling

    def _judge_first(self, jobs: list[Job], place: Place | None, verdict: Verdict | None, ruling: Ruling) -> None:
        if verdict is not None and _moved_on(verdict, place):
            ruling.replay.extend(jobs)
        elif place is not None:
            ruling.replay.extend(job for n, job in enumerate(jobs) if n != place.page)
            self._charge(jobs[place.page], place.step, verdict, ruling)
        elif len(jobs) > 1:  # lost outside every page's work: taken apart, the culprit will show itself
            for job in jobs:
                job.alone = True
            ruling.replay.extend(jobs)
        elif jobs[0].losses < _LOSSES:
            jobs[0].losses += 1
            ruling.replay.extend(jobs)
        else:
            self._charge(jobs[0], PARSE_STEP, verdict, ruling)

    def _charge(self, job: Job, step: int, verdict: Verdict | None, ruling: Ruling) -> None:
        """Charge a page with the end of its worker.

        The analyzer that failed is left out when the page is tried again, so that the others' values are not lost;
        where all of those were noted, there is nothing left to try.
        """
        kind = verdict.kind if verdict else AnalysisErrorKind.CRASH
        job.alone = True
        job.tries += 1
        if kind is AnalysisErrorKind.CRASH and job.tries < _CRASHES:
            job.resting = self._others(step)
            ruling.replay.append(job)
            return
        name = PARSE if step == PARSE_STEP else self.analyzers[step - 1]
        job.errors[name] = AnalysisError(kind, self._explain(kind))
        job.tries, job.resting = 0, frozenset()
        left = set(self.analyzers).difference(job.errors, job.values) or isinstance(job.item, RawPage)
        again = name != PARSE and left
        (ruling.replay if again else ruling.finished).append(job)

    def _others(self, step: int) -> frozenset[str]:
        """Name the analyzers that a worker was not at; none where it was at no analyzer."""
        return frozenset() if step == PARSE_STEP else frozenset(self.analyzers) - {self.analyzers[step - 1]}

    def _explain(self, kind: AnalysisErrorKind) -> str:
        if kind is AnalysisErrorKind.TIMEOUT:
            return f"took longer than {self.timeout:g} s; its worker was replaced"
        if kind is AnalysisErrorKind.MEMORY:
            return f"took more than {(self.memory or 0) / 2**20:.0f} MiB; its worker was replaced"
        return f"the worker died on this page {_CRASHES} times"


def _moved_on(verdict: Verdict, place: Place | None) -> bool:
    """Whether the worker left the page that was over a limit before the kill reached it: then nobody is to blame."""
    at, seen = (place and place[:2]), (verdict.seen and verdict.seen[:2])
    return verdict.kind is not AnalysisErrorKind.CRASH and at != seen
