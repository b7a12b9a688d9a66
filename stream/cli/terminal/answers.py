"""Explanations of customers of an offline run: for people, and as lines of JSON."""

from collections.abc import Iterable, Sequence

import orjson
from rich.console import Console

from stream.cli.terminal.explanation_view import explanation_view
from stream.codec.plain import plain
from stream.core.customer import Customer
from stream.errors import InputFileError
from stream.offline.result_files import write_lines
from stream.offline.simulation import Simulation


class Answers:
    """What is to be told of those who are asked about."""

    def __init__(self, simulation: Simulation, asked: Sequence[str], until: int | None) -> None:
        """`asked` are ids, or several with commas between them; `until`: to when time has passed, epoch ms."""
        self._unknown: list[str] = []
        found: list[Customer] = []
        for each in asked:
            for subject in _ids(simulation, each):
                named = simulation.customers_named(subject)
                found += named
                if not named:
                    self._unknown.append(subject)
        self._answers = [simulation.answer(customer, until) for customer in found]

    def show(self, console: Console) -> None:
        """Print them one below the other."""
        for answer in self._answers:
            console.print("", explanation_view(answer), sep="\n")

    def write(self, path: str) -> None:
        """Write a line of JSON for each; `-` is the standard output. Raises LifecycleError where it cannot be."""
        write_lines(path, map(orjson.dumps, self._answers))

    def check(self) -> None:
        """Raise InputFileError where nobody has an id that was asked for."""
        if self._unknown:
            ids = ", ".join(plain(repr(each)) for each in self._unknown)
            raise InputFileError(f"nobody is there with the id {ids} at the end: not in these files, or forgotten")


def _ids(simulation: Simulation, asked: str) -> Iterable[str]:
    """An id may have commas itself."""
    if simulation.customers_named(asked):
        return [asked]
    return [part.strip() for part in asked.split(",") if part.strip()]
