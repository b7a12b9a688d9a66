"""The ledgers of one customer, as `lifecycle verify --customer` prints them."""

from io import StringIO

from rich.console import Console

from stream.cli.terminal.ledger_table import ledger_table
from stream.core.model import model_of
from tests.contract.rich import lifecycle, walked


def printed(customer, model) -> list[list[str]]:
    console = Console(width=120, record=True, file=StringIO())
    console.print(ledger_table(customer, model))
    return [line.split() for line in console.export_text().split("\n") if line.strip()]


def test_each_entry_with_what_was_returned_and_what_is_left():
    """Two orders, one changed to 25, one with 15 returned; a return that waits for its order; an order without id."""
    lines = printed(walked(), model_of([lifecycle()]))
    assert lines[0] == ["Lifecycle", "Ledger", "Entry", "of", "Amount", "Returned", "Left"]
    assert lines[1] == ["rich", "bought", "3", "in", "all", "65"]
    assert [line[1:] for line in lines[2:4]] == [["50", "15", "35"], ["25", "25"]]
    assert lines[4] == ["waits", "for", "its", "first", "word", "all", "0"]
    assert lines[5][1:] == ["5", "5"]
    assert lines[6] == ["rich", "counted", "3", "in", "all", "0"]


def test_nothing_where_there_is_no_ledger():
    plain = lifecycle("lifecycle: rich\nfacts: {n: {count: visit}}\nstages: {a: {}}")
    assert ledger_table(walked([(1_700_000_000_000, "visit", {})], plain), model_of([plain])) is None
