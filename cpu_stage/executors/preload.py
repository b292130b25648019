"""The fork server imports this, and by it what its workers are to share: they start in milliseconds, and as one copy.

A library that cannot be imported here must not end the server: each worker will try it again, and say what is wrong.
"""

import contextlib
import gc
import importlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from cpu_stage.analyzers import BUILT_IN
from cpu_stage.executors.rehearsal import rehearse
from cpu_stage.loading import AnalyzerSpec
from cpu_stage.worker import Plan

_VARIABLE = "CPU_STAGE_PRELOAD"


def environment(modules: Sequence[str], plan: Plan, others: Mapping[str, str]) -> dict[str, str]:
    """Return the variables with which a fork server has to start to get ready for a plan; it will keep ``others``.

    Its modules must be the crawler's: left alone, it would look for them in the current directory first.
    """
    path = os.pathsep.join(str(entry) or os.getcwd() for entry in sys.path)  # noqa: PTH109 - text, as in sys.path
    found = {"PYTHONPATH": path, "PYTHONSAFEPATH": "1"}
    before = {name: os.environ.get(name) for name in found}
    ready = {
        "modules": [*modules, *plan.modules()],
        "rehearsed": [asdict(spec) for spec in plan.analyzers if spec.target in BUILT_IN.values()],
        "parser": plan.parse.parser,
        "environment": before,
    }
    return {**others, **found, _VARIABLE: json.dumps(ready)}


def _load(
    modules: Sequence[str],
    rehearsed: Sequence[Mapping[str, Any]],
    parser: str,
    environment: Mapping[str, str | None],
) -> None:
    for name in modules:
        with contextlib.suppress(Exception, SystemExit):
            importlib.import_module(name)
    rehearse([AnalyzerSpec(**spec) for spec in rehearsed], parser)
    for name, value in environment.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    gc.collect()
    gc.freeze()  # a worker's collections leave these objects alone, and so the memory that they lie in is not copied


if _VARIABLE in os.environ:
    _load(**json.loads(os.environ.pop(_VARIABLE)))
