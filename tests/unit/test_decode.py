"""Bodies as they come off the wire: codings, damage, limits."""

import contextlib
import gzip
import sys
import zlib
from collections.abc import Callable, Iterator
from itertools import pairwise

import brotli
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.codings import DecodeError, Decoding
from crawler.content import Body, BodyTooLargeError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MIB = 1024 * 1024
TEXT = b"".join(b"<p>paragraph %d of a page</p>\n" % n for n in range(3000))


def raw_deflate(data: bytes) -> bytes:
    deflate = zlib.compressobj(wbits=-15)
    return deflate.compress(data) + deflate.flush()


def deflate(data: bytes) -> bytes:
    return zlib.compress(data)


def quick_brotli(data: bytes) -> bytes:
    return bytes(brotli.compress(data, quality=4))


ENCODERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "identity": ("identity", bytes),
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("x-gzip", gzip.compress),
    "zlib": ("deflate", deflate),
    "raw deflate": ("deflate", raw_deflate),
    "brotli": ("br", quick_brotli),
    "zstd": ("zstd", zstd.compress),
    "gzip of brotli": ("br, gzip", lambda data: gzip.compress(quick_brotli(data))),
    "zstd of raw deflate": ("deflate, zstd", lambda data: zstd.compress(raw_deflate(data))),
}
COMPRESSED = {name: both for name, both in ENCODERS.items() if name != "identity"}


def parts(data: bytes, cuts: list[int]) -> Iterator[bytes]:
    bounds = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return (data[start:end] for start, end in pairwise(bounds))


def decode(encoding: str, *wire: bytes, limit: int = MIB, truncate: bool = False) -> bytes:
    body = Body(encoding, max_wire=limit, max_bytes=limit, truncate=truncate)
    for data in wire:
        if not body.feed(data):
            break
    return body.finish()


@pytest.mark.parametrize(("encoding", "encode"), ENCODERS.values(), ids=ENCODERS)
@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    data=st.one_of(st.binary(max_size=400), st.integers(0, 3000).map(lambda n: TEXT[: 30 * n])),
    cuts=st.lists(st.integers(0, 10**6), max_size=6),
)
def test_decodes_however_the_wire_cuts_it(
    encoding: str, encode: Callable[[bytes], bytes], data: bytes, cuts: list[int]
) -> None:
    assert decode(encoding, *parts(encode(data), cuts)) == data


@pytest.mark.parametrize(("encoding", "encode"), ENCODERS.values(), ids=ENCODERS)
def test_decodes_byte_by_byte(encoding: str, encode: Callable[[bytes], bytes]) -> None:
    wire = encode(TEXT[:5000])
    assert decode(encoding, *(wire[n : n + 1] for n in range(len(wire)))) == TEXT[:5000]


@pytest.mark.parametrize(("encoding", "encode"), COMPRESSED.values(), ids=COMPRESSED)
def test_a_body_that_ends_early_is_an_error(encoding: str, encode: Callable[[bytes], bytes]) -> None:
    wire = encode(TEXT)
    for size in (1, 2, 5, 20, len(wire) // 2, len(wire) - 1):
        with pytest.raises(DecodeError):
            decode(encoding, wire[:size])


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "br, gzip"])
def test_plain_text_under_a_coding_is_an_error(encoding: str) -> None:
    with pytest.raises(DecodeError):
        decode(encoding, b"<!doctype html><title>not compressed at all</title>")


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "br, gzip"])
def test_an_empty_body_is_empty_under_any_coding(encoding: str) -> None:
    assert decode(encoding) == b""
    assert decode(encoding, b"") == b""


@pytest.mark.parametrize(("encoding", "encode"), COMPRESSED.values(), ids=COMPRESSED)
@settings(derandomize=True, deadline=None, max_examples=80)
@given(at=st.integers(0, 10**6), value=st.integers(1, 255))
def test_damage_raises_nothing_unexpected(encoding: str, encode: Callable[[bytes], bytes], at: int, value: int) -> None:
    wire = bytearray(encode(TEXT[:2000]))
    wire[at % len(wire)] ^= value
    with contextlib.suppress(DecodeError, BodyTooLargeError):
        decode(encoding, bytes(wire))


