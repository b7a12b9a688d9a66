"""An explanation as people read it: worked out by hand for what can be told."""

from io import StringIO
from random import Random
from typing import Any

import orjson
import pytest
from rich.console import Console

from stream.cli.terminal.explanation_view import explanation_view
from stream.cli.terminal.explanation_words import length, number, when
from stream.codec.explanations import customer_data
from stream.core.explain import explain
from tests.core.subject import SECOND, Subject, lifecycle
from tests.kit.times import DAY, HOUR, T0
from tests.properties.explained import met, scenario

START = 1_795_341_600_000  # 2026-11-22T10:00:00Z


def shown(answer: dict[str, Any], width: int = 120) -> str:
    """As it is printed, without blanks at the ends of lines."""
    told = orjson.loads(orjson.dumps(answer))
    printed = StringIO()
    Console(file=printed, width=width).print(explanation_view(told))
    return "\n".join(line.rstrip() for line in printed.getvalue().splitlines())


def view(subject: Subject, at: int) -> str:
    assert subject.customer is not None
    told = explain(subject.model, subject.customer, at)
    return shown(customer_data(subject.customer, told, partition=0, offset=0, clock=at, at=at))


def of(text: str, *seen: tuple[int, str], at: int = START, **more: Any) -> list[str]:
    """The lines of a customer who did this."""
    subject = Subject(lifecycle(text), **more)
    for time, name in seen:
        subject.sees(time, name)
    return view(subject, at).splitlines()


def ways(
    when_: str, *, facts: str = "{orders: {count: order}, last: {last: order}, country: {latest: properties.c}}"
) -> list[str]:
    """What is told below a condition of somebody who ordered once, two days ago."""
    text = f"facts: {facts}\nstages: {{a: {{}}, b: {{}}}}\ntransitions: [{{from: a, to: b, when: '{when_}'}}]"
    lines = of(text, (START - 2 * DAY, "order"))
    first = next(number for number, line in enumerate(lines) if line.startswith("  → b"))
    rest = lines[first + 1 :]
    return rest[: rest.index("")]


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ("orders >= 3", ["    ✗ orders 1 of 3, 2 are missing"]),
        ("orders >= 2", ["    ✗ orders 1 of 2, 1 is missing"]),
        ("orders in [0, 4]", ["    ✗ orders in [0, 4]: orders is 1, 1 too much"]),
        ("orders < 1", ["    ✗ orders < 1: orders is 1, 1 too much"]),
        ("not (orders < 3)", ["    ✗ not (orders < 3): orders 1 of 3, 2 are missing"]),
        ('country == "DE"', ['    ✗ country == "DE": there is no country yet']),
        ("not exists(last)", ["    ✗ not (exists(last)): exists(last) is true"]),
        ('event.type == "visit"', ['    … event.type == "visit": needs an interaction']),
        ("orders >= 2 and identified", ["    ✗ orders 1 of 2, 1 is missing", "    ✓ identified: identified is true"]),
        (
            "orders >= 4 or since(last) >= 3d",
            [
                "    ✗ one of these:",
                "      · orders 1 of 4, 3 are missing",
                "      ✗ since(last) 2d of 3d, 1d is missing; time alone does it on 23 November 2026, 10:00",
            ],
        ),
        (
            "not (orders >= 1 or identified)",
            [
                "    ✗ none of these:",
                "      ✗ not (orders >= 1): orders is 1, 1 too much",
                "      ✗ not (identified): identified is true",
            ],
        ),
        (
            "not (orders >= 1 and identified)",
            [
                "    ✗ not all of these at once:",
                "      ✗ not (orders >= 1): orders is 1, 1 too much",
                "      · not (identified): identified is true",
            ],
        ),
    ],
)
def test_each_comparison_says_what_is_missing(condition: str, told: list[str]) -> None:
    assert ways(condition.replace("'", "''")) == told


def test_the_head_says_who_and_as_of_when() -> None:
    assert of("stages: {a: {}}", (START, "page"))[0] == "c1  as of 22 November 2026, 10:00. All times are UTC."
    assert of("stages: {a: {}}", (START, "page"), kind="anonymous")[0].startswith("a1  anonymous  as of ")


def test_who_will_be_forgotten_is_told_when() -> None:
    lines = of("stages: {a: {}}", (START, "page"), kind="anonymous", forget_after=10 * DAY)
    assert lines[-1] == "  On 2 December 2026, 10:00, it is forgotten if nothing is heard of it until then."
    assert "  No way leads out of this stage." in lines


def test_where_time_alone_leads_through_stages_they_are_named() -> None:
    text = """
    stages: {a: {}, b: {}, c: {title: The end}}
    transitions:
      - {from: a, to: b, when: idle >= 2d}
      - {from: b, to: c, when: idle >= 1d}
    """
    last = of(text, (START, "page"))[-1]
    assert last == "  On 24 November 2026, 10:00, it goes to The end by time alone, by way of b: idle >= 1d"
    overdue = of(text, (START, "page"), at=START + 3 * DAY)[-1]
    assert overdue.startswith("  On 24 November 2026, 10:00, it is due to go to The end by time alone")


