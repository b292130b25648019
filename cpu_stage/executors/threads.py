"""The CPU stage in threads: cheap to reach, bound by the GIL, and impossible to stop."""

from concurrent.futures import Executor, ThreadPoolExecutor

from cpu_stage.worker import Plan, Pulse, init

KILLABLE = False
DEPTH = 2


def new_pulse() -> Pulse:
    """Make a pulse in plain memory."""
    return [0.0, 0.0]


def open_lane(plan: Plan, pulse: Pulse) -> Executor:
    """Open a pool of one thread, with analyzers of its own."""
    return ThreadPoolExecutor(1, "cpu-stage", initializer=init, initargs=(plan, pulse))
