"""How values look to a person, and that they do nothing to a terminal."""

import re

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_RAW_IN_JSON = re.compile(rb"\x7f|\xc2[\x80-\x9f]")  # orjson escapes C0 alone; U+009B begins a sequence of its own


def size(count: float) -> str:
    """Return a number of bytes with a binary unit."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:,.0f} B" if unit == "B" else f"{count:,.1f} {unit}"
        count /= 1024
    return f"{count:,.1f} GiB"


def number(value: float) -> str:
    """Return a number as a person reads it: three digits that count, thousands apart."""
    size = abs(value)
    if size >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


def harmless(text: str) -> str:
    """Return text without control characters but tab and newline: a terminal would obey them (ECMA-48)."""
    return _CONTROLS.sub("\ufffd", text)


def harmless_json(data: bytes) -> bytes:
    """Return the same JSON in UTF-8 with every control character escaped, also DEL and those of C1."""
    if b"\xc2" not in data and b"\x7f" not in data:
        return data
    return _RAW_IN_JSON.sub(lambda found: b"\\u00%02x" % found[0][-1], data)
