from cpu_stage.batching import BatchSizer


def test_the_first_batch_is_one_page_since_nothing_is_measured_yet() -> None:
    assert BatchSizer(most=16).full() == 1


def test_cheap_pages_travel_in_full_batches() -> None:
    sizer = BatchSizer(most=16)
    sizer.observe(1, 0.0001)
    assert sizer.full() == 16


def test_dear_pages_travel_alone() -> None:
    sizer = BatchSizer(most=16)
    sizer.observe(1, 0.050)
    assert sizer.full() == 1


def test_a_batch_holds_about_the_target_of_work() -> None:
    sizer = BatchSizer(most=64, target_s=0.008)
    sizer.observe(4, 4 * 0.002)
    assert sizer.full() == 4


def test_the_size_follows_a_change_of_cost() -> None:
    sizer = BatchSizer(most=16, target_s=0.008)
    sizer.observe(16, 16 * 0.0001)
    for _ in range(40):
        sizer.observe(1, 0.1)
    assert sizer.full() == 1


def test_the_tail_is_shared_by_the_lanes() -> None:
    sizer = BatchSizer(most=16)
    sizer.observe(16, 0.0016)
    assert sizer.share(waiting=6, lanes=3) == 2
    assert sizer.share(waiting=100, lanes=3) == 16
    assert sizer.share(waiting=1, lanes=4) == 1
