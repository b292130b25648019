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

_VARIABLE = "CPU_STAGE_PRELOAD"


def environment(modules: Sequence[str], others: Mapping[str, str]) -> dict[str, str]:
    """Return the variables with which a fork server has to start to load ``modules``; it will keep ``others``.

    Its modules must be the crawler's: left alone, it would look for them in the current directory first.
    """
    path = os.pathsep.join(str(entry) or os.getcwd() for entry in sys.path)  # noqa: PTH109 - text, as in sys.path
    found = {"PYTHONPATH": path, "PYTHONSAFEPATH": "1"}
    before = {name: os.environ.get(name) for name in found}
    return {**others, **found, _VARIABLE: json.dumps({"modules": [*modules], "environment": before})}


def _load(modules: Sequence[str], environment: Mapping[str, str | None]) -> None:
    for name in modules:
        with contextlib.suppress(Exception, SystemExit):
            importlib.import_module(name)
    for name, value in environment.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    gc.collect()
    gc.freeze()  # a worker's collections leave these objects alone, and so the memory that they lie in is not copied


if _VARIABLE in os.environ:
    _load(**json.loads(os.environ.pop(_VARIABLE)))
