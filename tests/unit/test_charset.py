"""The encoding of a page: the order of evidence, the labels of the WHATWG standard, and damage."""

import codecs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpu_stage.parse import ParseOptions, parse
from cpu_stage.types import Page

RUSSIAN = "Съешь же ещё этих мягких французских булок, да выпей чаю. Широкая электрификация южных губерний."
JAPANESE = (
    "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。ニャーニャー泣いていた事だけは記憶している。"
)
CHINESE = "学而时习之。不亦说乎。有朋自远方来。不亦乐乎。人不知而不愠。不亦君子乎。有子曰。其为人也孝弟。"
FRENCH = "Voilà un été où l'on a déjà goûté à la crème brûlée, près du château, là où le cœur s'arrête ; ça « va »."


def page(body: bytes, content_type: str = "text/html") -> Page:
    return parse("http://e.test/", content_type, body, ParseOptions())


def read(body: bytes, content_type: str = "text/html") -> tuple[str, str]:
    found = page(body, content_type)
    return found.charset, found.text


# The order: byte order mark, header, the page's own word, valid UTF-8, a guess


@pytest.mark.parametrize(
    ("mark", "codec", "charset"),
    [
        (codecs.BOM_UTF8, "utf-8", "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le", "utf-16le"),
        (codecs.BOM_UTF16_BE, "utf-16-be", "utf-16be"),
    ],
)
def test_a_byte_order_mark_is_above_all_and_no_part_of_the_text(mark: bytes, codec: str, charset: str) -> None:
    body = mark + "<meta charset=koi8-r><title>é漢\U0001f600</title>x".encode(codec)
    found = page(body, "text/html; charset=windows-1251")
    assert (found.charset, found.title, found.text) == (charset, "é漢\U0001f600", "x")
    assert found.html.startswith("<meta")


def test_the_header_is_above_the_page() -> None:
    assert read(b"<meta charset=koi8-r>\xc1", "text/html; charset=iso-8859-5") == ("iso-8859-5", "\u0421")


def test_the_page_is_above_its_bytes() -> None:
    assert read("<meta charset=windows-1252>é".encode()) == ("windows-1252", "Ã©")


def test_bytes_that_are_valid_utf8_are_utf8() -> None:
    assert read("é漢\U0001f600".encode()) == ("utf-8", "é漢\U0001f600")
    assert read(b"ascii alone") == ("utf-8", "ascii alone")
    assert read(b"") == ("utf-8", "")


@pytest.mark.parametrize(
    ("text", "codec", "charset"),
    [
        (RUSSIAN, "cp1251", "windows-1251"),
        (RUSSIAN, "koi8-r", "koi8-u"),  # for Russian text the two are the same
        (JAPANESE, "shift_jis", "shift_jis"),
        (JAPANESE, "euc-jp", "euc-jp"),
        (CHINESE, "gb18030", "gbk"),  # one decoder for both
        (CHINESE.translate({ord(c): None for c in "学时习说乐亦愠为"}), "gbk", "gbk"),
        (FRENCH, "cp1252", "windows-1252"),
    ],
)
def test_what_is_neither_declared_nor_utf8_is_detected(text: str, codec: str, charset: str) -> None:
    assert read(f"<p>{text}".encode(codec)) == (charset, text)


def test_the_evidence_may_come_late_in_an_ascii_page() -> None:
    body = b"<p>" + b"plain words " * 10_000 + RUSSIAN.encode("koi8-r")
    charset, text = read(body)
    assert charset.startswith("koi8")
    assert text.endswith(RUSSIAN)


# Labels


@pytest.mark.parametrize(
    ("label", "charset"),
    [
        ("UTF-8", "utf-8"),
        ("utf8", "utf-8"),
        (" \tUtf-8\n", "utf-8"),
        ("iso-8859-1", "windows-1252"),
        ("latin1", "windows-1252"),
        ("us-ascii", "windows-1252"),
        ("ISO-8859-9", "windows-1254"),
        ("gb2312", "gbk"),
        ("ks_c_5601-1987", "euc-kr"),
        ("x-sjis", "shift_jis"),
        ("windows-31j", "shift_jis"),
        ("unicode", "utf-16le"),
        ("cp866", "ibm866"),
        ("tis-620", "windows-874"),
        ("logical", "iso-8859-8-i"),
        ("x-user-defined", "x-user-defined"),
    ],
)
def test_a_label_of_the_header_stands_for_an_encoding_of_the_standard(label: str, charset: str) -> None:
    assert page(b"a\0b\0", f'text/html; charset="{label}"').charset == charset
    assert page(b"a\0b\0", f"text/plain;charset={label.strip()}").charset == charset


