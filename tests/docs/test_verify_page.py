"""`docs/guarantees.md` names what `lifecycle verify --customer` shows of what is remembered."""

import json
import re

from stream.core.remembered import remembered
from tests.core.subject import Subject, lifecycle
from tests.docs.markdown import names, page, section
from tests.kit.times import T0

PART = section(page("docs/guarantees.md"), "## Prove that it is right")
EVERYTHING = """
ledgers:
  bought: {each: buy, by: properties.id, amount: properties.total, update: change, minus: back,
           returned: properties.total, return: properties.back}
scores: {heat: {}, fit: {}}
signals:
  day: {each: buy, add: {fit: 1}, at_most: {times: 1, per: 1d}}
  hour: {each: buy, add: {fit: 1}, at_most: {times: 1, within: 1h}}
  each: {each: buy, add: {fit: 1}, once: properties.id}
  month: {each: buy, add: {heat: 1}, expires: 30d}
  size: {each: buy, latest: properties.size, points: {1: 1}, to: heat}
  again: {each: back, reset: [fit]}
facts: {month: {sum: properties.total, each: buy, within: 30d}}
stages: {new: {}, buyer: {}, regular: {}}
transitions:
  - {from: new, to: buyer, when: month > 0, at_most_every: 1d}
  - {from: buyer, to: regular, when: month > 0, hold: 1d}
"""


def test_the_page_names_all_that_is_remembered() -> None:
    everything = lifecycle(EVERYTHING)
    subject = Subject(everything)
    subject.sees(T0, "buy", {"id": "o", "total": 5, "size": 1})
    subject.sees(T0, "change", {"id": "o", "total": 6})
    subject.sees(T0, "back", {"id": "o", "total": 1, "back": "r"})
    subject.sees(T0, "back", {"id": "o"})
    found = json.loads(json.dumps(remembered(everything, subject.life())))
    assert set(found) == set(names(PART))
    told = set(re.findall(r"`(\w+)`", PART))
    kinds = {kind for of in found["signals"].values() for kind in of}
    (entry,) = found["ledgers"]["bought"]["entries"]
    assert {*kinds, *found["ledgers"]["bought"], *entry} - told == set()
