"""How the readers of a record stop: with a reason, and what was wrong in words."""

from typing import Final

from stream.codec.dead_letter_reasons import Reason, Rejected

_MOST_SHOWN: Final = 40


class Refusal(Exception):
    """The record is no interaction."""

    def __init__(self, reason: Reason, detail: str) -> None:
        self.rejected = Rejected(reason, detail)


def kind_of(value: object) -> str:
    """What a value is, for messages that show nothing of a customer."""
    if value is None:
        return "missing or null"
    if isinstance(value, str):
        return "text" if value.strip() else "blank"
    if isinstance(value, bool):
        return "a boolean"
    if is_number(value):
        return f"the number {str(value)[:_MOST_SHOWN]}"
    return "a list" if isinstance(value, list) else "an object"


def is_number(value: object) -> bool:
    """A number, which a boolean is not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)
