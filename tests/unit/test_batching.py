import pytest

from cpu_stage.batching import BatchSizer, weight
from cpu_stage.slab import PARTS, SIZE

MIB = 2**20


def measured(*batches: tuple[float, float]) -> BatchSizer:
    sizer = BatchSizer()
    for units, seconds in batches:
        sizer.observe(units, seconds)
    return sizer


def test_the_first_batch_is_one_page_since_nothing_is_measured_yet() -> None:
    assert BatchSizer().full() < weight(0)


def test_what_pages_cost_may_be_guessed_until_it_is_measured() -> None:
    sizer = BatchSizer(guess_s=0.002)
    assert sizer.full() == pytest.approx(4)
    sizer.observe(4, 4 * 0.0005)
    assert sizer.full() == pytest.approx(16)


def test_a_batch_holds_about_the_target_of_work() -> None:
    assert measured((4, 4 * 0.002)).full() == pytest.approx(4)


def test_dear_pages_travel_alone() -> None:
    assert measured((1, 0.050)).full() < 1


def test_a_batch_of_pages_that_cost_nothing_is_bounded_in_bytes() -> None:
    full = measured((1, 1e-6)).full()
    assert 100 < full / weight(0) < 200
    assert full * 16 * 1024 <= SIZE / PARTS, "its texts find room in the slab"
    assert weight(2 * MIB) > full


def test_the_size_follows_a_change_of_cost() -> None:
    assert measured((16, 16 * 0.0001), *[(1, 0.1)] * 40).full() < 1
    assert measured((1, 0.1), *[(16, 16 * 0.0001)] * 40).full() > 16


@pytest.mark.parametrize(
    ("most", "hand_off", "work"), [(0.04, 0.0005, 0.008), (0.04, 0.002, 0.020), (0.04, 0.3, 0.040), (0.0, 0.3, 0.008)]
)
def test_a_batch_outweighs_its_hand_off_where_it_may(most: float, hand_off: float, work: float) -> None:
    sizer = BatchSizer(most)
    for _ in range(40):
        sizer.observe(8, 8 * 0.001, 8, hand_off)
    assert sizer.full() == pytest.approx(work / 0.001)


def test_one_odd_batch_changes_little() -> None:
    usual = measured(*[(8, 8 * 0.001)] * 20)
    before = usual.full()
    usual.observe(8, 8 * 0.002)
    assert before / 1.3 < usual.full() < before


def test_the_tail_is_shared_by_the_lanes() -> None:
    sizer = measured((16, 0.0016))
    assert sizer.share(waiting=6, lanes=3) == 2
    assert sizer.share(waiting=1000, lanes=3) == sizer.full()
