"""The CPU stage in threads: cheap to reach, bound by the GIL, and impossible to stop.

A page that crashes ends the whole program; one that never ends keeps its lane for good, and the program from ending.
"""

from concurrent.futures import Executor, ThreadPoolExecutor

from cpu_stage.pulse import SIZE, Pulse
from cpu_stage.worker import Plan, attach

DEPTH = 2


def new_pulse() -> Pulse:
    """Make a pulse in plain memory."""
    return [0.0] * SIZE


def open_executor(_plan: Plan, pulse: Pulse) -> tuple[Executor, None]:
    """Open a pool of one thread."""
    return ThreadPoolExecutor(1, "cpu-stage", initializer=attach, initargs=(pulse,)), None
