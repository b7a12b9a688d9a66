"""What a recording says when it is read back, and when it is stretched."""

from pathlib import Path

from tests.incidents.recording import Series, load, save, series_of, stretched

COUNTER = 'lifecycle_interactions_total{job="lifecycle-worker",instance="worker-1",result="applied"}'
GAUGE = 'lifecycle_ready{job="lifecycle-worker",instance="worker-1"}'
AGE = 'lifecycle_lag_age_seconds{job="lifecycle-worker",instance="worker-1",partition="0"}'


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    """Series that begin late, end early, and hold still."""
    series: Series = {COUNTER: [None, 1.0, 1.0, 2.5], GAUGE: [1.0, 1.0, 1.0, 1.0], AGE: [None, None, 0.25, None]}
    save("a", series, tmp_path)
    assert load(tmp_path / "a.txt.gz") == series


def test_samples_stand_in_their_seconds() -> None:
    assert series_of({GAUGE: [(101.0, 1.0), (103.0, 0.0)]}, 100.0, 103.0) == {GAUGE: [None, 1.0, None, 0.0]}


def test_what_counts_rises_as_fast_and_all_else_keeps_its_value() -> None:
    """A second stands for thirty. A process that begins anew counts from 0; its count goes on."""
    series: Series = {COUNTER: [5.0, 6.0, 2.0], GAUGE: [1.0, 0.0, None]}
    assert dict(stretched([(series, 3)], 30)) == {COUNTER: "0 30 90", GAUGE: "1 0 _x1"}


def test_an_age_that_rises_to_the_end_rises_on() -> None:
    """An age of so many seconds was so many minutes."""
    rising: Series = {AGE: [0.5, *map(float, range(10))]}
    falling: Series = {AGE: [*map(float, range(10)), 0.5]}
    assert dict(stretched([(rising, 13)], 60)) == {AGE: "30 0 60 120 180 240 300 360 420 480 540 600 660"}
    assert dict(stretched([(falling, 11)], 60)) == {AGE: "0 1 2 3 4 5 6 7 8 9 0.5"}


def test_the_last_ten_seconds_come_again_and_again() -> None:
    series: Series = {GAUGE: [9.0, *([0.0] * 9), 1.0]}
    assert dict(stretched([(series, 22)], 30)) == {GAUGE: "9 0x8 1 0x8 1 0"}


def test_one_recording_goes_on_where_the_one_before_ended() -> None:
    """What only one of them has is not there in the other."""
    first: Series = {COUNTER: [1.0, 2.0], GAUGE: [1.0, 1.0]}
    second: Series = {COUNTER: [50.0, 53.0]}
    assert dict(stretched([(first, 2), (second, 2)], 10)) == {COUNTER: "0 10x1 40", GAUGE: "1x1 _x2"}
