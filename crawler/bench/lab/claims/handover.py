"""Claim 8: processes share nothing, so what they are given is serialised; and from where on that pays."""

from collections.abc import Mapping, Sequence
from typing import Any

from crawler.bench.lab.claim import (
    Claim,
    Exhibit,
    Figures,
    Part,
    Setting,
    Verdict,
    all_of,
    negated,
    sentence,
    weigh,
)
from crawler.bench.lab.experiments import burn, handover
from crawler.bench.lab.isolation import isolated
from crawler.bench.lab.machine import cores
from crawler.bench.lab.spread import Spread, by_key, crossing, exceeds, ratio, spread
from crawler.display import number
from crawler.report.charts import Line, LineChart, Measured

_FULL, _SMALL = (1, 16, 128, 1024), (4, 256)
_CHECKED = "pickle"
_STEPS = (0.5, 1, 2, 4, 8)
_SAMPLE_S = 0.2


def measure(setting: Setting) -> Figures:
    """Hand over pages of each size by each means; then check one break-even by real work."""
    sizes = _SMALL if setting.small else _FULL
    cells = [(codec, kib) for codec in handover.CODECS for kib in sizes]
    runs = setting.interleaved(
        cells, lambda cell: isolated(handover.hand_over, codec=cell[0], kib=cell[1], pages=_pages(setting, cell[1]))
    )
    costs = {codec: {str(kib): by_key(runs[codec, kib]) for kib in sizes} for codec in handover.CODECS}
    break_even = {
        codec: {kib: break_even_ms(found, cores()) for kib, found in by_size.items()}
        for codec, by_size in costs.items()
    }
    checked = ("256",) if setting.small else ("16", "128")
    return {
        "cores": cores(),
        "hand_over": costs,
        "fit": {codec: fit(by_size) for codec, by_size in costs.items()},
        "break_even_ms": break_even,
        "checked": {kib: _check(setting, int(kib), break_even[_CHECKED][kib]) for kib in checked},
    }


