"""Topics that are no longer what workers wrote; each function returns the words that a verification must use of it."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from stream.codec.lifecycle_yaml.lifecycle_files import parse
from stream.codec.state.customers import CustomerCodec
from stream.codec.state.keys import CUSTOMER
from stream.core.model import model_of
from tests.cli.verifying import Copied, Topics
from tests.kit.lifecycles import QUICK


def find(topics: Topics, name: str, holds: Callable[[dict[str, Any]], bool]) -> tuple[list[Copied], int]:
    """The last change for which that holds: the partition's records, and its place."""
    for records in topics[name].values():
        for place in range(len(records) - 1, -1, -1):
            value = records[place][1]
            if value is not None and holds(orjson.loads(value)):
                return records, place
    raise LookupError(name)


def alter(record: Copied, **fields: object) -> Copied:
    return record._replace(value=orjson.dumps({**orjson.loads(record.value or b""), **fields}))


def is_deadline(change: Mapping[str, Any]) -> bool:
    return change["trigger"]["kind"] == "deadline" and "customer_id" in change


def missing_change(topics: Topics) -> list[str]:
    records, place = find(topics, "stage_changes", lambda each: each["to"] == "buyer")
    change = orjson.loads(records.pop(place)[1] or b"")
    return [f"change {change['sequence']} of {change['born']} (", "is missing from stage-changes"]


def missing_deadline(topics: Topics) -> list[str]:
    records, place = find(topics, "stage_changes", is_deadline)
    change = orjson.loads(records.pop(place)[1] or b"")
    return [f"customer {change['customer_id']}", "(", "is missing from stage-changes"]


def deadline_a_millisecond_early(topics: Topics) -> list[str]:
    records, place = find(topics, "stage_changes", is_deadline)
    at = orjson.loads(records[place][1] or b"")["at"]
    records[place] = alter(records[place], at=at - 1)
    return [f"at is {at - 1}, must be {at}"]


def other_score(topics: Topics) -> list[str]:
    records, place = find(topics, "stage_changes", lambda each: each["scores"].get("heat", 0) > 1)
    scores = orjson.loads(records[place][1] or b"")["scores"]
    records[place] = alter(records[place], scores={**scores, "heat": scores["heat"] + 2**-40})
    return [f"scores.heat is {scores['heat'] + 2**-40}, must be {scores['heat']}"]


def extra_change(topics: Topics) -> list[str]:
    records, place = find(topics, "stage_changes", lambda each: "customer_id" in each and each["to"] is not None)
    change = orjson.loads(records[place][1] or b"")
    forged = alter(records[place], sequence=change["sequence"] + 90)
    name = f"quick:customer:{change['customer_id']}:{change['born']}:{change['sequence'] + 90}"
    headers = [(key, name.encode() if key == "ce_id" else value) for key, value in forged[2]]
    records.append(forged._replace(headers=headers))
    return [f"change {change['sequence'] + 90} of {change['born']} at ", " leads to it"]


def extra_change_of_nobody(topics: Topics) -> list[str]:
    records, place = find(topics, "stage_changes", lambda each: each["to"] == "buyer" and "customer_id" in each)
    forged = alter(records[place], customer_id="nobody", born="0-0", sequence=1)
    headers = [(key, b"quick:customer:nobody:0-0:1" if key == "ce_id" else value) for key, value in forged[2]]
    records.append(forged._replace(key=b"nobody", headers=headers))
    return ["customer nobody, quick: change 1 of 0-0", "no interaction or deadline leads to it"]


def duplicate(topics: Topics) -> list[str]:
    records, place = find(topics, "stage_changes", lambda each: each["to"] == "buyer")
    records.append(records[place])
    return ["stands twice"]


def other_id(topics: Topics) -> list[str]:
    records, place = find(topics, "stage_changes", lambda each: each["to"] == "buyer")
    headers = [(name, b"x" if name == "ce_id" else each) for name, each in records[place].headers]
    records[place] = records[place]._replace(headers=headers)
    return ["key or headers of stage-changes, partition", "do not fit its value"]


