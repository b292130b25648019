"""One block at work: all its cells, each in a process of its own, run by turns and judged after every run."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from random import Random

from crawler.bench.matrix.blocks import Block, Cell, Left
from crawler.bench.matrix.noise import Others
from crawler.bench.matrix.plan import Plan
from crawler.bench.matrix.process import CellError, CellProcess, UnavailableError
from crawler.bench.matrix.reference import reference
from crawler.bench.matrix.results import CellRuns, Run
from crawler.bench.matrix.validity import fault
from crawler.bench.matrix.web import Web, served
from crawler.bench.work import Visited


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of a block: its cells with their runs, and how many cores others kept busy meanwhile.

    ``left_out`` are the variants whose executor has refused the analyzers, as subinterpreters do with most libraries.
    """

    cells: tuple[CellRuns, ...]
    others_cores: float
    left_out: tuple[Left, ...] = ()


def measure(plan: Plan, block: Block, *, mock: bool = False) -> Measured:
    """Run every cell of a block as often as the plan says; one that fails is not run again."""
    with served(block.work.site, mock=mock) as web, ExitStack() as stack:
        rounds = _Rounds(plan, block, web)
        rounds.open(stack)
        others = Others()
        rounds.run()
        return Measured(tuple(rounds.found.values()), others.cores(), tuple(rounds.left_out))


class _Rounds:
    """The cells' processes, and what came of them so far."""

    def __init__(self, plan: Plan, block: Block, web: Web) -> None:
        self.found = {cell: CellRuns(cell) for cell in block.cells}
        self.left_out: list[Left] = []
        self._plan = plan
        self._block = block
        self._web = web
        self._processes: dict[Cell, CellProcess] = {}
        self._expected: Mapping[str, Visited] = {}

    def open(self, stack: ExitStack) -> None:
        """Start all processes, which warm up side by side; meanwhile compute what they are to find."""
        seeds, spec, warm_up = self._web.truth.seeds, self._web.within, self._plan.warm_up
        orders = {cell: self._block.order(cell, seeds, warm_up, spec) for cell in self._block.cells}
        for cell, order in orders.items():
            self._processes[cell] = stack.enter_context(CellProcess(order, self._plan.patience))
        for order in list(orders.values())[:1]:
            self._expected = reference(self._web.truth, order.analyzers, order.parser)
        for cell, process in self._processes.items():
            try:
                process.wait_ready()
            except UnavailableError as error:
                del self.found[cell]
                self.left_out.append(Left(cell.variant.name, str(error)))
            except CellError as error:
                self.found[cell].why = str(error)

    def run(self) -> None:
        """Run every cell once a round, in an order that changes, so that no cell always comes first."""
        random, cells = Random(self._plan.seed), list(self.found)
        for _ in range(self._plan.repeats):
            for cell in random.sample(cells, len(cells)):
                found = self.found[cell]
                if found.why is None and found.seconds < self._plan.cell_seconds:
                    self._web.reset()
                    found.why = self._run(cell)

    def _run(self, cell: Cell) -> str | None:
        """Run a cell once; say why the run does not count."""
        try:
            outcome, sampler = self._processes[cell].run()
        except CellError as error:
            return str(error)
        self.found[cell].runs.append(Run(outcome, sampler))
        complaint = self._web.complaint(outcome, self._expected, cell.concurrency)
        return complaint or fault(outcome.visited, self._expected)
