"""What a plain YAML scalar means: the core schema of YAML 1.2 (section 10.3.2).

``no`` and ``on`` are words, ``1:30`` is text and ``010`` is ten, where YAML 1.1 would read false, 90 and 8.
"""

import re
from collections.abc import Callable
from typing import TypeAlias

Scalar: TypeAlias = bool | int | float | str | None

TAG = "tag:yaml.org,2002:"
"""What the names of YAML's own types begin with."""


_MAX_DIGITS = 100


def _integer(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise ValueError(f"expected a number of at most {_MAX_DIGITS} digits")
    base = {"0o": 8, "0x": 16}.get(text[:2], 10)
    return int(text, base)


def _float(text: str) -> float:
    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))


_CORE: dict[str, tuple[re.Pattern[str], Callable[[str], Scalar]]] = {
    "null": (re.compile(r"(?:~|null|Null|NULL)?"), lambda _: None),
    "bool": (re.compile(r"true|True|TRUE|false|False|FALSE"), lambda text: text.lower() == "true"),
    "int": (re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"), _integer),
    "float": (
        re.compile(
            r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
        ),
        _float,
    ),
    "str": (re.compile(r".*", re.DOTALL), str),
}


def kind(text: str) -> str:
    """Return the type of a plain scalar without a tag."""
    return next(name for name, (form, _) in _CORE.items() if form.fullmatch(text))


def value(text: str, tag: str) -> Scalar:
    """Return the value of a scalar of a core type; ValueError where the tag or the text is not one's."""
    if tag not in _CORE:
        raise ValueError(f"unknown type {tag!r}; accepted: {', '.join(_CORE)}")
    form, convert = _CORE[tag]
    if not form.fullmatch(text):
        raise ValueError(f"expected a value of type {tag}")
    return convert(text)