def _pages(setting: Setting, kib: int) -> int:
    return max(20, min(500, 10_000 // kib)) // (2 if setting.small else 1)


def break_even_ms(found: Mapping[str, Any], on: int) -> float | None:
    """Return the CPU milliseconds of a page above which workers on so many cores do more pages than the parent alone.

    With n cores and n workers, a page of cost c takes c + parent + worker of them together, and the parent's part is
    not shared out: pages/s = min(1/parent, n / (c + parent + worker)), against 1/c. None: never, as on one core.
    """
    parent, worker = (found[key]["median"] / 1e3 for key in ("parent_us", "worker_us"))
    return float(f"{max(parent, (parent + worker) / (on - 1)):.4g}") if on > 1 else None


def fit(by_size: Mapping[str, Any]) -> dict[str, float]:
    """Fit a fixed cost and a cost for each KiB to both sides' CPU time, by least squares of the relative errors."""
    points = [(float(kib), _both(found)) for kib, found in by_size.items()]
    w, wx, wy, wxx, wxy = (
        sum(terms) for terms in zip(*((1 / y**2, x / y**2, 1 / y, x * x / y**2, x / y) for x, y in points), strict=True)
    )
    slope = (w * wxy - wx * wy) / (w * wxx - wx * wx)
    return {"fixed_us": round((wy - slope * wx) / w, 3), "us_per_kib": round(slope, 4)}


def _both(found: Mapping[str, Any]) -> float:
    return float(found["parent_us"]["median"] + found["worker_us"]["median"])


def _check(setting: Setting, kib: int, predicted: float | None) -> dict[str, Any]:
    """Measure the gain of workers at several costs around the prediction, and where it crosses 1."""
    speed, middle = isolated(burn.units_per_second), predicted or 0.2
    steps = _STEPS[::4] if setting.small else _STEPS
    costs = {f"{middle * step:.3g}": middle * step for step in steps}
    cells = [(name, workers) for name in costs for workers in (0, max(2, cores()))]
    runs = setting.interleaved(
        cells,
        lambda cell: isolated(
            handover.throughput,
            codec=_CHECKED,
            kib=kib,
            units=max(1, round(speed * costs[cell[0]] / 1e3)),
            pages=min(2_000, round(_SAMPLE_S * 1e3 / (costs[cell[0]] + 0.05))),
            workers=cell[1],
        ),
    )
    found = {name: _gain(by_key(runs[name, 0]), by_key(runs[name, max(2, cores())])) for name in costs}
    return {"gain": found, "crossing_ms": crossing(list(costs.values()), [gain["median"] for gain in found.values()])}


def _gain(inline: Mapping[str, Spread], workers: Mapping[str, Spread]) -> Spread:
    return ratio(workers["pages_per_second"], inline["pages_per_second"])


def judge(figures: Figures) -> Verdict:
    """Weigh that size costs, that shared memory does not abolish it, and that there is a break-even."""
    parts = [_size(figures), _shared(figures), *(_pays(kib, found) for kib, found in figures["checked"].items())]
    return weigh(parts, "the page's size and its CPU cost")


def _size(figures: Figures) -> Part:
    by_size = figures["hand_over"]["pickle"]
    (small, least), (large, most) = next(iter(by_size.items())), list(by_size.items())[-1]
    grows = exceeds(ratio(_total(most), _total(least)), 1)
    return Part(
        grows,
        f"by pickle a page of {small} KiB costs {number(_both(least))} µs of CPU on both sides, one of {large} KiB "
        f"{number(_both(most))} µs ({number(figures['fit']['pickle']['us_per_kib'])} µs a KiB)",
    )


def _total(found: Mapping[str, Any]) -> Spread:
    return spread([a + b for a, b in zip(found["parent_us"]["runs"], found["worker_us"]["runs"], strict=True)])


def _shared(figures: Figures) -> Part:
    """Shared memory makes serialising unnecessary, so the claim would be wrong if it cost next to nothing."""
    large = list(figures["hand_over"]["pickle"])[-1]
    share = ratio(_total(figures["hand_over"]["shared memory"][large]), _total(figures["hand_over"]["pickle"][large]))
    return Part(
        exceeds(share, 0.1),
        f"through shared memory the {large} KiB cost {share['median']:.0%} of that: text must still be encoded, "
        "copied and decoded",
    )


def _pays(kib: str, found: Mapping[str, Any]) -> Part:
    gains = list(found["gain"].items())
    (cheap, low), (dear, high) = gains[0], gains[-1]
    text = (
        f"{kib} KiB pages that cost {cheap} ms are done {number(low['median'])} times as fast by processes, those "
        f"that cost {dear} ms {number(high['median'])} times"
    )
    return Part(all_of(negated(exceeds(low, 1)), exceeds(high, 1)), text)


def exhibits(figures: Figures) -> Sequence[Exhibit]:
    """Draw the cost over the size, the break-even, and the check by real work."""
    costs = [
        Line(codec, [(float(kib), Measured.of(_total(found))) for kib, found in by_size.items()])
        for codec, by_size in figures["hand_over"].items()
    ]
    return [
        Exhibit(
            LineChart("Handing one page over", "KiB of html", "µs of CPU, both sides", costs, log_x=True, log_y=True),
            _cost_caption(figures),
        ),
        Exhibit(_break_even(figures), _break_even_caption(figures)),
        Exhibit(_gains(figures), _gains_caption(figures)),
    ]


def _cost_caption(figures: Figures) -> str:
    texts = (
        f"{codec} {number(found['fixed_us'])} µs and {number(found['us_per_kib'])} µs for each KiB"
        for codec, found in figures["fit"].items()
    )
    return (
        f"{sentence('; '.join(texts))} Pages that are sent in batches share the fixed part, the rest stays for each of "
        "them."
    )


def _break_even(figures: Figures) -> LineChart:
    lines = [
        Line(codec, [(float(kib), Measured.exactly(ms)) for kib, ms in by_size.items() if ms is not None])
        for codec, by_size in figures["break_even_ms"].items()
    ]
    found = [
        (float(kib), Measured.exactly(check["crossing_ms"]))
        for kib, check in figures["checked"].items()
        if check["crossing_ms"] is not None
    ]
    measured = [Line("pickle, measured", found)] if found else []
    return LineChart(
        "Break-even: above a line processes pay",
        "KiB of html",
        "ms of CPU a page",
        lines + measured,
        log_x=True,
        log_y=True,
    )


def _break_even_caption(figures: Figures) -> str:
    if figures["cores"] < 2:
        return "With one core there is no break-even: a second process only adds to the work."
    texts = []
    for kib, check in figures["checked"].items():
        predicted, measured = figures["break_even_ms"][_CHECKED][kib], check["crossing_ms"]
        found = f"{number(measured)} ms" if measured is not None else "not reached"
        texts.append(f"{kib} KiB: predicted {number(predicted)} ms, measured {found}")
    return (
        "Predicted from the CPU time on both sides: the parent's part is never shared out, the sum is shared out among "
        f"{figures['cores']} cores. {'; '.join(texts)}."
    )


def _gains(figures: Figures) -> LineChart:
    lines = [
        Line(f"{kib} KiB", [(float(cost), Measured.of(gain)) for cost, gain in check["gain"].items()])
        for kib, check in figures["checked"].items()
    ]
    return LineChart(
        "Processes against doing it oneself",
        "ms of CPU a page",
        "times as fast",
        lines,
        log_x=True,
        reference=(1, "equal"),
    )


def _gains_caption(figures: Figures) -> str:
    best = max(gain["median"] for check in figures["checked"].values() for gain in check["gain"].values())
    return f"At best {number(best)} times as fast, with {max(2, figures['cores'])} workers on {figures['cores']} cores."


CLAIM = Claim(
    "serialisation",
    "What does it cost to hand a page to another process, and when does it pay?",
    "Processes share nothing, so data that goes between them is serialised; below some CPU cost for each page that "
    "costs more than it brings.",
    "Pages of several sizes go one by one to a worker by pickle, by orjson and through shared memory, and the CPU "
    "time of both sides is taken; either way the worker ends up with a str. The break-even that follows is checked "
    "by real throughput, with and without workers, at costs around it.",
    measure,
    judge,
    exhibits,
)
