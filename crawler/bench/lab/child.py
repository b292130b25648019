"""A fresh interpreter for one measurement: ``python -m crawler.bench.lab.child MODULE:FUNCTION ARGUMENTS``.

The last line of its output is the result as JSON.
"""

import importlib
import json
import sys


def main(target: str, arguments: str) -> None:
    """Call the function with the arguments (a JSON object) and print what it returns."""
    module, _, name = target.partition(":")
    function = getattr(importlib.import_module(module), name)
    print(json.dumps(function(**json.loads(arguments))), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
