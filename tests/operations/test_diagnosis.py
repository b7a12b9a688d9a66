"""What `lifecycle doctor` makes of records, without Kafka."""

import json

from stream.cli.terminal.diagnosis_report import advice_of, json_of
from stream.codec.lifecycle_yaml.lifecycle_files import parse
from stream.operations.diagnosis import Diagnosis, Examiner
from stream.settings import Settings
from tests.kit.machines import records_of
from tests.kit.times import T0

LIFECYCLE = """\
lifecycle: shop
interactions: {purchase: [Order Completed], visit: [Page Viewed]}
facts:
  revenue: {sum: properties.total, each: purchase}
  seen: {count: visit, where: "properties.path != \\"x\\""}
stages: {new: {}, buyer: {}}
transitions: [{from: new, to: buyer, when: revenue > 1}]
"""


def examined(*properties: dict[str, object]) -> Diagnosis:
    examiner = Examiner(Settings(), [parse(LIFECYCLE, "a.yaml").lifecycle], "interactions", 1)
    values = [{"type": "Order Completed", "customer_id": "c", "time": T0, "properties": each} for each in properties]
    for record in records_of([json.dumps(each).encode() for each in values], broker_time=T0):
        examiner.record(0, record._replace(key=b"c"))
    return examiner.finish()


def test_a_property_that_no_interaction_has_is_named_with_what_was_meant() -> None:
    """Not so that of visits: there was none."""
    found = examined({"totals": 5}, {"totals": 6})
    assert [(each.path.keys, each.looked) for each in found.missing["shop"]] == [(("total",), 2)]
    advice = advice_of(found)
    said = "shop reads what no interaction has that its rules are about: properties.total, in 0 of 2 interactions "
    assert advice == [f"{said}(fact revenue); did you mean properties.totals?"]
    assert json_of(found, advice)["missing_properties"] == {
        "shop": [{"property": "properties.total", "rule": "fact revenue", "interactions": 2}]
    }


def test_a_property_that_one_interaction_has_is_not_named() -> None:
    found = examined({"totals": 5}, {"total": 6})
    assert found.missing == {}
    assert advice_of(found) == []
    assert json_of(found, [])["missing_properties"] == {}
