"""Claim 4: threads do not run bytecode in parallel under the GIL; code that lets it go does."""

from collections.abc import Mapping, Sequence
from typing import Any

from crawler.bench.lab.claim import PALETTE, Claim, Exhibit, Figures, Part, Setting, Verdict, negated, sentence, weigh
from crawler.bench.lab.experiments import scaling
from crawler.bench.lab.isolation import isolated
from crawler.bench.lab.machine import cores
from crawler.bench.lab.peers import Peer, here, peers
from crawler.bench.lab.spread import by_key, exceeds, ratio, spread
from crawler.display import number
from crawler.report.charts import Bar, BarChart, Line, LineChart, Measured

_PAIR = 2
_HALF_WAY = 1.5
"""Between one core busy and two: above it two workers ran in parallel more than not."""
_LETS_GO = ("sha256", "zlib")


def measure(setting: Setting) -> Figures:
    """Run every kind of work by one and two workers, bytecode by more, in this Python and in others that are found."""
    me = here()
    others = [] if setting.small else peers(me)
    cells = [*_cells(me, setting), *(cell for peer in others for cell in _peer_cells(peer))]
    seconds = 0.1 if setting.small else 0.15
    calls = {
        (peer, work): isolated(scaling.calls_in, python=peer.path, work=work, seconds=seconds)
        for peer, work in dict.fromkeys((peer, work) for peer, _, work, _ in cells)
    }

    def one(cell: Cell) -> dict[str, float]:
        peer, kind, work, workers = cell
        run: dict[str, float] = isolated(
            scaling.run, python=peer.path, kind=kind, work=work, workers=workers, calls=calls[peer, work]
        )
        return run

    return {
        "cores": cores(),
        "gil": me.build["gil"],
        "builds": {peer.name: peer.build for peer in (me, *others)},
        "variants": _by_variant(me, setting.interleaved(cells, one)),
    }


Cell = tuple[Peer, str, str, int]


def _cells(me: Peer, setting: Setting) -> list[Cell]:
    """Combine what this Python can do: bytecode by every kind of worker, the rest by one and two threads."""
    most, many = cores() if setting.small else max(4, cores()), [1, _PAIR]
    while many[-1] < most:
        many.append(many[-1] * 2)
    kinds = ["threads", "processes", *(["interpreters"] if me.build["interpreters"] else [])]
    works = (
        _LETS_GO if setting.small else [w for w in scaling.WORK if w != "python" and (w != "lxml" or me.build["lxml"])]
    )
    bytecode = [(me, kind, "python", workers) for kind in kinds for workers in many]
    return bytecode + [(me, "threads", work, workers) for work in works for workers in (1, _PAIR)]


def _peer_cells(peer: Peer) -> list[Cell]:
    kinds = ["threads", *(["interpreters"] if peer.build["interpreters"] else [])]
    return [(peer, kind, "python", workers) for kind in kinds for workers in (1, _PAIR)]


def _by_variant(me: Peer, found: Mapping[Cell, Sequence[Mapping[str, float]]]) -> dict[str, Any]:
    """Arrange the runs as variant, work, number of workers."""
    variants: dict[str, Any] = {}
    for (peer, kind, work, workers), runs in found.items():
        name = kind if peer is me else f"{kind}, {peer.name}"
        variants.setdefault(name, {}).setdefault(work, {})[str(workers)] = by_key(runs)
    for by_work in variants.values():
        for by_workers in by_work.values():
            _add_speedups(by_workers)
    return variants


def _add_speedups(by_workers: dict[str, Any]) -> None:
    """Add the speed-up over one worker: as many times the work, by the times of the same round."""
    for workers, found in by_workers.items():
        per_worker = ratio(by_workers["1"]["seconds"], found["seconds"])
        found["speedup"] = spread([run * int(workers) for run in per_worker["runs"]])