@settings(derandomize=True, deadline=None, max_examples=300)
@given(at=st.integers(0, 10**6), value=st.integers(1, 255))
def test_a_checksum_lets_no_damage_pass_for_text(at: int, value: int) -> None:
    wire = bytearray(gzip.compress(TEXT[:2000]))
    wire[at % len(wire)] ^= value
    try:
        text = decode("gzip", bytes(wire))
    except (DecodeError, BodyTooLargeError):
        return
    assert text == TEXT[:2000]  # the damage hit what does not matter, such as the time stamp


@pytest.mark.parametrize(("encoding", "encode"), [("gzip", gzip.compress), ("zstd", zstd.compress)])
def test_streams_in_a_row_are_one_body(encoding: str, encode: Callable[[bytes], bytes]) -> None:
    wire = encode(b"one ") + encode(b"") + encode(b"two ") + encode(TEXT)
    assert decode(encoding, wire) == b"one two " + TEXT
    assert decode(encoding, *(wire[n : n + 1] for n in range(len(wire)))) == b"one two " + TEXT
    with pytest.raises(DecodeError):
        decode(encoding, wire[:-1])


def test_skippable_zstd_frames_are_skipped() -> None:
    skippable = b"\x50\x2a\x4d\x18" + (3).to_bytes(4, "little") + b"abc"
    assert decode("zstd", zstd.compress(b"page") + skippable + zstd.compress(b"!")) == b"page!"


@pytest.mark.parametrize(
    ("encoding", "encode"), [("gzip", gzip.compress), ("zstd", zstd.compress), ("deflate", deflate)]
)
@pytest.mark.parametrize("junk", [b"\n", b"\0" * 1000, b"\x1fjunk", b"junk", TEXT])
def test_bytes_after_the_end_are_ignored(encoding: str, encode: Callable[[bytes], bytes], junk: bytes) -> None:
    wire = encode(b"page") + junk
    assert decode(encoding, wire) == b"page"
    assert decode(encoding, *(wire[n : n + 1] for n in range(len(wire)))) == b"page"


def test_brotli_calls_bytes_after_the_end_damage() -> None:
    with pytest.raises(DecodeError):
        decode("br", brotli.compress(b"page") + b"junk")
    with pytest.raises(DecodeError):
        decode("br", brotli.compress(b"page"), b"junk")


@pytest.mark.parametrize("encoding", ["compress", "utf-8", "gzip;q=1", "gzip, br, zstd", "br,br,br"])
def test_codings_that_are_not_undone(encoding: str) -> None:
    with pytest.raises(DecodeError, match="coding"):
        Decoding(encoding)


@pytest.mark.parametrize("encoding", ["", "identity", " Identity , ", ","])
def test_no_coding(encoding: str) -> None:
    assert decode(encoding, b"page") == b"page"


@pytest.mark.parametrize("encoding", ["GZip", " gzip ", "gzip, identity", "identity,gzip"])
def test_names_of_codings_are_read_leniently(encoding: str) -> None:
    assert decode(encoding, gzip.compress(b"page")) == b"page"


