"""How the CPU stage runs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StageSettings:
    """How the stage runs. Times in seconds, memory in bytes; None: no limit.

    A page's limits and recycling hold for ``processes`` alone: nothing can stop a thread. A page may exceed its
    limits by what it does in a twentieth of a second. ``page_memory`` is what a page may take over what its worker
    held before; a worker is replaced after ``recycle_pages``, or once it holds more than ``recycle_memory``.
    ``start_timeout`` is for loading the analyzers in a new worker.
    """

    executor: str = "processes"
    workers: int = 2
    batch: int = 64
    page_timeout: float | None = 30.0
    page_memory: int | None = None
    recycle_pages: int | None = None
    recycle_memory: int | None = None
    start_timeout: float | None = 120.0

    def __post_init__(self) -> None:
        if self.workers < 1 or self.batch < 1:
            raise ValueError(f"workers is {self.workers} and batch is {self.batch}; at least 1 is expected")

    @property
    def width(self) -> int:
        """The number of workers; what runs on the loop is one."""
        return 1 if self.executor == "inline" else self.workers
