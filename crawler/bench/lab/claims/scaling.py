"""Claim 4: threads do not run bytecode in parallel under the GIL; code that lets it go does."""

from collections.abc import Mapping, Sequence
from typing import Any

from crawler.bench.lab.claim import PALETTE, Claim, Exhibit, Figures, Part, Setting, Verdict, negated, sentence, weigh
from crawler.bench.lab.experiments import scaling
from crawler.bench.lab.isolation import isolated
from crawler.bench.lab.machine import cores
from crawler.bench.lab.peers import Peer, here, peers
from crawler.bench.lab.spread import by_key, lies_above, ratio, spread
from crawler.display import number
from crawler.report.charts import Bar, BarChart, Line, LineChart, Measured

_PAIR = 2
_HALF_WAY = 1.5
_REFERENCE = (_HALF_WAY, "half-way to two")
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
    """Weigh the cores that two workers used at once."""
    variants, gil = figures["variants"], "enabled" if figures["gil"] else "disabled"
    threads, processes = variants["threads"]["python"], variants["processes"]["python"]
    parts = [
        Part(negated(_parallel(threads)), f"with the GIL {gil}, two threads used {_used(threads)} for bytecode"),
        Part(_parallel(processes), f"two processes used {_used(processes)}"),
    ]
    for work in _LETS_GO:
        found = variants["threads"][work]
        parts.append(Part(_parallel(found), f"{work} in two threads used {_used(found)}"))
    return weigh(parts, "what the threads do")


def _parallel(by_workers: Any) -> bool | None:
    """Whether two workers ran in parallel: at the least what they used, at the most what they were ready for."""
    found = by_workers[str(_PAIR)]
    return lies_above(found["used"], found["wanted"], _HALF_WAY)


def _used(by_workers: Any) -> str:
    found = by_workers[str(_PAIR)]
    return f"{number(found['used']['median'])} cores at once (speed-up {number(found['speedup']['median'])} times)"


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


def _range(by_workers: Any) -> Measured:
    """Return the cores used, with all that may be true around them: from the least used to the most ready for."""
    found = by_workers[str(_PAIR)]
    return Measured(found["used"]["median"], found["used"]["low"], found["wanted"]["high"])


def _cores_of_work(figures: Figures) -> BarChart:
    bars = [Bar(work, _range(found), "threads") for work, found in figures["variants"]["threads"].items()]
    return BarChart("Cores that two threads use at once", "cores", bars, reference=_REFERENCE, palette=PALETTE)


def _cores_caption(figures: Figures) -> str:
    found = figures["variants"]["threads"]
    groups = {True: "in parallel", False: "one at a time", None: "not decided"}
    texts = []
    for answer, words in groups.items():
        works = [work for work in found if _parallel(found[work]) is answer]
        if works:
            texts.append(f"{words}: {', '.join(works)}")
    return f"A thin line ends at the cores that they used or were ready for. {sentence('; '.join(texts))}"


def _cores_of_kinds(figures: Figures) -> BarChart:
    bars = [Bar(name, _range(works["python"]), name.partition(",")[0]) for name, works in figures["variants"].items()]
    title = "Cores that two workers use at once for bytecode"
    return BarChart(title, "cores", bars, reference=_REFERENCE, palette=PALETTE)


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
    "done by the clock, over one worker. Cores used at once are the CPU time of all workers by the clock, and by the "
    "kernel's schedstat it is known for how many more they were ready while other programs had them.",
    measure,
    judge,
    exhibits,
)
