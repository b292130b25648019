"""The pages that wait for a worker, in their order."""

from collections import deque
from collections.abc import Iterable, Iterator

from cpu_stage.lanes import Job


class Waiting:
    """A queue of jobs that knows its weight, as batches are measured out by it."""

    def __init__(self) -> None:
        self._jobs: deque[Job] = deque()
        self.weight = 0.0

    def __len__(self) -> int:
        return len(self._jobs)

    def __iter__(self) -> Iterator[Job]:
        return iter(self._jobs)

    def put(self, job: Job) -> None:
        """Add a job at the end."""
        self._jobs.append(job)
        self.weight += job.weight

    def put_back(self, jobs: Iterable[Job]) -> None:
        """Add jobs, in their order, before all others."""
        returned = list(jobs)
        self._jobs.extendleft(reversed(returned))
        self.weight += sum(job.weight for job in returned)

    def take(self, pages: int, weight: float) -> list[Job]:
        """Take the next batch: at least one job, else no more than ``pages`` and ``weight``.

        Jobs that nobody waits for any more are dropped; one that has to be alone is a batch of its own. Nothing comes
        back where nothing is left.
        """
        batch: list[Job] = []
        while self._jobs and len(batch) < pages:
            job = self._jobs[0]
            if batch and (job.alone or batch[0].alone or job.weight > weight):
                break
            self._jobs.popleft()
            self.weight -= job.weight
            if not job.future.done():
                batch.append(job)
                weight -= job.weight
        return batch

    def clear(self) -> None:
        """Drop all jobs."""
        self._jobs.clear()
        self.weight = 0.0
