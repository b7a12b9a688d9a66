"""What `lifecycle demo` shows: stages filling, changes in words; plain lines where there is no terminal."""

import time
from collections import Counter, deque
from types import TracebackType
from typing import Final, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.status import Status
from rich.table import Table
from rich.text import Text

from stream.cli.terminal.amounts import amount
from stream.cli.terminal.demo_story import Story, line_of
from stream.codec.plain import plain
from stream.codec.stage_change_reader import StageChangeValue
from stream.core.interaction import Interaction
from stream.core.lifecycle import Lifecycle
from stream.core.times import format_time

_MOST_LINES: Final = 10
_OTHER_LINES: Final = 11
"""Lines of the picture besides the stages and the changes."""
_MOST_BAR: Final = 40
_LINE_SECONDS: Final = 0.7
"""A change in words stays readable: no more than one in this time."""
_PLAIN_SECONDS: Final = 2.0
_VISITORS: Final = "An anonymous visitor counts on each device, until forgotten."
_NEXT_STEPS: Final = (
    "lifecycle preset metrics > shop.yaml     # to change it",
    "lifecycle demo --save shop.jsonl.gz      # its data",
    "lifecycle simulate --lifecycle shop.yaml \\",
    "    --input shop.jsonl.gz                # without Kafka",
)