def judge(figures: Figures) -> Verdict:
    """Weigh the cores that two workers kept busy."""
    variants, gil = figures["variants"], "enabled" if figures["gil"] else "disabled"
    threads, processes = variants["threads"]["python"], variants["processes"]["python"]
    parts = [
        Part(
            negated(_parallel(threads)),
            f"with the GIL {gil}, two threads kept {_busy(threads)} with bytecode (speed-up {_speedup(threads)})",
        ),
        Part(_parallel(processes), f"two processes kept {_busy(processes)} (speed-up {_speedup(processes)})"),
    ]
    for work in _LETS_GO:
        found = variants["threads"][work]
        parts.append(Part(_parallel(found), f"{work} in two threads kept {_busy(found)} ({_speedup(found)})"))
    return weigh(parts, "what the threads do")


def _parallel(by_workers: Any) -> bool | None:
    return exceeds(by_workers[str(_PAIR)]["cores"], _HALF_WAY)


def _busy(by_workers: Any) -> str:
    return f"{number(by_workers[str(_PAIR)]['cores']['median'])} cores busy"


def _speedup(by_workers: Any) -> str:
    return f"{number(by_workers[str(_PAIR)]['speedup']['median'])} times"


def exhibits(figures: Figures) -> Sequence[Exhibit]:
    """Draw the speed-up of bytecode, and the cores that two threads of each kind of work keep busy."""
    return [
        Exhibit(_scaling(figures), _scaling_caption(figures)),
        Exhibit(_cores_of_work(figures), _cores_caption(figures)),
        Exhibit(_cores_of_kinds(figures), _kinds_caption(figures)),
    ]


def _scaling(figures: Figures) -> LineChart:
    lines = [
        Line(name, [(float(n), Measured.of(found["speedup"])) for n, found in works["python"].items()])
        for name, works in figures["variants"].items()
    ]
    return LineChart("Bytecode: work done, over one worker", "workers", "times", lines, palette=PALETTE)


def _scaling_caption(figures: Figures) -> str:
    last = {name: list(works["python"].items())[-1] for name, works in figures["variants"].items()}
    texts = (
        f"{n} {name} do {number(found['speedup']['median'])} times the work of one" for name, (n, found) in last.items()
    )
    return f"On {figures['cores']} cores, {'; '.join(texts)}."


def _cores_of_work(figures: Figures) -> BarChart:
    bars = [
        Bar(work, Measured.of(found[str(_PAIR)]["cores"]), "threads")
        for work, found in figures["variants"]["threads"].items()
    ]
    return BarChart(
        "Cores that two threads keep busy", "cores", bars, reference=(_HALF_WAY, "half-way to two"), palette=PALETTE
    )


def _cores_caption(figures: Figures) -> str:
    found = figures["variants"]["threads"]
    groups = {True: "in parallel", False: "one at a time", None: "not clear"}
    texts = []
    for answer, words in groups.items():
        works = [work for work in found if _parallel(found[work]) is answer]
        if works:
            texts.append(f"{words}: {', '.join(works)}")
    return (
        "A thread that waits for other programs is ready for a core, one that waits for the GIL is not. "
        f"{sentence('; '.join(texts))}"
    )


def _cores_of_kinds(figures: Figures) -> BarChart:
    bars = [
        Bar(name, Measured.of(works["python"][str(_PAIR)]["cores"]), name.partition(",")[0])
        for name, works in figures["variants"].items()
    ]
    return BarChart("Cores that two workers keep busy with bytecode", "cores", bars, palette=PALETTE)


def _kinds_caption(figures: Figures) -> str:
    builds = figures["builds"]
    free = [name for name, build in builds.items() if not build["gil"]]
    parallel = [name for name, works in figures["variants"].items() if _parallel(works["python"])]
    return (
        f"In parallel: {', '.join(parallel) or 'none'}. Interpreters on this machine that were asked: "
        f"{', '.join(builds)}; without a GIL: {', '.join(free) or 'none'}."
    )


CLAIM = Claim(
    "gil",
    "Do threads run Python code in parallel?",
    "Under the GIL threads do not run bytecode in parallel, processes do; C code that releases the GIL (hashing, "
    "compression) does run in parallel threads.",
    "One, two, four and more workers do the same work each, started and warm before the clock; the speed-up is work "
    "done by the clock, over one worker. Cores kept busy are the seconds in which workers had a core or were ready "
    "for one, by the kernel's schedstat: waiting for the GIL does not count, waiting for other programs does.",
    measure,
    judge,
    exhibits,
)