@pytest.mark.parametrize(
    "label",
    [
        "",
        "bogus",
        "utf-7",
        "utf-32",
        "utf_8_sig",
        "zip",
        "idna",
        "punycode",
        "rot13",
        "koi8\u2010r",
        "\u212aoi8-r",
        "é",
    ],
)
def test_what_is_no_label_of_the_standard_says_nothing(label: str) -> None:
    assert read("é".encode(), f"text/html; charset={label}") == ("utf-8", "é")
    assert read(f"<meta charset='{label}'>é".encode()) == ("utf-8", "é")


@pytest.mark.parametrize(
    ("charset", "body", "text"),
    [
        ("windows-1252", b"\x80 \x93x\x94 \x81", "€ “x” \x81"),
        ("iso-8859-1", b"\x80", "€"),
        ("shift_jis", b"\x82\xa0\\~\xb1\x87\x40", "あ\\~ｱ①"),
        ("gb2312", b"\xc4\xe3\x80\x81\x30\x81\x30", "你€\x80"),
        ("gb18030", b"\x90\x30\x81\x30", "\U00010000"),
        ("koi8-r", b"\xf0\xd2\xc9\xd7\xc5\xd4", "Привет"),
        ("big5", b"\xa4\xa4\x88\x62", "中Ê̄"),
        ("euc-kr", b"\xb0\xa1\x81\x41", "가갂"),
        ("euc-jp", b"\xa4\xa2\x8e\xb1\x8f\xb0\xa1", "あｱ丂"),
        ("iso-2022-jp", b'\x1b$B$"\x1b(Ba', "あa"),
        ("macintosh", b"\x8e\xdb", "é€"),
        ("x-user-defined", b"a\x80\xff", "a\uf780\uf7ff"),
        ("utf-16", b"a\0\xe9\0", "aé"),
        ("utf-16be", b"\0a\0\xe9", "aé"),
        ("iso-2022-kr", b"a page in an encoding that is refused", "\ufffd"),
    ],
)
def test_the_decoders_are_those_of_the_standard(charset: str, body: bytes, text: str) -> None:
    assert page(body, f"text/plain; charset={charset}").text == text


# The page's own declaration


def declared(head: bytes) -> str:
    """Return the encoding of a page whose bytes fit every encoding that the tests declare, and UTF-8."""
    return page(head + "é".encode()).charset


@pytest.mark.parametrize(
    ("head", "charset"),
    [
        (b"<meta charset=koi8-r>", "koi8-r"),
        (b"<META CHARSET='KOI8-R'>", "koi8-r"),
        (b'<meta charset=" koi8-r ">', "koi8-r"),
        (b"<meta\n charset\t=\r\n koi8-r >", "koi8-r"),
        (b"<meta/charset=koi8-r >", "koi8-r"),
        (b"<meta name=x charset=koi8-r charset=utf-8>", "koi8-r"),
        (b"<meta http-equiv=Content-Type content='text/html; charset=koi8-r'>", "koi8-r"),
        (b'<meta content="text/html;charset=koi8-r;x" http-equiv="content-type">', "koi8-r"),
        (b"<meta http-equiv=content-type content='charset = \"koi8-r\"'>", "koi8-r"),
        (b"<meta http-equiv=content-type content=\"charset='koi8-r'\">", "koi8-r"),
        (b"<meta http-equiv=content-type content='charset is charset=koi8-r'>", "koi8-r"),
        (b"<meta http-equiv=content-type content='charset=bogus' charset=koi8-r>", "koi8-r"),
        (b"<?xml version='1.0' encoding='koi8-r'?>", "koi8-r"),
        (b'<?xml version="1.0" encoding = "koi8-r"?>', "koi8-r"),
        (b"<?xml version='1.0' encoding='koi8-r'?><meta charset=iso-8859-5>", "iso-8859-5"),
        (b"<meta charset=bogus><meta charset=koi8-r>", "koi8-r"),
        (b"<!-- <meta charset=iso-8859-5> --><meta charset=koi8-r>", "koi8-r"),
        (b"<!--><meta charset=koi8-r>", "koi8-r"),
        (b"<a title='<meta charset=iso-8859-5>'><meta charset=koi8-r>", "koi8-r"),
        (b"<!doctype html><? php ?></ x><meta charset=koi8-r>", "koi8-r"),
        (b"<1><<meta charset=koi8-r>", "koi8-r"),
        (b"<meta charset=utf-16>", "utf-8"),
        (b"<meta charset=utf-16be>", "utf-8"),
        (b"<?xml version='1.0' encoding='utf-16'?>", "utf-8"),
        (b"<meta charset=x-user-defined>", "windows-1252"),
    ],
)
def test_a_page_declares_its_encoding_in_a_meta_element(head: bytes, charset: str) -> None:
    assert declared(head) == charset


