"""The fork server imports this, and by it what its workers are to share: they start in milliseconds, and as one copy.

A library that cannot be imported here must not end the server: each worker will try it again, and say what is wrong.
"""

import contextlib
import importlib
import os

VARIABLE = "CPU_STAGE_PRELOAD"
"""Names the modules, separated by spaces, in the environment of the fork server."""

for _name in os.environ.pop(VARIABLE, "").split():
    with contextlib.suppress(Exception, SystemExit):
        importlib.import_module(_name)
