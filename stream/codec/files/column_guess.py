"""Which columns of a foreign file, or fields of a foreign object, may be which part of an interaction: by their names.

For what is suggested to people only; nothing is ever read by it. Names are compared by their words, however these are
put together: `created_at`, `createdAt`, `Created-At`. Words of languages that write them as one count where a word ends
in them, as in `Bestelldatum`.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

_BETWEEN: Final = re.compile(r"[\W_]+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

_TIMES: Final = (
    *("timestamp", "tstamp", "zeitpunkt", "datetime", "time", "date", "datum", "fecha", "horodatage", "day", "created"),
    *("dtm", "ts", "uhrzeit"),
)
_TIME_ENDS: Final = ("timestamp", "tstamp", "datum", "zeitpunkt", "datetime", "date", "time")
_NO_TIMES: Final = frozenset(
    {"update", "candidate", "validate", "lifetime", "runtime", "uptime", "overtime", "birth", "id"}
)
_ORDERS: Final = (
    *("order id", "orderid", "order no", "order nr", "order number", "ordernumber", "orderno", "bestell nr"),
    *("bestellnr", "bestellnummer", "auftragsnr", "auftragsnummer", "rechnungsnr", "rechnungsnummer"),
    *("invoice no", "invoice number", "invoiceno"),
)
_IDS_OF_PERSONS: Final = (
    *("customer id", "customerid", "customer no", "customer nr", "customer number", "kundennr", "kundennummer"),
    *("kunden nr", "kunden id", "kundenid", "user id", "userid", "uid", "distinct id", "profile id", "contact id"),
)
_PERSONS: Final = (
    *("customer", "household", "client", "user", "member", "subscriber", "contact", "profile", "person", "account"),
    *("cust", "shopper", "buyer", "visitor", "patient", "donor", "player", "kunde", "kunden", "klant", "klient"),
    *("cliente", "aggregate"),
)
_OF_A_PERSON: Final = frozenset({"id", "no", "nr", "number", "key", "code", "hash", "ref", "email", "mail", "uuid"})
"""What may follow a person in a name that is still about which person."""
_MAILS: Final = ("email", "e mail", "mail")
_TYPES: Final = ("event name", "event type", "event", "type", "action", "vorgang", "ereignis", "evento")
_TOTALS: Final = (
    *("total", "gesamtbetrag", "revenue", "amount", "sales", "price", "value", "betrag", "umsatz", "summe", "preis"),
    *("montant", "importe", "importo", "bedrag", "kwota"),
)
_IDS: Final = frozenset({"id"})
_TOTAL_ENDS: Final = ("betrag", "umsatz", "summe", "preis", "bedrag")


class Guess(NamedTuple):
    """The names of the columns; None: nothing tells."""

    customer: str | None
    time: str | None
    type: str | None
    total: str | None
    order: str | None


def guess(columns: Sequence[str]) -> Guess:
    """Guess from the names, the likeliest word first; no column stands twice."""
    left = {column: words for column in columns if (words := _words(column))}
    time = _take(left, _TIMES, _TIME_ENDS, _NO_TIMES) or _first(
        left, lambda words: len(words) > 1 and words[-1] == "at"
    )
    order = _take(left, _ORDERS)
    customer = _take(left, _IDS_OF_PERSONS) or _person(left) or _take(left, _MAILS)
    kind = _take(left, _TYPES, not_in=_IDS)
    return Guess(customer, time, kind, _take(left, _TOTALS, _TOTAL_ENDS, _IDS), order)


def _words(column: str) -> list[str]:
    return [each.lower() for each in _BETWEEN.split(column) if each]


def _take(
    left: dict[str, list[str]], wanted: Sequence[str], ends: Sequence[str] = (), not_in: frozenset[str] = frozenset()
) -> str | None:
    for each in wanted:
        sought = each.split()
        for column, words in left.items():
            if not not_in.isdisjoint(words):
                continue
            places = range(len(words) - len(sought) + 1)
            if any(words[place : place + len(sought)] == sought for place in places) or (
                each in ends and any(word.endswith(each) for word in words)
            ):
                del left[column]
                return column
    return None


def _person(left: dict[str, list[str]]) -> str | None:
    """A column that says which person, such as `household_key` or `Kunde`; not `client_ip` or `user_agent`."""
    for person in _PERSONS:
        for column, words in left.items():
            if words[-1] in (person, f"{person}id") or (words[-1] in _OF_A_PERSON and words[-2:-1] == [person]):
                del left[column]
                return column
    return None


def _first(left: dict[str, list[str]], is_it: Callable[[list[str]], bool]) -> str | None:
    for column, words in left.items():
        if is_it(words):
            del left[column]
            return column
    return None
