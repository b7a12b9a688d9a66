"""No part became slower than it was recorded to be, beside a loop that never changes: ratios, never times."""

import pytest

from tests.bench.micro import bounds_of, build_kind, measure_case, measure_cases, read_bounds, slower
from tests.bench.micro_cases import Case, cases

OPERATIONS = 300


@pytest.mark.slow
def test_no_part_is_slower_than_its_bound() -> None:
    """What seems to be is measured again, longer: on a busy machine the best of a few repeats may be a poor one."""
    bounds, chosen = read_bounds(build_kind()), cases(OPERATIONS)
    suspects = slower(measure_cases(chosen, 5), bounds)
    again = measure_cases([case for case in chosen if case.name in suspects], 25)
    assert slower(again, bounds) == []


@pytest.mark.slow
def test_the_same_work_done_five_times_over_is_found() -> None:
    """Measured, not computed: the bounds are narrow enough."""
    case = next(each for each in cases(OPERATIONS) if each.name.startswith("step"))
    bounds = bounds_of({case.name: measure_case(case, 15)})

    def prepare() -> object:
        works = [case.prepare() for _ in range(5)]

        def five_times() -> None:
            for work in works:
                work()

        return five_times

    slow = Case(**{**case._asdict(), "prepare": prepare})
    assert slower({case.name: measure_case(slow, 15)}, bounds) == [case.name]


def test_a_part_without_a_bound_is_not_passed_over() -> None:
    """A new case is recorded, or it fails."""
    assert slower({"new": {"us": 1.0, "ratio": 1.0}}, {}) == ["new"]