ZEROS = bytes(32 * MIB)
BOMBS = {
    "gzip": ("gzip", gzip.compress(ZEROS)),
    "deflate": ("deflate", zlib.compress(ZEROS)),
    "brotli": ("br", quick_brotli(ZEROS)),
    "zstd": ("zstd", zstd.compress(ZEROS)),
    "gzip of gzip": ("gzip, gzip", gzip.compress(gzip.compress(ZEROS))),
    "many gzip members": ("gzip", gzip.compress(bytes(MIB // 4)) * 128),
}


@pytest.mark.parametrize(("encoding", "bomb"), BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_too_large(encoding: str, bomb: bytes) -> None:
    with pytest.raises(BodyTooLargeError, match="1048576 bytes"):
        decode(encoding, bomb)


@pytest.mark.parametrize(("encoding", "bomb"), BOMBS.values(), ids=BOMBS)
def test_a_bomb_ends_by_its_ratio_long_before_the_limit(encoding: str, bomb: bytes) -> None:
    body = Body(encoding, max_wire=64 * MIB, max_bytes=64 * MIB, max_ratio=100)
    with pytest.raises(BodyTooLargeError, match="100 times those on the wire"):
        body.feed(bomb[:20_000])


def test_a_ratio_is_no_matter_below_a_mebibyte() -> None:
    body = Body("gzip", max_wire=64 * MIB, max_bytes=64 * MIB, max_ratio=2)
    body.feed(gzip.compress(bytes(MIB)))
    assert body.finish() == bytes(MIB)


def test_an_ordinary_ratio_may_be_of_any_size() -> None:
    text = b"".join(b"<li>%d</li>" % n for n in range(500_000))
    body = Body("gzip", max_wire=64 * MIB, max_bytes=64 * MIB, max_ratio=100)
    body.feed(gzip.compress(text))
    assert body.finish() == text


@pytest.mark.parametrize(("encoding", "bomb"), BOMBS.values(), ids=BOMBS)
def test_no_step_of_a_bomb_is_large(encoding: str, bomb: bytes) -> None:
    pieces = Decoding(encoding).feed(bomb)
    assert max(len(next(pieces)) for _ in range(100)) <= 256 * 1024


@pytest.mark.parametrize(("encoding", "bomb"), BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_cut_where_that_is_wanted(encoding: str, bomb: bytes) -> None:
    assert decode(encoding, bomb, truncate=True) == bytes(MIB)


@pytest.mark.parametrize(("encoding", "encode"), ENCODERS.values(), ids=ENCODERS)
def test_limits_are_exact(encoding: str, encode: Callable[[bytes], bytes]) -> None:
    wire = encode(TEXT)
    for truncate in (False, True):
        assert decode(encoding, wire, limit=len(TEXT), truncate=truncate) == TEXT
    with pytest.raises(BodyTooLargeError):
        decode(encoding, wire, limit=len(TEXT) - 1)
    assert decode(encoding, wire, limit=len(TEXT) - 1, truncate=True) == TEXT[:-1]


def test_the_wire_has_a_limit_of_its_own() -> None:
    empty_members = gzip.compress(b"") * 1000
    body = Body("gzip", max_wire=10_000, max_bytes=MIB)
    with pytest.raises(BodyTooLargeError, match="10000 bytes on the wire"):
        body.feed(empty_members)


def test_a_body_cut_on_the_wire_is_not_damaged() -> None:
    wire = gzip.compress(TEXT)
    body = Body("gzip", max_wire=len(wire) // 2, max_bytes=MIB, truncate=True)
    assert not body.feed(wire)
    text = body.finish()
    assert text
    assert TEXT.startswith(text)


def test_wire_bytes_are_counted_before_decoding() -> None:
    wire = gzip.compress(TEXT)
    body = Body("gzip", max_wire=MIB, max_bytes=MIB)
    body.feed(wire[:100])
    body.feed(wire[100:])
    assert body.wire_bytes == len(wire)


def test_an_announced_size_is_judged_before_the_first_byte() -> None:
    Body("", max_wire=100, max_bytes=100).expect(100)
    Body("", max_wire=100, max_bytes=100, truncate=True).expect(101)
    with pytest.raises(BodyTooLargeError, match="101"):
        Body("", max_wire=100, max_bytes=100).expect(101)


def test_a_zstd_window_above_that_of_the_web_is_refused() -> None:
    compressor = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log.value: 27})
    wire = compressor.compress(bytes(2 * MIB)) + compressor.flush()
    with pytest.raises(DecodeError, match="zstd"):
        decode("zstd", wire)
