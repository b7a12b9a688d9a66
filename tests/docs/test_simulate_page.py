"""`docs/simulate.md` has every field that `lifecycle simulate --customers` writes, and no other."""

import json

from stream.codec.lifecycle_yaml.lifecycle_files import load
from stream.core.interaction import Interaction
from stream.core.model import model_of
from stream.offline.columns import ChangeColumns, StandingColumns
from stream.offline.simulation import Simulation
from stream.offline.standing import encode_standing
from tests.docs.markdown import names, page, section

PAGE = page("docs/simulate.md")


def test_the_page_has_the_fields_of_a_customer_in_their_order() -> None:
    simulation = Simulation(model_of([load("metrics").lifecycle]))
    people = [Interaction("ann", None, None, "page", 0, {}, {}), Interaction(None, "vi", None, "page", 0, {}, {})]
    assert list(simulation.run((0, each) for each in people)) != []
    known, anonymous = (json.loads(encode_standing(each)) for each in simulation.standings())
    fields = names(section(PAGE, "### Fields of `--customers`"))
    assert [each for each in fields if each != "anonymous_id"] == list(known)
    assert [each for each in fields if each != "customer_id"] == list(anonymous)


def test_the_columns_of_both_files_are_fields_that_are_documented() -> None:
    """Those of changes with the contract of the topics."""
    lifecycles = [load("metrics").lifecycle]
    fields = names(section(PAGE, "### Fields of `--customers`"))
    assert {each.name.partition(".")[0] for each in StandingColumns(lifecycles).columns} == set(fields)
    contract = names(section(page("docs/topics.md"), "### Fields"))
    of_changes = {each.name for each in ChangeColumns(lifecycles).columns}
    assert {name for name in of_changes if not name.startswith(("scores.", "facts."))} <= set(contract)
    assert {name.partition(".")[0] for name in of_changes} == {
        name for name in contract if "." not in name and "[" not in name
    }