def no_change_at_all(topics: Topics) -> list[str]:
    topics["stage_changes"][0].append(Copied(b"c1", b"hello", []))
    return ["is no stage change"]


def altered_record(topics: Topics) -> list[str]:
    """One more millionth of value."""
    codec = CustomerCodec(model_of([load_quick()], 3_000))
    for number, records in topics["customers"].items():
        for key, value, *_ in reversed(records):
            if key is not None and key[:1] == CUSTOMER and value is not None:
                customer = codec.decode(key, value)
                life = customer.lives["quick"]
                points = list(life.millionths)
                if any(points):
                    slot = points.index(max(points))
                    was = life.millionths[slot] / 1e6
                    life.millionths[slot] += 1
                    topics["customers"][number].append(Copied(key, codec.encode(customer), []))
                    return [
                        f"{number}, customer {key[1:].decode()}, : record",
                        f"value is {life.millionths[slot] / 1e6}, must be {was}",
                    ]
    raise LookupError


def record_of_nobody(topics: Topics) -> list[str]:
    for records in topics["customers"].values():
        for key, value, *_ in records:
            if key is not None and key[:1] == CUSTOMER and value is not None:
                records.append(Copied(b"cnobody", value, []))
                return ["customer nobody", "has a record in lifecycle-customers, but no interaction led to it"]
    raise LookupError


def record_gone(topics: Topics) -> list[str]:
    records, place = next(
        (records, place)
        for records in topics["customers"].values()
        for place, (key, value, *_) in enumerate(records)
        if key is not None and key[:1] == CUSTOMER and value is not None
    )
    key = records[place][0] or b""
    records.append(Copied(key, None, []))
    return [f"customer {key[1:].decode()}", "has no record in lifecycle-customers, must have one"]


def current_stage_altered(topics: Topics) -> list[str]:
    records, place = find(topics, "current_stages", lambda each: "customer_id" in each)
    who = orjson.loads(records[place][1] or b"")["customer_id"]
    records.append(alter(records[place], to="buyer", final=False))
    return [f"customer {who}, quick: the current stage is another than the latest stage change"]


def current_stage_missing(topics: Topics) -> list[str]:
    records, place = find(topics, "current_stages", lambda each: "customer_id" in each)
    who = orjson.loads(records[place][1] or b"")["customer_id"]
    records.append(Copied(records[place].key, None, []))
    return [f"customer {who}, quick: the current stage is missing"]


def current_stage_of_nobody(topics: Topics) -> list[str]:
    records, place = find(topics, "current_stages", lambda each: "customer_id" in each)
    records.append(records[place]._replace(key=b"quick:customer:nobody"))
    return ["customer nobody, quick: the current stage must be gone"]


def dead_letter_missing(topics: Topics) -> list[str]:
    records = next(records for records in topics["dead_letters"].values() if records)
    offset = dict(records.pop()[2])["lifecycle_offset"].decode()
    return [f"the interaction at offset {offset} has no dead letter, must have one: not_json"]


def dead_letter_of_a_good_one(topics: Topics) -> list[str]:
    records = next(records for records in topics["dead_letters"].values() if records)
    addressed = {dict(each.headers)["lifecycle_offset"] for each in records}
    number = int(dict(records[-1].headers)["lifecycle_partition"])
    offset = next(n for n in range(len(topics["interactions"][number])) if str(n).encode() not in addressed)
    headers = [(n, str(offset).encode() if n == "lifecycle_offset" else each) for n, each in records[-1].headers]
    records.append(records[-1]._replace(headers=headers))
    return [f"the interaction at offset {offset} has a dead letter, but can be read"]


def nothing(_: Topics) -> list[str]:
    return []


def load_quick() -> Any:
    return parse(QUICK, "quick.yaml").lifecycle


IN_BOTH = [nothing, missing_change, missing_deadline, deadline_a_millisecond_early, other_score, extra_change]
IN_STREAM = [
    *(extra_change_of_nobody, duplicate, other_id, no_change_at_all, altered_record, record_of_nobody, record_gone),
    *(current_stage_altered, current_stage_missing, current_stage_of_nobody, dead_letter_missing),
    dead_letter_of_a_good_one,
]
