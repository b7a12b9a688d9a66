"""Mappings as people write them after `--map`, and what they are told when one cannot be right."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.codec.files.column_mapping import ColumnMapping, Pair, example
from stream.errors import InputFileError

REST = "customer_id=c,type=e,time=t"


def parsed(pair: str) -> Pair:
    """The pair that is read from a text, beside those that no mapping can be without."""
    return ColumnMapping.parse([REST, pair]).pairs[-1]


def refusal(*texts: str) -> str:
    """What is said of a mapping that is refused."""
    with pytest.raises(InputFileError) as caught:
        ColumnMapping.parse(texts)
    return str(caught.value)


def test_several_texts_are_one_mapping() -> None:
    """Pairs may stand in one option or in several."""
    together = ColumnMapping.parse(["customer_id=household_id,type=event,time=day,properties.total=sales_value"])
    assert together == ColumnMapping.parse(
        ["customer_id=household_id", "type=event,time=day", "properties.total=sales_value"]
    )
    assert together.pairs[0] == Pair(("customer_id",), ("household_id",), None)
    assert together.pairs[3] == Pair(("properties", "total"), ("sales_value",), None)


@pytest.mark.parametrize(
    ("text", "target", "source"),
    [
        ("id=basket_id", "id", ("basket_id",)),
        (" id = basket id , ", "id", ("basket id",)),
        ("id=order.no", "id", ("order", "no")),
        ("context.device.type=d", "context.device.type", ("d",)),
        ('id="order.no"', "id", ("order.no",)),
        ('id="a, b".c', "id", ("a, b", "c")),
        ('id="say ""no"""', "id", ('say "no"',)),
        ("id=customer's", "id", ("customer's",)),
        ("id=Bestellung №", "id", ("Bestellung №",)),
        ("properties.unit price=p", "properties.unit price", ("p",)),
    ],
)
def test_a_source_is_a_path_whose_names_may_be_quoted(text: str, target: str, source: tuple[str, ...]) -> None:
    """Dots divide a path, double quotes keep a name together."""
    assert parsed(text) == Pair(tuple(target.split(".")), source, None)


@pytest.mark.parametrize(
    ("text", "constant"),
    [
        ("id='Order Completed'", "Order Completed"),
        ("id='a,b=c.d'", "a,b=c.d"),
        ("id='it''s'", "it's"),
        ("id=''", ""),
        ("id='\"'", '"'),
    ],
)
def test_single_quotes_make_a_constant(text: str, constant: str) -> None:
    """Whatever stands between them is the text, without any meaning of its own."""
    assert parsed(text) == Pair(("id",), (), constant)


@settings(deadline=None)
@given(st.text(min_size=1))
def test_any_name_can_be_quoted(name: str) -> None:
    """There is no column that a mapping cannot name, and no text that cannot be a constant."""
    quoted = name.replace('"', '""')
    assert parsed(f'id="{quoted}"').source == (name,)
    assert parsed(f'properties."{quoted}"=x').target == ("properties", name)
    quoted = name.replace("'", "''")
    assert parsed(f"id='{quoted}'").constant == name


@settings(deadline=None)
@given(st.text())
def test_any_text_is_a_mapping_or_refused(text: str) -> None:
    """No text raises anything else."""
    with suppress(InputFileError):
        ColumnMapping.parse([text])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("costumer_id=c", "no target is called 'costumer_id'; did you mean customer_id?"),
        ("name=c", "There are customer_id, anonymous_id, type, time, id, properties.<name>, context.<name>"),
        ("property.total=c", "no target is called 'property.total'"),
        ("properties=c", "no target is called 'properties'; did you mean properties.<name>?"),
        ("id.x=c", "no target is called 'id.x'"),
        ("id=a,id=b", "the target 'id' stands twice"),
        (
            "properties.a=x,properties.b=y,properties.a.c=z",
            "'properties.a' cannot be a value and hold 'properties.a.c'",
        ),
        ("id", "cannot be read from 'id' on; right is target=source"),
        ("id=", "cannot be read from 'id=' on"),
        ("id=a,,time=b", "cannot be read from ',time=b' on"),
        ("id=a=b", "cannot be read from 'id=a=b' on"),
        ("id=a..b", "cannot be read from 'id=a..b' on"),
        ("id='Order", 'cannot be read from "id=\'Order" on'),
        ('id="Order', "cannot be read from 'id=\"Order' on"),
    ],
)
def test_a_mapping_that_cannot_be_right_is_refused_with_what_would_be(text: str, said: str) -> None:
    """The message names the place, and the nearest that is right."""
    assert said in refusal(REST, text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "type=e,time=t",
            "where to find customer_id or anonymous_id; add for example customer_id=household_id",
        ),
        ("anonymous_id=c,time=t", "where to find type; add for example type='Order Completed'"),
        ("customer_id=c,type=e", "where to find time; add for example time="),
        ("", "where to find customer_id or anonymous_id"),
    ],
)
def test_what_every_interaction_needs_has_to_be_mapped(text: str, said: str) -> None:
    """Without an id, a type or a time no record of the file could be read."""
    assert said in refusal(text)


def test_a_record_is_built_from_the_values_that_are_there() -> None:
    """Targets nest; None leaves its place out."""
    mapping = ColumnMapping.parse([REST, "id=i,properties.a.b=x,properties.a.c=y,context.d=z"])
    assert mapping.record(["1", "visit", 5, None, True, 0, None]) == {
        "customer_id": "1",
        "type": "visit",
        "time": 5,
        "properties": {"a": {"b": True, "c": 0}},
    }


@pytest.mark.parametrize(
    ("columns", "option"),
    [
        (
            ["household_id", "store_id", "sales_value", "transaction_timestamp"],
            (
                "--map \"customer_id=household_id,time=transaction_timestamp,type='Order Completed',"
                'properties.total=sales_value"'
            ),
        ),
        (["Event", "User ID", "Date"], '--map "customer_id=User ID,time=Date,type=Event"'),
        (["a", "b"], "--map \"customer_id=WHO,time=WHEN,type='Order Completed'\""),
        (["client.id", "date", "type"], """--map 'customer_id="client.id",time=date,type=type'"""),
    ],
)
def test_the_example_for_a_file_is_made_of_its_columns(columns: list[str], option: str) -> None:
    """What is guessed from the names is right for a shell, and is a mapping."""
    assert example(columns) == option
    ColumnMapping.parse([option.removeprefix("--map ")[1:-1]])
