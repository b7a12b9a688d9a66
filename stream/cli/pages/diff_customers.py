"""The parts of the page that tell of customers who differ: how many part where, and why some of them do."""

from stream.cli.pages.markup import Markup, joined, tag
from stream.cli.terminal.diff_words import (
    SIDES,
    cause_words,
    ending_words,
    move_words,
    now_words,
    source_words,
    way_words,
    who,
    why_lines,
)
from stream.cli.terminal.explanation_words import Json, when


def partings_part(document: Json) -> Markup:
    """The first moments at which customers part, the most frequent first."""
    title = "The first moment at which customers part"
    rows = [
        tag(
            "tr",
            tag("td", f"{each['customers']:,}", class_="number"),
            tag("td", source_words(each, document), class_="words"),
            *(tag("td", move_words(each[side], document, side), class_="words") for side in SIDES),
        )
        for each in document["partings"]
    ]
    heads = [tag("th", "customers", class_="number", scope="col")]
    heads += [tag("th", each, scope="col") for each in ("where", "old", "new")]
    table = tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *rows))
    wide = tag("div", table, class_="wide", tabindex="0", role="region", aria_label=title)
    said = "What each of the two does with a customer at that moment; the most frequent ones first."
    return tag("section", tag("h2", title), tag("p", said, class_="quiet"), wide)


def customers_part(document: Json) -> Markup:
    """Some customers of each kind, each of whom opens."""
    customers = [_customer(each, document) for each in document["explained"]]
    said = (
        "Some of each kind: those who end in another stage, then the others; the most frequent kinds first. Times: UTC."
    )
    return tag("section", tag("h2", "Customers who differ"), tag("p", said, class_="quiet"), *customers)


def _customer(customer: Json, document: Json) -> Markup:
    name, anonymous = who(customer)
    summary = tag(
        "summary",
        tag("code", name),
        " (anonymous) " if anonymous else " ",
        tag("span", ending_words(customer, document), class_="quiet"),
    )
    told: list[tuple[str, str]] = [(f"now, {side}", now_words(customer, document, side)) for side in SIDES]
    if customer["difference"] == "another_way":
        told += [(f"way, {side}", way_words(customer, document, side)) for side in SIDES]
    parted = customer["parted"]
    where = f"{source_words(parted, document)}, {cause_words(parted)}"
    told.append(("they part", f"on {when(parted['at'])}, {where}"))
    lines = tag(
        "ul",
        *(
            tag("li", line, tag("ul", *(tag("li", each) for each in lacked)) if lacked else None)
            for line, lacked in why_lines(customer, document)
        ),
    )
    listed = tag("dl", *(joined(tag("dt", label), tag("dd", text)) for label, text in told), class_="told")
    return tag("details", summary, tag("div", listed, lines))
