"""Claim 7: a fault in a thread takes the whole process, one in a process does not."""

from collections.abc import Mapping, Sequence
from typing import Any

from crawler.bench.lab.claim import Claim, Exhibit, Figures, Part, Setting, Verdict, weigh
from crawler.bench.lab.experiments import faults
from crawler.bench.lab.isolation import Ended, launch
from crawler.bench.lab.spread import by_key
from crawler.display import number
from crawler.report.charts import Bar, BarChart, Measured

_KINDS = ("coroutines", "threads", "processes", "one pool of processes", "Tandem's lanes")
_FAULTS = {"exception": "an exception", "segfault": "a segmentation fault", "exit": "os._exit"}
_OTHERS = faults.WORKERS - 1


def measure(setting: Setting) -> Figures:
    """Let each kind of worker meet each fault, and count what the others still did."""
    items = 10 if setting.small else 20
    met = ("exception", "segfault") if setting.small else tuple(_FAULTS)
    cells = [(fault, kind) for fault in met for kind in _KINDS]
    runs = setting.interleaved(
        cells, lambda cell: tell(launch(faults.work, fault=cell[0], kind=cell[1], items=items), items)
    )
    return {
        "workers": faults.WORKERS,
        "items_of_each": items,
        "faults": {fault: {kind: by_key(runs[fault, kind]) for kind in _KINDS} for fault in met},
    }


def tell(ended: Ended, items: int) -> dict[str, float]:
    """Read the tale of one run.

    Returns:
        ``survivors``: workers besides the culprit that did all their items; ``others_done``: the share of their items;
        ``again``: items done more than once; ``host_alive``: 1 or 0; ``exit_code`` (negative: a signal).
    """
    # A worker of Tandem's writes to the standard error, whatever it prints to: the output is for records.
    lines = [line for line in (ended.output + ended.errors).splitlines() if line[:1].isdigit()]
    done = set(lines)
    per_worker = [sum(line.startswith(f"{worker}/") for line in done) for worker in range(1, faults.WORKERS)]
    return {
        "survivors": sum(count == items for count in per_worker),
        "others_done": sum(per_worker) / (items * _OTHERS),
        "again": len(lines) - len(done),
        "host_alive": float(faults.SURVIVED in ended.output),
        "exit_code": ended.code,
    }


def judge(figures: Figures) -> Verdict:
    """Weigh a segmentation fault in a thread, in a process, and in a pool of processes."""
    found = figures["faults"]["segfault"]
    thread, own, pool, lanes = (found[kind] for kind in _KINDS[1:])
    parts = [
        Part(thread["host_alive"]["high"] == 0, f"a segmentation fault in a thread: {_fate(thread)}"),
        Part(_unharmed(own), f"in a process of its own: {_fate(own)}"),
        Part(_unharmed(pool), f"in a worker of one ProcessPoolExecutor: {_fate(pool)}"),
        Part(_unharmed(lanes), f"in one of Tandem's lanes: {_fate(lanes)}"),
    ]
    return weigh(parts, "who waits for the process that dies")


def _unharmed(found: Mapping[str, Any]) -> bool:
    """Whether in every run the host lived and all others did all their work."""
    return bool(found["host_alive"]["low"] == 1 and found["others_done"]["low"] == 1)


def _fate(found: Mapping[str, Any]) -> str:
    code = int(found["exit_code"]["median"])
    host = "the program lived" if found["host_alive"]["low"] else f"the program died ({_exit(code)})"
    return f"{host}, the others did {found['others_done']['median']:.0%} of their work"


def _exit(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def exhibits(figures: Figures) -> Sequence[Exhibit]:
    """Draw what the others did after each fault."""
    return [Exhibit(_chart(figures, fault), _caption(figures, fault)) for fault in figures["faults"]]


def _chart(figures: Figures, fault: str) -> BarChart:
    bars = [
        Bar(kind, Measured.of(found["others_done"]).times(100), "lived" if found["host_alive"]["low"] else "died")
        for kind, found in figures["faults"][fault].items()
    ]
    return BarChart(
        f"After {_FAULTS[fault]} in one worker", "% of the others' work that was done", bars, palette=("lived", "died")
    )


def _caption(figures: Figures, fault: str) -> str:
    found = figures["faults"][fault]
    whole = [kind for kind in _KINDS if _unharmed(found[kind])]
    ended = [kind for kind in _KINDS if not found[kind]["host_alive"]["low"]]
    again = found["Tandem's lanes"]["again"]["median"]
    replayed = f" The lanes did {number(again)} items again, of batches that were lost." if again else ""
    return f"Not harmed: {', '.join(whole) or 'none'}. The whole program ended: {', '.join(ended) or 'none'}.{replayed}"


CLAIM = Claim(
    "fault-isolation",
    "When one worker fails, who else goes down?",
    "A fault in one thread takes the whole process with it; a fault in one process does not touch the others.",
    "Four workers have the same number of items and one of them raises an exception, reads address 0 or calls "
    "os._exit in the middle. Each item that is done is a line written at once to a pipe outside, so what was done is "
    "known whoever dies.",
    measure,
    judge,
    exhibits,
)
