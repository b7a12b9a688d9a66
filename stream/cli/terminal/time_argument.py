"""Moments as options."""

import typer

from stream.core.times import parse_time


def moment(text: str, option: str, otherwise: str = "") -> int:
    """Epoch milliseconds of an option's text: RFC 3339 or epoch milliseconds. Raises BadParameter.

    `otherwise` names what else the option takes, for the message.
    """
    time = parse_time(int(text) if text.removeprefix("-").isdecimal() else text)
    if time is None:
        raise typer.BadParameter(
            f"{text!r} is no time; right is {otherwise}2026-11-01, 2026-11-01T12:00:00Z or epoch ms",
            param_hint=f"'{option}'",
        )
    return time
