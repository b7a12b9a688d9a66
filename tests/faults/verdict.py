"""What is on the topics, held against what the interactions must have led to."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from aiokafka import ConsumerRecord

from stream.codec.dead_letters import NEVER_ON_A_TOPIC
from stream.codec.state.customers import CustomerCodec
from stream.codec.state.keys import ANONYMOUS, CUSTOMER, LAYOUT
from stream.core.customer import Customer
from stream.core.exact import number_of_fact
from stream.errors import StateError
from stream.kafka.partition_reader import FRESH_MS
from stream.settings import Settings
from tests.faults.book import Record
from tests.faults.edits import EXTRA as AWAY
from tests.faults.figures import compare_figures
from tests.faults.importing import NAME, compare_rows
from tests.faults.oracle import Expected, Letter, expected_of
from tests.faults.over_http import Findings, OverHttp, compare_states
from tests.faults.stints import Stint, Versions, stints_of
from tests.faults.wall import WallPartition, too_early
from tests.kit.topics import Records, read_all

Lives = dict[tuple[str, str], list[dict[str, Any]]]
_SHOWN = 300
_READ_SECONDS = 180.0
_SLACK_MS = 1_000


@dataclass
class Verdict:
    """What a run came to."""

    interactions: int
    changes: int
    duplicates: int
    known: int
    """Rows of imports that began again."""
    late: int
    deadlines: int
    dead_letters: int
    edits: int
    """How often another version of the lifecycles took a partition over."""
    considered: int
    """Customers who were considered because of that."""
    moved_by_edits: int
    imported: int
    """Rows of imports that were killed and begun again, as customers count them."""
    repeated: int
    """Changes that stand on the topic more than once, with the same id."""
    figures: int
    """Sums of a day and segment that must be there, those of stages at the day's end apart."""
    differences: list[str]
    """A line each; none: everything is as it must be."""
    over_http: dict[str, int]
    """What went on over HTTP, by what is counted."""


async def judge(
    versions: Versions,
    settings: Settings,
    *,
    rows: Mapping[str, int],
    exactly_once: bool = True,
    settled: int | None = None,
    http: OverHttp | None = None,
) -> Verdict:
    """Read all topics as a read_committed subscriber does, and compare.

    `rows` are those of imports, by customer; `http` is what was posted and asked meanwhile. Without
    `exactly_once` a change may stand there again with the same id; what it says must be the same. In `wall` clock what
    was due before `settled` (epoch ms) must have been fired.
    """
    topics, bootstrap = settings.topics, settings.bootstrap
    source = await read_all(bootstrap, topics.interactions, seconds=_READ_SECONDS)
    published = await read_all(bootstrap, topics.stage_changes, seconds=_READ_SECONDS)
    changelog = await read_all(bootstrap, topics.customers, seconds=_READ_SECONDS)
    stints = {number: stints_of(topics.interactions, changelog[number]) for number in source}
    values = [orjson.loads(each.value or b"") for records in published.values() for each in records]
    asked, shown = (Findings(), {}) if http is None else http.judge(versions, source, changelog, values)
    timing: list[str] = []
    if settled is None:
        expected = expected_of(versions, stints, topics.interactions, source, shown)
        timing += compare_states(shown, expected.values())
    else:
        expected, timing = _by_the_wall(versions, stints, settings, source, published, settled)
    ids = Counter(dict(record.headers)["ce_id"] for records in published.values() for record in records)
    repeated = {name for name, count in ids.items() if count > 1}
    found = _lives(values)
    wanted = _lives([change for each in expected.values() for change in each.changes])
    differences = timing + _compare_lives(found if exactly_once else _once(found), wanted)
    if exactly_once and repeated:
        differences.append(
            f"{len(repeated)} ids stand on {topics.stage_changes} more than once, such as {repeated.pop()!r}"
        )
    current = _latest(await read_all(bootstrap, topics.current_stages, seconds=_READ_SECONDS))
    differences += _compare_current(current, expected)
    try:
        customers = _customers(versions, stints, changelog)
    except StateError as error:
        customers = {}
        differences.append(f"topic {topics.customers} cannot be read: {error}")
    differences += _compare_customers(customers, expected)
    rows_of_figures = await read_all(bootstrap, topics.figures, seconds=_READ_SECONDS)
    figures = [each.figures for each in expected.values()]
    differences += compare_figures(rows_of_figures, figures, away=frozenset({AWAY}), moves=exactly_once)
    counted = _counted(customers, 0)
    differences += compare_rows(counted, rows)
    letters, unsent = split_letters(await read_all(bootstrap, topics.dead_letters, seconds=_READ_SECONDS))
    posted = Findings() if http is None else http.compare(source, unsent, _counted(customers, 1))
    differences += asked.differences + posted.differences
    must = [letter for each in expected.values() for letter in each.dead_letters]
    differences += compare_letters(letters, must, exactly_once=exactly_once)
    return Verdict(
        interactions=sum(map(len, source.values())),
        changes=sum(map(len, wanted.values())),
        duplicates=sum(each.duplicates for each in expected.values()),
        known=sum(each.known for each in expected.values()),
        late=sum(each.late for each in expected.values()),
        deadlines=sum(each.deadlines for each in expected.values()),
        dead_letters=len(must),
        edits=sum(each.edits for each in expected.values()),
        considered=sum(each.considered for each in expected.values()),
        moved_by_edits=sum(each.moved_by_edits for each in expected.values()),
        imported=sum(counted.values()),
        repeated=sum(ids.values()) - len(ids),
        figures=sum(len(each.sums) for each in figures),
        differences=differences,
        over_http={**posted.counts, **asked.counts},
    )