@pytest.mark.parametrize(
    "head",
    [
        b"<meta charset=>",
        b"<meta name=charset content=koi8-r>",
        b"<meta content='text/html; charset=koi8-r'>",
        b"<meta http-equiv=refresh content='charset=koi8-r'>",
        b"<meta http-equiv=content-type content='charset=\"koi8-r'>",
        b"<meta http-equiv=content-type content='charset koi8-r'>",
        b"<meta http-equiv=content-type content='charset=bogus'>",
        b"<metal charset=koi8-r>",
        b"</meta charset=koi8-r>",
        b"<!meta charset=koi8-r>",
        b"<!x <meta charset=koi8-r>",
        b"<?x <meta charset=koi8-r>",
        b"</ <meta charset=koi8-r>",
        b"<!-- <meta charset=koi8-r> -->",
        b"<!-- never closed <meta charset=koi8-r>",
        b"<p title='<meta charset=koi8-r>'>",
        b"<p <meta charset=koi8-r>",
        b" <?xml version='1.0' encoding='koi8-r'?>",
        b"<?xml version='1.0'?> encoding='koi8-r'?>",
        b"charset=koi8-r",
    ],
)
def test_what_only_looks_like_a_declaration_is_none(head: bytes) -> None:
    assert declared(head) == "utf-8"


def test_a_declaration_counts_when_it_ends_within_the_first_1024_bytes() -> None:
    meta = b"<meta charset=koi8-r>"
    assert declared(b" " * (1024 - len(meta)) + meta) == "koi8-r"
    assert declared(b" " * (1025 - len(meta)) + meta) == "utf-8"


def test_a_declaration_that_is_cut_is_none() -> None:
    """Cut after ``iso-8859-1``, ``iso-8859-15`` would be another encoding."""
    assert declared(b" " * 1000 + b"<meta charset=iso-8859-15>") == "utf-8"
    assert page(b"<meta charset=iso-8859-1").charset == "utf-8"
    assert page(b"<meta charset='koi8-r' x='").charset == "utf-8"


def test_a_later_declaration_counts_where_the_bytes_are_not_utf8() -> None:
    """As in a browser, which begins again when it meets one (HTML, 13.2.3.5)."""
    head = b"<script>" + b"// a long one\n" * 400 + b"</script><meta charset=macintosh>"
    assert read(head + b"<p>\x8e") == ("macintosh", "é")
    assert read(head + "<p>é".encode()) == ("utf-8", "é")
    assert page(head + b"<p>\x8e", "text/plain").charset != "macintosh"
    assert page(head * 20 + b"<p>\x8e").charset == "macintosh"
    assert page(b" " * 65_536 + head + b"<p>\x8e").charset != "macintosh"


def test_plain_text_declares_nothing() -> None:
    assert read("<meta charset=koi8-r>é".encode(), "text/plain")[0] == "utf-8"
    assert read(b"<meta charset=macintosh> caf\xe9", "text/plain")[0] == "windows-1252"


# Damage


@pytest.mark.parametrize("charset", ["utf-8", "utf-16le", "shift_jis", "gb18030", "big5", "euc-kr", "iso-2022-jp"])
def test_bytes_that_do_not_fit_become_replacement_characters(charset: str) -> None:
    found = page(
        b"<title>a\xff\xff\xff\xffb</title>" if charset != "utf-16le" else b"\0\xd8a\0", f"text/html;charset={charset}"
    )
    assert found.charset == charset
    assert "\ufffd" in found.html


def test_utf8_with_little_damage_is_utf8_still() -> None:
    body = (RUSSIAN * 3).encode()
    assert read(body[:100] + b"\xff" + body[100:])[0] == "utf-8"
    assert read(body[:-1])[0] == "utf-8"


def test_one_odd_byte_in_ascii_is_no_damaged_utf8() -> None:
    assert read(b"caf\xe9") == ("windows-1252", "café")


@settings(derandomize=True, deadline=None, max_examples=200)
@given(
    st.binary(max_size=200),
    st.sampled_from(
        ["", "utf-8", "latin1", "utf-16", "utf-16be", "gb18030", "big5", "euc-jp", "iso-2022-jp", "hz-gb-2312"]
    ),
)
def test_any_bytes_are_a_text_that_is_no_longer_and_can_be_written(body: bytes, label: str) -> None:
    found = page(body, f"text/plain; charset={label}")
    assert len(found.text) <= len(body)
    assert found.text.encode().decode() == found.text
    assert found.charset
