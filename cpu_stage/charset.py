"""From the bytes of a page to its text: which encoding, by which evidence, and the decoding itself.

Evidence in order: a byte order mark, the charset of the HTTP header, the page's own declaration in its first 1024
bytes (:mod:`cpu_stage.prescan`), bytes that are valid UTF-8, a declaration that comes later (a browser, too, begins
again when it meets one: HTML, 13.2.3.5), and at last a guess by turbohtml's detector (a port of Firefox's). A label
is only ever looked up in the table of the WHATWG Encoding standard, never in Python's codec registry: that one also
knows ``zip``, ``idna`` and whatever else an attacker might name. Decoding never fails; what cannot be decoded becomes
U+FFFD.

Names and labels: https://encoding.spec.whatwg.org/#names-and-labels. Decoders: Python's for UTF-8 and UTF-16,
turbohtml's for the legacy encodings, because Python's differ from the standard (``cp1252`` has holes, ``big5`` is
a subset).
"""

from typing import NamedTuple

from cpu_stage.prescan import declared_labels

_TABLE = {
    "utf-8": "unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 x-unicode20utf8",
    "ibm866": "866 cp866 csibm866 ibm866",
    "iso-8859-2": "csisolatin2 iso-8859-2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 l2 latin2",
    "iso-8859-3": "csisolatin3 iso-8859-3 iso-ir-109 iso8859-3 iso88593 iso_8859-3 iso_8859-3:1988 l3 latin3",
    "iso-8859-4": "csisolatin4 iso-8859-4 iso-ir-110 iso8859-4 iso88594 iso_8859-4 iso_8859-4:1988 l4 latin4",
    "iso-8859-5": "csisolatincyrillic cyrillic iso-8859-5 iso-ir-144 iso8859-5 iso88595 iso_8859-5 iso_8859-5:1988",
    "iso-8859-6": "arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 iso-8859-6 iso-8859-6-e "
    "iso-8859-6-i iso-ir-127 iso8859-6 iso88596 iso_8859-6 iso_8859-6:1987",
    "iso-8859-7": "csisolatingreek ecma-118 elot_928 greek greek8 iso-8859-7 iso-ir-126 iso8859-7 iso88597 "
    "iso_8859-7 iso_8859-7:1987 sun_eu_greek",
    "iso-8859-8": "csiso88598e csisolatinhebrew hebrew iso-8859-8 iso-8859-8-e iso-ir-138 iso8859-8 iso88598 "
    "iso_8859-8 iso_8859-8:1988 visual",
    "iso-8859-8-i": "csiso88598i iso-8859-8-i logical",
    "iso-8859-10": "csisolatin6 iso-8859-10 iso-ir-157 iso8859-10 iso885910 l6 latin6",
    "iso-8859-13": "iso-8859-13 iso8859-13 iso885913",
    "iso-8859-14": "iso-8859-14 iso8859-14 iso885914",
    "iso-8859-15": "csisolatin9 iso-8859-15 iso8859-15 iso885915 iso_8859-15 l9",
    "iso-8859-16": "iso-8859-16",
    "koi8-r": "cskoi8r koi koi8 koi8-r koi8_r",
    "koi8-u": "koi8-ru koi8-u",
    "macintosh": "csmacintosh mac macintosh x-mac-roman",
    "windows-874": "dos-874 iso-8859-11 iso8859-11 iso885911 tis-620 windows-874",
    "windows-1250": "cp1250 windows-1250 x-cp1250",
    "windows-1251": "cp1251 windows-1251 x-cp1251",
    "windows-1252": "ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591 "
    "iso_8859-1 iso_8859-1:1987 l1 latin1 us-ascii windows-1252 x-cp1252",
    "windows-1253": "cp1253 windows-1253 x-cp1253",
    "windows-1254": "cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989 l5 "
    "latin5 windows-1254 x-cp1254",
    "windows-1255": "cp1255 windows-1255 x-cp1255",
    "windows-1256": "cp1256 windows-1256 x-cp1256",
    "windows-1257": "cp1257 windows-1257 x-cp1257",
    "windows-1258": "cp1258 windows-1258 x-cp1258",
    "x-mac-cyrillic": "x-mac-cyrillic x-mac-ukrainian",
    "gbk": "chinese csgb2312 csiso58gb231280 gb2312 gb_2312 gb_2312-80 gbk iso-ir-58 x-gbk",
    "gb18030": "gb18030",
    "big5": "big5 big5-hkscs cn-big5 csbig5 x-x-big5",
    "euc-jp": "cseucpkdfmtjapanese euc-jp x-euc-jp",
    "iso-2022-jp": "csiso2022jp iso-2022-jp",
    "shift_jis": "csshiftjis ms932 ms_kanji shift-jis shift_jis sjis windows-31j x-sjis",
    "euc-kr": "cseuckr csksc56011987 euc-kr iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 "
    "windows-949",
    "replacement": "csiso2022kr hz-gb-2312 iso-2022-cn iso-2022-cn-ext iso-2022-kr replacement",
    "utf-16be": "unicodefffe utf-16be",
    "utf-16le": "csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16 utf-16le",
    "x-user-defined": "x-user-defined",
}
_NAMES = {label: name for name, labels in _TABLE.items() for label in labels.split()}

