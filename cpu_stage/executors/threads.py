"""The CPU stage in threads: cheap to reach, bound by the GIL, and impossible to stop.

A page that crashes ends the whole program; one that never ends keeps its lane for good, and the program from ending.
"""

from concurrent.futures import ThreadPoolExecutor

from cpu_stage.executors import Opened
from cpu_stage.pulse import SIZE
from cpu_stage.worker import Plan, attach

DEPTH = 2


def open_executor(_plan: Plan) -> Opened:
    """Open a pool of one thread."""
    pulse = [0.0] * SIZE
    return Opened(ThreadPoolExecutor(1, "cpu-stage", initializer=attach, initargs=(pulse,)), pulse)
