"""What verification says of customers whose records are not where they belong."""

from stream.codec.partitioners import home_of
from stream.operations.verification.findings import Findings
from stream.operations.verification.homes import Homes
from tests.kit.machines import Record

EVERYBODY = [b"c%d" % number for number in range(40)]
STRANGE = [each for each in EVERYBODY if home_of("murmur2", each, 2) != 0]


def noted(key_of: dict[bytes, bytes | None]) -> str:
    """The note on partition 0, to which all wrote one interaction with such a key."""
    homes, findings = Homes(2, "murmur2"), Findings(20)
    homes.add(0, [b"c" + each for each in EVERYBODY])
    homes.look(0, [Record(n, 0, key_of[each], b"{}") for n, each in enumerate(EVERYBODY)])
    homes.finish(findings)
    [note] = findings.notes
    return note


def test_interactions_without_a_key_are_not_called_keyed() -> None:
    """By the records of the topic: customers have their id for a key in the changelog, whatever came."""
    assert "without a key; it must be the customer's id" in noted(dict.fromkeys(EVERYBODY))


def test_of_keyed_and_keyless_ones_the_more_frequent_is_the_likely_cause() -> None:
    """A few without a key among many that another partitioner placed."""
    few: dict[bytes, bytes | None] = {each: each for each in EVERYBODY} | {STRANGE[0]: None}
    assert "without a key" not in noted(few)
    assert f"{len(STRANGE)} customers belong in another partition" in noted(few)
