"""Sitemaps as sites serve them, and as nobody should."""

import gzip
import tracemalloc
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.sitemaps import MAX_OCTETS, MAX_URLS, Sitemap, parse_sitemap
from crawler.urls import serialise

NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
URLSET = f"""<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="{NAMESPACE}" xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
  <url>
    <loc>http://example.com/a?x=1&amp;y=2</loc>
    <lastmod>2026-01-01</lastmod>
    <image:image><image:loc>http://example.com/a.png</image:loc></image:image>
  </url>
  <url><loc>
    http://EXAMPLE.com/b c
  </loc></url>
  <url><loc><![CDATA[http://example.com/é]]></loc></url>
  <url><loc>http://example.com/a?x=1&#38;y=2</loc></url>
  <url><loc>/relative</loc></url>
  <url><loc>mailto:a@example.com</loc></url>
  <url><loc></loc></url>
</urlset>"""
URLS = ("http://example.com/a?x=1&y=2", "http://example.com/b%20c", "http://example.com/%C3%A9")
INDEX = f"""<sitemapindex xmlns="{NAMESPACE}">
<sitemap><loc>http://example.com/1.xml</loc><lastmod>2026-01-01</lastmod></sitemap>
<sitemap><loc>http://example.com/2.xml.gz</loc></sitemap>
</sitemapindex>"""


def entry(url: str) -> str:
    return f"<url><loc>{url}</loc></url>"


def numbered(count: int) -> str:
    return "".join(entry(f"http://example.com/{n}") for n in range(count))


def test_pages_come_in_order_and_once() -> None:
    assert parse_sitemap(URLSET.encode()) == Sitemap(urls=URLS)


def test_an_index_names_further_sitemaps() -> None:
    assert parse_sitemap(INDEX.encode()) == Sitemap(
        children=("http://example.com/1.xml", "http://example.com/2.xml.gz")
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "windows-1252"])
def test_encodings_are_read(encoding: str) -> None:
    declared = encoding.removesuffix("-sig")
    text = f'<?xml version="1.0" encoding="{declared}"?><urlset>{entry("http://example.com/é")}</urlset>'
    assert parse_sitemap(text.encode(encoding)).urls == ("http://example.com/%C3%A9",)


@pytest.mark.parametrize(
    "document",
    [
        "<urlset>{}</urlset>",
        '<urlset xmlns="http://www.google.com/schemas/sitemap/0.84">{}</urlset>',
        "\n\n <?xml version='1.0'?><urlset>{}</urlset>",
        "<URLSET>{}</URLSET>",
        "<x><y>{}</y></x>",
    ],
)
def test_namespaces_and_roots_do_not_matter(document: str) -> None:
    assert parse_sitemap(document.format(entry("http://example.com/")).encode()).urls == ("http://example.com/",)


def test_case_does_not_matter() -> None:
    assert parse_sitemap(URLSET.encode().replace(b"loc>", b"LOC>").replace(b"url>", b"Url>")).urls == URLS


def test_prefixes_do_not_matter() -> None:
    text = f'<s:urlset xmlns:s="{NAMESPACE}"><s:url><s:loc>http://example.com/</s:loc></s:url></s:urlset>'
    assert parse_sitemap(text.encode()).urls == ("http://example.com/",)


def test_plain_text_has_an_address_a_line() -> None:
    text = "\ufeffhttp://example.com/a\r\nhttps://example.com/b c \n\nnonsense\n/relative\nhttp://example.com/a\n"
    assert parse_sitemap(text.encode()).urls == ("http://example.com/a", "https://example.com/b%20c")


@pytest.mark.parametrize("text", [URLSET, INDEX, "http://example.com/a\n"])
def test_gzip_changes_nothing(text: str) -> None:
    assert parse_sitemap(gzip.compress(text.encode())) == parse_sitemap(text.encode()) != Sitemap()


@pytest.mark.parametrize("end", ["<url><", "&undefined;", "</wrong>", "\x01", "]]>"])
def test_what_came_before_a_break_counts(end: str) -> None:
    start = f"<urlset>{entry('http://example.com/1')}{entry('http://example.com/2')}"
    urls = ("http://example.com/1", "http://example.com/2")
    assert parse_sitemap(f"{start}{end}{entry('http://example.com/3')}".encode()).urls == urls
    assert parse_sitemap(f"{start}<url><loc>http://example.com/cut".encode()).urls == urls