_ENCODERS = {
    "big5": "cp950",
    "euc-kr": "cp949",
    "iso-8859-8-i": "iso-8859-8",
    "shift_jis": "cp932",
    "windows-874": "cp874",
    "x-mac-cyrillic": "mac_cyrillic",
} | dict.fromkeys(("utf-8", "utf-16be", "utf-16le", "replacement", "x-user-defined"))
"""Where Python's codec has another name than the encoding, or the encoding writes UTF-8."""

_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xfe\xff", "utf-16be"), (b"\xff\xfe", "utf-16le"))
_META_NAMES = {"utf-16be": "utf-8", "utf-16le": "utf-8", "x-user-defined": "windows-1252"}
"""What a declaration inside the page cannot mean, since it was read as ASCII (HTML, 13.2.3.2)."""

_EARLY = 1024
_LATE = 64 * 1024
"""Bytes in which a declaration is looked for: before and after the bytes themselves were asked."""
_SAMPLE_BEFORE = 1024
_SAMPLE = 16 * 1024
"""Bytes that the detector looks at: it takes 0.25 µs for each."""
_MARGIN = b" " * 1024
"""Where the detector looks for a byte order mark and a declaration: in the midst of a body, there is none."""
_DAMAGE = 20
"""UTF-8 with one broken sequence in this many is damaged, not another encoding."""


class Decoded(NamedTuple):
    """A text, and the WHATWG name of the encoding that it was in, in lower case."""

    text: str
    charset: str


def name_of(label: str | None) -> str | None:
    """Return the WHATWG name, in lower case, that a label stands for; None for any other text."""
    if not label or not label.isascii():  # "K" (U+212A) would be lower-cased into a "k"
        return None
    return _NAMES.get(label.strip("\t\n\f\r ").lower())


def encoder_of(name: str) -> str | None:
    """Return Python's codec that writes the queries of a page in this encoding; None where they are in UTF-8.

    https://encoding.spec.whatwg.org/#get-an-output-encoding. The codecs differ from the standard in rare characters.
    """
    return _ENCODERS.get(name, name)


def decode(body: bytes, header: str | None = None, *, markup: bool = True) -> Decoded:
    """Decode a body.

    Args:
        body: the bytes, with or without a byte order mark.
        header: the charset of the Content-Type header, as it came.
        markup: whether the body may declare its encoding itself (HTML).
    """
    for mark, name in _MARKS:
        if body.startswith(mark):
            return Decoded(_decode(body[len(mark) :], name), name)
    declared = name_of(header) or (_declared_inside(body[:_EARLY]) if markup else None)
    return Decoded(_decode(body, declared), declared) if declared else _guess(body, markup=markup)


def _declared_inside(head: bytes) -> str | None:
    name = next(filter(None, map(name_of, declared_labels(head))), None)
    return _META_NAMES.get(name, name) if name else None


def _decode(body: bytes, name: str) -> str:
    match name:
        case "utf-8":
            return body.decode("utf-8", "replace")
        case "utf-16be" | "utf-16le":
            return body.decode(f"utf-16-{name[-2:]}", "replace")
    import turbohtml.detect  # noqa: F401, PLC0415  (registers the decoders; 3 ms, legacy pages only)

    return body.decode(f"whatwg-{name}")


def _guess(body: bytes, *, markup: bool) -> Decoded:
    try:
        return Decoded(body.decode(), "utf-8")
    except UnicodeDecodeError as error:
        first_bad = error.start
    text = body.decode("utf-8", "replace")
    if _is_damaged_utf8(text):
        return Decoded(text, "utf-8")
    late = _declared_inside(body[:_LATE]) if markup else None
    name = late or _detect(body[max(0, first_bad - _SAMPLE_BEFORE) : first_bad + _SAMPLE])
    return Decoded(_decode(body, name), name)


def _is_damaged_utf8(text: str) -> bool:
    """Whether nearly all that is not ASCII was good UTF-8, which never happens by chance."""
    beyond_ascii = len(text) - len(text.encode("ascii", "ignore"))
    return text.count("\ufffd") * _DAMAGE <= beyond_ascii


def _detect(sample: bytes) -> str:
    from turbohtml.detect import Detection, detect  # noqa: PLC0415  (3 ms, legacy pages only)

    found = detect(_MARGIN + sample, Detection(excluded=frozenset({"utf-8"}))).encoding
    return name_of(found) or "windows-1252"