class Screen:
    """Counts what it is given, and draws it from `begin` to the end of its context."""

    def __init__(self, title: str, note: str, seconds: int) -> None:
        """`title`: what is shown; `note`: what to expect of it; `seconds`: how long it will take."""
        self.total = 0
        """Interactions that will be sent."""
        self.changes = 0
        self.finished = False
        self._title, self._note, self._seconds = title, note, seconds
        self._lifecycle: Lifecycle | None = None
        self._addresses: tuple[str, ...] = ()
        self._sent = 0
        self._time = 0
        self._began = self._heard = self._picked = time.monotonic()
        self._now: Counter[str | None] = Counter()
        self._ever: Counter[str | None] = Counter()
        self._story = Story()
        self._visitors = False
        """Whether there were any that nobody knows."""
        self._lines: deque[Text] = deque(maxlen=_MOST_LINES)
        self._console = Console()
        self._status: Status | None = None
        self._live: Live | None = None

    def __enter__(self) -> Self:
        self._print(Text(f"{self._title} in {amount(self._seconds, 'second')}.", style="bold"))
        self._print(Text(self._note))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end_status()
        self._end_picture()

    def starting(self, what: str) -> None:
        """Something is being started, which takes seconds."""
        self._end_status()
        if self._console.is_terminal:
            self._status = self._console.status(f"Starting {what} …")
            self._status.start()
        else:
            self._print(Text(f"Starting {what} …"))

    def begin(self, lifecycle: Lifecycle, worker: str, collector: str) -> None:
        """Everything runs: draw the lifecycle's stages. The addresses are of the worker and the collector."""
        self._end_status()
        self._lifecycle = lifecycle
        self._addresses = (
            f"look at all of it in a browser: {worker}/",
            f"customers: {worker}/v1/customers/c00163   changes: {worker}/v1/stage-changes",
            f"takes interactions: {collector}   metrics: {worker}/metrics",
        )
        self._began = self._heard = time.monotonic()
        if self._console.is_terminal:
            self._live = Live(get_renderable=self._draw, console=self._console, refresh_per_second=8, transient=True)
            self._live.start()
        else:
            for each in self._addresses:
                self._print(Text(each))

    def sent(self, interaction: Interaction) -> None:
        """An interaction went to the broker."""
        self._sent += 1
        self._time = interaction.time
        now = time.monotonic()
        if not self._console.is_terminal and now - self._heard > _PLAIN_SECONDS:
            self._heard = now
            self._print(Text(f"{self._date}  {self._filled()}"))
            change = self._story.pick()
            if change is not None:
                self._print(line_of(change))

    def changed(self, change: StageChangeValue) -> None:
        """A stage change was read back."""
        self.changes += 1
        self._now[change.from_stage] -= 1
        self._now[change.to_stage] += 1
        self._ever[change.to_stage] += 1
        self._visitors = self._visitors or change.anonymous_id is not None
        self._story.add(change)

    def summarise(self) -> None:
        """In place of the picture: what came of it, as a table that stays, and one life in words."""
        self._end_picture()
        if self._lifecycle is None:
            return
        table = Table("Stage", box=None, pad_edge=False, header_style="dim")
        table.add_column("Now", justify="right")
        table.add_column("Times entered", justify="right")
        for name, stage in self._lifecycle.stages.items():
            table.add_row(Text(stage.title), f"{self._now[name]:,}", f"{self._ever[name]:,}")
        seconds = time.monotonic() - self._began
        done = f"{self._sent:,} of {amount(self.total, 'interaction')}, {amount(self.changes, 'stage change')}"
        lines: list[RenderableType] = [
            Text(),
            Text(f"{self._lifecycle.title}, as of {self._date}", style="bold"),
            table,
            *([Text(_VISITORS, style="dim")] if self._visitors else []),
            Text(),
            *self._life(),
            Text(),
            Text(f"{done}, {seconds:.0f} s"),
            Text("What next:", style="bold"),
            *(Text(f"  {each}") for each in _NEXT_STEPS),
        ]
        for line in lines:
            self._print(line)

    @property
    def _date(self) -> str:
        return format_time(self._time)[:10] if self._time else "…"

    def _filled(self) -> str:
        stages = self._lifecycle.stages if self._lifecycle is not None else {}
        return ", ".join(f"{stage.title} {self._now[name]:,}" for name, stage in stages.items())

    def _end_status(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None

    def _print(self, line: RenderableType) -> None:
        """One line: cut at the terminal's edge; whole where it goes to a file or a pipe."""
        if self._console.is_terminal:
            self._console.print(line, no_wrap=True, overflow="ellipsis")
        else:
            self._console.print(line, soft_wrap=True)

    def _end_picture(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _life(self) -> list[Text]:
        life = self._story.life()
        if not life:
            return []
        lines = [line_of(change, subject=False) for change in life]
        return [Text(f"One of them, {plain(life[0].subject)}:", style="bold"), *lines]

    def _room(self) -> int:
        """How many changes fit under the stages and above the footer."""
        stages = len(self._lifecycle.stages) if self._lifecycle is not None else 0
        return max(1, min(_MOST_LINES, self._console.height - stages - _OTHER_LINES))

    def _latest(self) -> list[Text]:
        """Some of the changes, at a pace at which they can be read."""
        now = time.monotonic()
        if now - self._picked > _LINE_SECONDS and (change := self._story.pick()) is not None:
            self._picked = now
            self._lines.append(line_of(change))
        room = self._room()
        shown = list(self._lines)[-room:]
        return [Text("Some of the changes, and why:", style="bold"), *shown, *[Text()] * (room - len(shown))]

    def _draw(self) -> RenderableType:
        assert self._lifecycle is not None
        stages = self._lifecycle.stages
        most = max([1, *(self._now[name] for name in stages)])
        titles = max(len(stage.title) for stage in stages.values())
        bar = max(5, min(_MOST_BAR, self._console.width - titles - 10))
        filling = Table.grid(padding=(0, 2, 0, 0))
        for name, stage in stages.items():
            filled = ProgressBar(total=most, completed=max(self._now[name], 0), width=bar)
            filling.add_row(Text(stage.title), filled, Text(f"{self._now[name]:,}", justify="right"))
        progress = Table.grid(padding=(0, 2, 0, 0))
        done = ProgressBar(total=max(self.total, 1), completed=self._sent, width=bar)
        progress.add_row(Text(f"{self._date:<{titles}}", style="bold"), done)
        if self.finished:
            footer = "The end. Ctrl-C leaves with a summary; until then:"
            lines = self._life()[: self._room() + 1]
        else:
            catching_up = " The worker catches up." if self._sent == self.total else ""
            footer = f"{self._sent:,} of {amount(self.total, 'interaction')}.{catching_up} Ctrl-C ends it."
            lines = self._latest()
        return Group(
            Text(),
            filling,
            Text(),
            *lines,
            Text(),
            progress,
            Text(footer, style="dim"),
            *(Text(each, style="dim", no_wrap=True, overflow="ellipsis") for each in self._addresses),
        )
