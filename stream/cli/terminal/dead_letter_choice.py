"""Which dead letters are meant: the options that `list` and `replay` share."""

from typing import Annotated, NamedTuple, Self

import typer

from stream.cli.terminal.time_argument import moment
from stream.codec.dead_letters import Address, DeadLetter
from stream.codec.rejected import Reason

ReasonOption = Annotated[
    list[Reason] | None,
    typer.Option(
        "--reason", metavar="REASON", help=f"Only those of this reason; repeatable. One of {', '.join(Reason)}."
    ),
]
AddressOption = Annotated[
    list[str] | None,
    typer.Option("--address", metavar="PARTITION-OFFSET", help="Only this one, as `list` names it; repeatable."),
]
PartitionOption = Annotated[
    int | None, typer.Option(metavar="N", min=0, help="Only those in this partition of their topic.")
]
KeyOption = Annotated[str | None, typer.Option(metavar="TEXT", help="Only those with this key.")]
SinceOption = Annotated[
    str | None, typer.Option(metavar="TIME", help="Only those put there at this time or later: RFC 3339 or epoch ms.")
]
UntilOption = Annotated[str | None, typer.Option(metavar="TIME", help="Only those put there before this time.")]
ContainsOption = Annotated[str | None, typer.Option(metavar="TEXT", help="Only those whose value contains this.")]


class Choice(NamedTuple):
    """Which dead letters are wanted; None and empty: any."""

    reasons: frozenset[str]
    addresses: frozenset[Address]
    partition: int | None
    key: str | None
    since: int | None
    until: int | None
    contains: bytes | None

    @classmethod
    def of(
        cls,
        reason: list[Reason] | None,
        address: list[str] | None,
        partition: int | None,
        key: str | None,
        since: str | None,
        until: str | None,
        contains: str | None,
    ) -> Self:
        """Read the options. Raises BadParameter."""
        return cls(
            frozenset(each.value for each in reason or ()),
            frozenset(address_of(each, "'--address'") for each in address or ()),
            partition,
            key,
            None if since is None else moment(since, "--since"),
            None if until is None else moment(until, "--until"),
            None if contains is None else contains.encode("utf-8", "surrogateescape"),
        )

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

    def takes(self, letter: DeadLetter) -> bool:
        """Whether it is wanted."""
        return (
            (not self.reasons or letter.reason in self.reasons)
            and (not self.addresses or letter.address in self.addresses)
            and self.partition in (None, letter.address.partition)
            and (self.key is None or (letter.key is not None and self.key == key_text(letter.key)))
            and (self.since is None or letter.time >= self.since)
            and (self.until is None or letter.time < self.until)
            and (self.contains is None or self.contains in (letter.value or b""))
        )


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