def _by_the_wall(
    versions: Versions,
    stints: Mapping[int, list[Stint]],
    settings: Settings,
    source: Records,
    published: Records,
    settled: int,
) -> tuple[dict[int, Expected], list[str]]:
    """What each partition must have led to, and deadlines that came at the wrong time or not at all."""
    told: dict[int, list[tuple[dict[str, Any], int]]] = {number: [] for number in source}
    for record in (each for records in published.values() for each in records):
        change = orjson.loads(record.value or b"")
        told[change["source"]["partition"]].append((change, record.timestamp))
    tolerance = settings.session_timeout + FRESH_MS + _SLACK_MS
    expected, lines = {}, []
    for number, records in source.items():
        partition = WallPartition(versions, stints[number], settings.topics.interactions, number, told[number])
        expected[number] = partition.replay(records)
        lines += partition.overdue(settled) + too_early(told[number], records, tolerance)
    return expected, lines


def _lives(changes: list[dict[str, Any]]) -> Lives:
    """The changes of each subject and lifecycle, in the order given."""
    lives: Lives = {}
    for change in changes:
        kind = "customer" if "customer_id" in change else "anonymous"
        lives.setdefault((change["lifecycle"], f"{kind}:{change[f'{kind}_id']}"), []).append(change)
    return lives


def _once(lives: Lives) -> Lives:
    """Each change the first time that it stands there."""
    return {
        life: list({(change["born"], change["sequence"]): change for change in reversed(changes)}.values())[::-1]
        for life, changes in lives.items()
    }


def _compare_lives(found: Lives, wanted: Lives) -> list[str]:
    lines = []
    for life in sorted(found.keys() | wanted.keys()):
        one, two = found.get(life, []), wanted.get(life, [])
        if one != two:
            at = next((n for n, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), min(len(one), len(two)))
            here, there = str(one[at : at + 1])[:_SHOWN], str(two[at : at + 1])[:_SHOWN]
            lines.append(f"{life}: {len(one)} changes, {len(two)} must be there; at {at}: {here} instead of {there}")
    return lines


def _latest(records: Records) -> dict[bytes, bytes]:
    """A compacted topic: the last value of each key, tombstones gone."""
    latest: dict[bytes, bytes | None] = {}
    for partition in records.values():
        for record in partition:
            assert record.key is not None
            latest[record.key] = record.value
    return {key: value for key, value in latest.items() if value is not None}


