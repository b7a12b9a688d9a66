"""One mistake in a lifecycle file gives one error, which says what is right."""

from textwrap import dedent

import pytest

from stream.codec.lifecycle_yaml.lifecycle_files import LifecycleFileError, parse

SHOP = dedent("""\
    lifecycle: shop
    interactions:
      visit: [page]
      order: [Order Completed]
    scores:
      interest: {half_life: 14d, max: 100}
    signals:
      looked: {each: visit, add: {interest: 5}}
      spent: {each: order, add: {interest: 9}}
    facts:
      revenue: {sum: properties.total, each: order}
      last_visit: {last: visit}
    stages:
      visitor: {}
      customer: {}
    transitions:
      - {from: visitor, to: customer, when: interest >= 50}
      - {from: customer, to: visitor, when: interest < 10}
""")


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("  interest: {half", "  intrest: {half", "8:31: unknown score 'interest'; did you mean 'intrest'?"),
        ("  customer: {}", "  custmer: {}", "17:25: unknown stage 'customer'; did you mean 'custmer'?"),
        (
            "\n  interest: {half_life: 14d, max: 100}",
            " [interest]",
            "5:9: a mapping was expected (names and their values), not a list; write `name: value`, without - and [ ]",
        ),
        ("{each: visit,", "{each visit,", "8:12: unknown key 'each visit'; did you mean 'each'?"),
        (
            "interest: 5}}",
            "interest: 5}, at_most: 10 per 1d}",
            "8:54: at_most: is written {times: 10, per: 1d}, not the text '10 per 1d'",
        ),
        (
            "interest: 5",
            "interest: properties.total / 10",
            "8:58: numbers and properties joined by * alone are calculated, as in properties.price",
        ),
        (
            "sum: properties.total",
            "sum: order.total",
            "11:18: a property such as properties.total was expected, not the text 'order.total'; did you mean",
        ),
        ("interest >= 50", "'interest >= 1.500,00'", "17:60: a number has a decimal point; write 1500.00"),
        ("interest >= 50", "interest >= 1,500", "17:55: a comma begins the next entry here; a number has a decimal"),
        ("  - {from: visitor", "  {from: visitor", "18:3: not YAML"),
        ("add: {interest: 9}", "adding: {interest: 9}", "9:24: unknown key 'adding'; did you mean 'add'?"),
        ("{each: visit,", "{each: visit, where: properties.path == /shop,", '8:51: text stands in double quotes: "/…"'),
        (
            "signals:",
            "ledgers:\n  bought: {each: order, where: since(last_visit) >= 30s}\nsignals:",
            "8:38: since(last_visit): `where` of a ledger sees the interaction only",
        ),
        (
            "when: interest < 10",
            "when: 'properties.products[0].price > 5'",
            "18:62: a path does not lead into a list; over: takes its elements one by one",
        ),
    ],
)
def test_one_mistake_gives_one_error(right: str, wrong: str, message: str) -> None:
    """However often the name is used that is misspelt where it is made."""
    assert right in SHOP
    with pytest.raises(LifecycleFileError) as caught:
        parse(SHOP.replace(right, wrong), "shop.yaml")
    (error,) = caught.value.findings
    assert f"{error.line}:{error.column}: {error.message}".startswith(message)


def test_two_names_that_are_not_there_are_two_errors() -> None:
    """And a key that is misspelt twice is two mistakes."""
    text = SHOP.replace("interest >= 50", "intrest >= 50").replace("interest < 10", "intrst < 10")
    with pytest.raises(LifecycleFileError) as caught:
        parse(text.replace("{each: ", "{ech: "), "shop.yaml")
    assert len(caught.value.findings) == 4


@pytest.mark.parametrize(
    "condition",
    ["Unsubscribed", "'\"Unsubscribed\"'", "event == Unsubscribed", 'event == "Unsubscribed"', "not Unsubscribed"],
)
@pytest.mark.parametrize("name", ["Unsubscribed", "Email Opened", "Order Completed", "order"])
def test_an_event_name_alone_is_told_in_the_words_that_are_right(condition: str, name: str) -> None:
    """And what is told is a condition that can be used."""
    text = SHOP.replace("interest >= 50", condition.replace("Unsubscribed", name))
    with pytest.raises(LifecycleFileError) as caught:
        parse(text, "shop.yaml")
    (error,) = caught.value.findings
    word = "order" if name == "Order Completed" else name
    told = f'event.type == "{word}"'
    assert told in error.message
    parse(SHOP.replace("interest >= 50", told), "shop.yaml")


@pytest.mark.parametrize("condition", ["spent >= 3", "since(spent) >= 3d", "exists(spent)", "spent"])
def test_a_signal_in_a_condition_is_told_as_a_fact_that_can_be_used(condition: str) -> None:
    """A fact may have the name of a signal."""
    text = SHOP.replace("interest < 10", condition)
    with pytest.raises(LifecycleFileError) as caught:
        parse(text, "shop.yaml")
    (error,) = caught.value.findings
    fact = error.message.partition("facts: {")[2].removesuffix("}")
    assert fact.startswith("spent: {")
    if condition != "spent":
        parse(text.replace("facts:\n", f"facts:\n  {fact}\n"), "shop.yaml")
