"""`docs/report.md` has every role and its usual names, every figure, and the stages of those who went away."""

import re

import pytest

from stream.cli.report import Cohorts, Order, Per
from stream.codec.lifecycle_yaml.lifecycle_files import load
from stream.demo.shop import shop_interactions
from stream.report.meanings import USUAL
from stream.report.people import LOST_STAGES
from tests.docs.markdown import names, page, rows, section
from tests.report.reckoning import reckoned

PAGE = page("docs/report.md")


def test_the_page_has_every_role_with_its_usual_names() -> None:
    table = rows(section(PAGE, "## What is an order, a visit, a cost"))
    roles = [cells for cells in table if cells[0].startswith("`")]
    shown = {cells[0].strip("`"): tuple(re.findall(r"`([^`]+)`", cells[1])) for cells in roles}
    assert shown == dict(USUAL)


def test_the_page_has_every_choice() -> None:
    assert names(section(PAGE, "### Funnel")) == [each.value for each in (Order.ORDERED, Order.STRICT, Order.ANY)]
    for each in (*Per, *Cohorts):
        assert re.search(rf"\b{each.value}\b", PAGE), each
    assert all(f"`{each}`" in section(PAGE, "### Lost, and won back") for each in LOST_STAGES)


@pytest.mark.parametrize("name", ["figures", "retention_rates", "nps"])
def test_every_figure_of_a_table_stands_on_the_page(name: str) -> None:
    report = reckoned(load("metrics").lifecycle, shop_interactions(40))
    text = PAGE.lower()
    table = next(each for each in report.tables if each.id == name)
    lacking = {str(row[0]) for row in table.rows if str(row[0]).lower() not in text}
    # They need no more words than stand beside them in the report.
    plain = {"Advertising cost", "Active at the start (S)", "Active at the end (E)", "New (N)", "Stayed", "Answers"}
    assert lacking - plain - {"Promoters", "Passives", "Detractors", "New buyers"} == set()