def test_guards_say_until_when_they_hold_back() -> None:
    text = """
    facts: {orders: {count: order}}
    stages: {a: {}, b: {}}
    transitions:
      - {from: a, to: b, when: orders >= 1, hold: 3d, at_most_every: 1w}
    """
    lines = of(text, (START - DAY, "order"))
    assert "    ✓ orders >= 1: orders is 1" in lines
    assert (
        "    ✗ hold: the condition has held since 21 November 2026, 10:00; it must until 24 November 2026, 10:00"
        in lines
    )
    assert "    ✓ at most every 7d: it was not taken yet" in lines


def test_what_is_used_up_and_what_is_full_is_noted() -> None:
    text = """
    scores: {heat: {}}
    signals:
      often: {each: page, add: {heat: 1}, at_most: {times: 1, per: 1h}}
      first: {each: page, add: {heat: 1}, once: true}
    facts: {busy: {count: page, within: 7d, keep: 2}}
    ledgers: {bought: {each: page, by: properties.id}}
    stages: {a: {}}
    """
    lines = of(text, (START, "page"), (START, "page"))
    assert "  often counts again from 22 November 2026, 11:00 on: at most 1 per 1h" in lines
    assert "  first counts never again: once" in lines
    assert "  fact busy keeps the latest 2 entries, from 22 November 2026, 10:00 on" in lines
    assert "  ledger bought: 2 entries count, 0 left" in lines
    assert "  heat     2  often 1 (1 time), first 1 (1 time)" in lines


def test_a_band_that_is_not_right_shows_its_scores() -> None:
    text = """
    scores: {heat: {}, value: {}}
    signals: {saw: {each: page, add: {heat: 1, value: 2}}}
    bands: {grade: {heat: {A: 5, B: }, value: {1: 1, 2: }}}
    stages: {a: {}, b: {}}
    transitions: [{from: a, to: b, when: grade == "A1"}]
    """
    lines = of(text, (START, "page"))
    first = lines.index('    ✗ grade == "A1": grade is B1')
    assert lines[first + 1 : first + 4] == [
        "      ✗ all of these:",
        "        ✗ heat 1 of 5, 4 are missing",
        "        ✓ value >= 1: value is 2",
    ]


def test_to_and_fro_and_quarantined_are_told_in_words() -> None:
    text = """
    stages: {a: {}, b: {}}
    transitions:
      - {from: a, to: b, when: in_stage >= 1s}
      - {from: b, to: a, when: in_stage >= 1s}
    """
    subject = Subject(lifecycle(text))
    subject.sees(START, "page")
    subject.waits(START + 64 * SECOND)
    assert "waits for an interaction" in view(subject, START + 64 * SECOND).splitlines()[-1]
    assert subject.customer is not None
    subject.customer.quarantined = True
    assert "a deadline of this customer failed" in view(subject, START + 64 * SECOND).splitlines()[-1]


def test_ids_and_values_from_outside_cannot_steer_the_terminal() -> None:
    subject = Subject(lifecycle("facts: {country: {latest: properties.c}}\nstages: {a: {}}"))
    subject.sees(START, "page", {"c": "D\x1b[31mE"})
    assert subject.customer is not None
    subject.customer.id = "c\x1b]0;x\x07"
    assert "\x1b" not in view(subject, START)
    assert "D\\x1b[31mE" in view(subject, START)


def test_a_long_line_goes_on_behind_its_mark() -> None:
    text = """
    facts: {last: {last: order}}
    stages: {a: {}, b: {}}
    transitions: [{from: a, to: b, when: since(last) >= 90d}]
    """
    subject = Subject(lifecycle(text))
    subject.sees(START, "order")
    assert subject.customer is not None
    told = explain(subject.model, subject.customer, START)
    narrow = shown(customer_data(subject.customer, told, partition=0, offset=0, clock=START, at=START), width=60)
    lines = narrow.splitlines()
    first = next(place for place, line in enumerate(lines) if "✗" in line)
    assert lines[first + 1].startswith("      ")
    assert max(map(len, lines)) <= 60


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (3, "3"),
        (1200.0, "1,200"),
        (41.3, "41.3"),
        (9.999974, "10"),
        (0.25, "0.25"),
        (0.000001, "0.000001"),
        (-8.5, "-8.5"),
    ],
)
def test_numbers_have_the_decimals_that_help(value: float, told: str) -> None:
    assert number(value) == told


def test_times_and_lengths_are_short_where_they_are_round() -> None:
    assert when(START) == "22 November 2026, 10:00"
    assert when(START + 5 * SECOND) == "22 November 2026, 10:00:05"
    assert [length(each) for each in (0, 90 * DAY, 36 * HOUR, -2 * DAY, DAY + 1)] == [
        "0s",
        "90d",
        "1.5d",
        "-2d",
        "1.0d",
    ]


@pytest.mark.parametrize("seed", range(40))
def test_whatever_is_told_of_random_customers_can_be_shown(seed: int) -> None:
    chance = Random(seed)
    for each in met(chance, scenario(chance)):
        told = explain(each.model, each.customer, each.now)
        text = shown(customer_data(each.customer, told, partition=0, offset=0, clock=T0, at=each.now))
        assert text.count("→ ") >= sum(len(one.ways_out) for one in told)
