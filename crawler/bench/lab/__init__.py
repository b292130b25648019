"""The textbook claims about concurrency, measured: one experiment each, with a verdict for this machine and Python.

::

    claims/NAME      question, method ── measure(setting) ──► figures ── judge(figures) ──► verdict
                                             │                   └───── exhibits(figures) ──► charts with captions
    experiments/NAME what is measured  ◄── isolated(function, ...): a fresh interpreter for every measurement

Figures are plain JSON; verdicts and charts are computed from them alone, so what ``results.json`` holds is all there
is to believe. Experiments import the standard library and what they measure, nothing else: a child that loads a
report's libraries would measure their memory.
"""
