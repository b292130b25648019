"""How pages cross to a worker: whatever fits into the slab and whatever does not, the same page comes out."""

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpu_stage.parcels import Packing, Parcel, unpack
from cpu_stage.slab import PARTS, Slab
from cpu_stage.types import Needs, Page
from cpu_stage.worker import RawPage

ALL = Packing.of(Needs.ALL)
ROOM = 20_000


def page(text: str, html: str = "") -> Page:
    links = ("http://e.test/a", "http://e.test/b")
    return Page("http://e.test/", "text/html", "utf-8", None, text, links, frozenset(links[:1]), {"og:type": "x"}, html)


def sent(parcel: Parcel) -> Parcel:
    received: Parcel = pickle.loads(pickle.dumps(parcel))
    return received


# Characters of one to four bytes, and a lone surrogate, which an HTML parser lets through.
lengths = st.integers(0, 25_000)
texts = st.builds(lambda char, length: char * length, st.sampled_from("aé漢😀\ud800"), lengths)
items = st.one_of(
    st.builds(page, texts, texts),
    st.builds(lambda size: RawPage("http://e.test/", "text/html", b"\xff" * size), lengths),
    st.builds(lambda size: RawPage("http://e.test/" + "a" * size, "text/html", b""), lengths),
)


@settings(max_examples=150, derandomize=True, deadline=None)
@given(st.lists(items, max_size=5), st.integers(1, 3))
def test_pages_come_out_as_they_were_put_in(batch: list[Page | RawPage], number: int) -> None:
    memory = bytearray(PARTS * ROOM)
    part = Slab(memory).part(number)
    parcels = [sent(ALL.pack(item, ("skipped",), part)) for item in batch]
    received = [unpack(parcel, Slab(memory).part(number)) for parcel in parcels]
    assert received == [(item, frozenset({"skipped"})) for item in batch]


@pytest.mark.parametrize("size", [0, 100, 5_000, 3 * ROOM])
def test_a_page_comes_out_where_there_is_no_slab(size: int) -> None:
    part = Slab().part(1)
    assert unpack(sent(ALL.pack(page("é" * size), (), part)), part) == (page("é" * size), frozenset())


def test_long_texts_leave_the_parcel_as_long_as_there_is_room() -> None:
    part = Slab(bytearray(PARTS * ROOM)).part(1)
    sizes = [len(pickle.dumps(ALL.pack(page("x" * 9_000), (), part))) for _ in range(3)]
    assert sizes[0] < 1_000 > sizes[1]
    assert sizes[2] > 9_000


def test_a_batch_does_not_touch_the_texts_of_the_one_before() -> None:
    memory = bytearray(PARTS * ROOM)
    parcels = [ALL.pack(page(char * 9_000), (), Slab(memory).part(number)) for number, char in ((7, "a"), (8, "b"))]
    assert [unpack(parcel, Slab(memory).part(n))[0].text[:1] for parcel, n in zip(parcels, (7, 8), strict=True)] == [
        "a",
        "b",
    ]


def test_what_is_sent_is_what_counts_as_the_size() -> None:
    assert Packing.of(Needs.TEXT).size(page("x" * 10, "y" * 100)) == 10
    assert Packing.of(Needs.HTML).size(page("x" * 10, "y" * 100)) == 100
    assert Packing.of(Needs.NOTHING).size(page("x" * 10, "y" * 100)) == 0
