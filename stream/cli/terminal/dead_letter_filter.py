"""Which dead letters are wanted: the options that `list` and `replay` share."""

import inspect
from functools import wraps
from typing import Annotated, Any, NamedTuple

import typer

from stream.cli.terminal.options import Command, declare
from stream.cli.terminal.time_argument import moment
from stream.codec.dead_letter_reasons import Reason
from stream.codec.dead_letters import Address, DeadLetter


class DeadLetterFilter(NamedTuple):
    """Which dead letters are wanted; None and empty: any."""

    reasons: frozenset[str]
    addresses: frozenset[Address]
    partition: int | None
    key: str | None
    since: int | None
    until: int | None
    contains: bytes | None

    @property
    def everything(self) -> bool:
        """None of the options was given."""
        return not any(self[:2]) and self[2:] == (None,) * (len(self) - 2)

    @property
    def partitions(self) -> set[int] | None:
        """Where the wanted ones are; None: anywhere."""
        if self.partition is not None:
            return {self.partition}
        return {each.partition for each in self.addresses} or None

    def matches(self, dead_letter: DeadLetter) -> bool:
        """Whether it is wanted."""
        key, time = dead_letter.key, dead_letter.time
        return (
            (not self.reasons or dead_letter.reason in self.reasons)
            and (not self.addresses or dead_letter.address in self.addresses)
            and self.partition in (None, dead_letter.address.partition)
            and (self.key is None or (key is not None and self.key == key_text(key)))
            and (self.since is None or time >= self.since)
            and (self.until is None or time < self.until)
            and (self.contains is None or self.contains in (dead_letter.value or b""))
        )


def _filter(
    *,
    reason: Annotated[
        list[Reason] | None,
        typer.Option(metavar="REASON", help=f"Only those of this reason; repeatable. One of {', '.join(Reason)}."),
    ] = None,
    address: Annotated[
        list[str] | None,
        typer.Option(metavar="PARTITION-OFFSET", help="Only this one, as `list` names it; repeatable."),
    ] = None,
    partition: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="Only those in this partition of their topic.")
    ] = None,
    key: Annotated[str | None, typer.Option(metavar="TEXT", help="Only those with this key.")] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Only those put there at this time or later: RFC 3339 or epoch ms."),
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Only those put there before this time.")] = None,
    contains: Annotated[str | None, typer.Option(metavar="TEXT", help="Only those whose value contains this.")] = None,
) -> DeadLetterFilter:
    """Read the options. Raises BadParameter."""
    return DeadLetterFilter(
        frozenset(each.value for each in reason or ()),
        frozenset(address_of(each, "'--address'") for each in address or ()),
        partition,
        key,
        None if since is None else moment(since, "--since"),
        None if until is None else moment(until, "--until"),
        None if contains is None else contains.encode("utf-8", "surrogateescape"),
    )


_OPTIONS = inspect.signature(_filter, eval_str=True).parameters
FILTER_OPTIONS = ", ".join(f"--{name}" for name in _OPTIONS)
"""For messages."""


def with_filter(command: Command) -> Command:
    """Give a command the options that choose dead letters; it takes them as one argument `wanted`, by name."""

    @wraps(command)
    def run(**given: object) -> None:
        chosen: dict[str, Any] = {name: given.pop(name) for name in _OPTIONS}
        command(**given, wanted=_filter(**chosen))

    own = inspect.signature(command, eval_str=True).parameters.values()
    return declare(run, [*_OPTIONS.values(), *(each for each in own if each.name != "wanted")])


def address_of(text: str, hint: str) -> Address:
    """Read `<partition>-<offset>`. Raises BadParameter."""
    partition, _, offset = text.partition("-")
    if not all(each.isascii() and each.isdecimal() and len(each) <= 18 for each in (partition, offset)):
        raise typer.BadParameter(
            f"{text!r} is no address of a dead letter; right is its partition and offset, such as 0-12", param_hint=hint
        )
    return Address(int(partition), int(offset))


def key_text(key: bytes) -> str:
    r"""A key as text; bytes that are not UTF-8 are spelled \xff."""
    return key.decode("utf-8", "backslashreplace")