def test_what_came_before_a_break_of_the_compression_counts() -> None:
    noise = "".join(entry(f"http://example.com/{zlib.crc32(b'%d' % n)}") for n in range(20_000))
    whole = gzip.compress(f"<urlset>{noise}</urlset>".encode())
    urls = parse_sitemap(whole).urls
    cut = parse_sitemap(whole[: len(whole) // 2]).urls
    assert 5_000 < len(cut) < 15_000
    assert cut == urls[: len(cut)]
    damaged = parse_sitemap(whole[: len(whole) // 2] + b"\0" * 1000 + whole[len(whole) // 2 :]).urls
    assert damaged[:5_000] == urls[:5_000]
    assert len(damaged) < 15_000


def test_a_document_type_ends_the_reading() -> None:
    bomb = '<!DOCTYPE urlset [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    outside = '<!DOCTYPE urlset [<!ENTITY b SYSTEM "file:///etc/passwd">]>'
    harmless = '<!DOCTYPE urlset SYSTEM "http://example.com/sitemap.dtd">'
    for doctype in (bomb, outside, harmless):
        body = f"<?xml version='1.0'?>{doctype}<urlset>{entry('http://example.com/&b;')}</urlset>"
        assert parse_sitemap(body.encode()) == Sitemap()


def test_the_number_of_addresses_is_bounded() -> None:
    assert len(parse_sitemap(f"<urlset>{numbered(MAX_URLS + 10)}</urlset>".encode()).urls) == MAX_URLS
    lines = "".join(f"http://example.com/{n}\n" for n in range(MAX_URLS + 10))
    assert len(parse_sitemap(lines.encode()).urls) == MAX_URLS


def test_long_addresses_are_passed_over() -> None:
    long = "http://example.com/" + "a" * 3000
    body = f"<urlset>{entry(long)}{entry('http://example.com/')}</urlset>"
    assert parse_sitemap(body.encode()).urls == ("http://example.com/",)
    assert parse_sitemap(f"{long}\nhttp://example.com/".encode()).urls == ("http://example.com/",)


def test_deep_nesting_ends_the_reading() -> None:
    body = f"<urlset>{entry('http://example.com/1')}{'<a>' * 100_000}{entry('http://example.com/2')}"
    assert parse_sitemap(body.encode()).urls == ("http://example.com/1",)


def packed(start: bytes, filling: bytes) -> bytes:
    """Compress 60 MB to less than one."""
    packer = zlib.compressobj(1, wbits=31)
    block = filling * (1_000_000 // len(filling))
    return packer.compress(start) + b"".join(packer.compress(block) for _ in range(60)) + packer.flush()


@pytest.mark.parametrize("filling", [b" ", b"<a/>", b"<loc>", b"<url>", b"&amp;", b"<!---->"])
def test_a_bomb_of_compression_is_read_to_its_bounds(filling: bytes) -> None:
    start = f"<urlset>{entry('http://example.com/')}".encode()
    assert parse_sitemap(packed(start, filling)).urls == ("http://example.com/",)


def test_a_list_of_one_address_again_and_again_is_read_to_its_bounds() -> None:
    assert parse_sitemap(packed(b"", b"http://example.com/\n")).urls == ("http://example.com/",)


def test_a_bomb_of_compression_does_not_fill_the_memory() -> None:
    bomb = packed(b"<urlset>", b" ")
    tracemalloc.start()
    try:
        assert parse_sitemap(bomb) == Sitemap()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * MAX_OCTETS


@settings(derandomize=True, deadline=None, max_examples=500)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.lists(
            st.sampled_from(
                [
                    *("<urlset>", "</urlset>", "<url>", "</url>", "<loc>", "</loc>", "<sitemap>", "</sitemap>", "<a/>"),
                    *(
                        "http://example.com/",
                        "a",
                        "&amp;",
                        "&x;",
                        "<![CDATA[",
                        "]]>",
                        "<!--",
                        "-->",
                        "<?xml?>",
                        "é",
                        "\0",
                    ),
                    *('<?xml version="1.0" encoding="x"?>', '<?xml version="1.0" encoding="utf-7"?>', "<!DOCTYPE a>"),
                    *('<?xml version="1.0" encoding="shift_jis"?>', "\n"),
                ]
            ),
            max_size=20,
        ).map(lambda parts: "".join(parts).encode()),
    ),
    st.booleans(),
)
def test_no_octets_raise(body: bytes, zipped: bool) -> None:
    sitemap = parse_sitemap(gzip.compress(body) if zipped else body)
    for url in (*sitemap.urls, *sitemap.children):
        assert serialise(url) == url