def _compare_current(current: Mapping[bytes, bytes], expected: Mapping[int, Expected]) -> list[str]:
    found = {key.decode(): orjson.loads(value) for key, value in current.items()}
    wanted = {key: change for each in expected.values() for key, change in each.current.items()}
    return [
        f"current stage of {key}: {str(found.get(key))[:_SHOWN]} instead of {str(wanted.get(key))[:_SHOWN]}"
        for key in sorted(found.keys() | wanted.keys())
        if found.get(key) != wanted.get(key)
    ]


def compare_letters(records: Records, wanted: Sequence[Letter], *, exactly_once: bool = True) -> list[str]:
    """A line for each dead letter that is missing, extra, other or, with `exactly_once`, there more than once."""
    found = Counter(_letter(record) for partition in records.values() for record in partition)
    needed = Counter(wanted)
    lines = []
    for letter in sorted(found.keys() | needed.keys(), key=str):
        count, must = found[letter], needed[letter]
        if count != must and (exactly_once or not count or not must):
            lines.append(f"dead letter {str(letter)[:_SHOWN]}: {count} times there, {must} must be")
    return lines


def _letter(record: ConsumerRecord[bytes | None, bytes | None]) -> Letter:
    """A dead letter as it stands on its topic; what its headers do not say is empty."""
    about = {name: value.decode() for name, value in record.headers}
    return Letter(
        about.get("lifecycle_topic", ""),
        int(about.get("lifecycle_partition", -1)),
        int(about.get("lifecycle_offset", -1)),
        about.get("lifecycle_reason", ""),
        record.key,
        record.value,
    )


def _customers(
    versions: Versions, stints: Mapping[int, list[Stint]], changelog: Records
) -> dict[int, dict[bytes, Customer]]:
    """Each partition's customers by changelog key, as they are written; none of a partition that was never written."""
    customers = {}
    for number, records in changelog.items():
        if not stints[number]:
            continue
        codec, kept = CustomerCodec(versions.model(stints[number][-1].lifecycles)), _latest({number: records})
        for key, value in kept.items():
            if key[:1] == LAYOUT:
                codec.learn(value)
        customers[number] = {
            key: codec.decode(key, value) for key, value in kept.items() if key[:1] in (CUSTOMER, ANONYMOUS)
        }
    return customers


def _compare_customers(
    customers: Mapping[int, Mapping[bytes, Customer]], expected: Mapping[int, Expected]
) -> list[str]:
    lines = []
    for number, each in expected.items():
        if number not in customers:
            lines.append(f"partition {number} was never written")
            continue
        found = customers[number]
        for key in sorted(found.keys() | each.customers.keys()):
            if found.get(key) != each.customers.get(key):
                one, two = str(found.get(key))[:_SHOWN], str(each.customers.get(key))[:_SHOWN]
                lines.append(f"state of {key!r} in partition {number}: {one} instead of {two}")
    return lines


def _counted(customers: Mapping[int, Mapping[bytes, Customer]], fact: int) -> Counter[str]:
    """What each customer has in a fact of the lifecycle that no edit touches: rows of imports, or weights."""
    counted: Counter[str] = Counter()
    for customer in (customer for each in customers.values() for customer in each.values()):
        life = customer.lives.get(NAME)
        count = 0 if life is None else number_of_fact(life, fact)
        if count:
            counted[customer.id] += count
    return counted


def split_letters(records: Records) -> tuple[Records, list[Record]]:
    """The dead letters of workers, and those of collectors, whose items were on no topic."""
    of_collectors = [
        record for each in records.values() for record in each if _letter(record).partition == NEVER_ON_A_TOPIC
    ]
    unsent = {(each.partition, each.offset) for each in of_collectors}
    return {
        number: [each for each in partition if (number, each.offset) not in unsent]
        for number, partition in records.items()
    }, of_collectors
