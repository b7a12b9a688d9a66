"""What `lifecycle demo` shows: stages filling, changes flowing; plain lines where there is no terminal."""

import time
from collections import Counter, deque
from types import TracebackType
from typing import Self

import msgspec
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from stream.cli.terminal.change_lines import line_of
from stream.codec.stage_change_reader import StageChangeValue
from stream.codec.times import format_time
from stream.core.interaction import Interaction
from stream.core.lifecycle import Lifecycle
from stream.settings import Settings

_LATEST = 12
_OTHER_LINES = 8
_ID_SHOWN = 12
_BAR = 40
_PLAIN_SECONDS = 2.0


class Screen:
    """Counts what it is told, and draws it while its context lasts."""

    def __init__(self, lifecycle: Lifecycle, settings: Settings) -> None:
        self.total = 0
        """Interactions that will be sent."""
        self.changes = 0
        self.finished = False
        self._lifecycle, self._settings = lifecycle, settings
        self._sent = 0
        self._time = 0
        self._began = self._told = time.monotonic()
        self._now: Counter[str | None] = Counter()
        self._ever: Counter[str | None] = Counter()
        self._latest: deque[StageChangeValue] = deque(maxlen=_LATEST)
        self._console = Console()
        self._live = Live(get_renderable=self._draw, console=self._console, refresh_per_second=8)

    def __enter__(self) -> Self:
        self._console.print(f"metrics: {self._metrics}", highlight=False)
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()

    @property
    def _metrics(self) -> str:
        return f"http://{self._settings.web_bind}:{self._settings.web_port}/metrics"

    def sent(self, interaction: Interaction) -> None:
        """An interaction went to the broker."""
        self._sent += 1
        self._time = interaction.time
        if not self._console.is_terminal and time.monotonic() - self._told > _PLAIN_SECONDS:
            self._told = time.monotonic()
            filled = ", ".join(f"{stage.title} {self._now[name]:,}" for name, stage in self._lifecycle.stages.items())
            self._console.print(
                f"{format_time(self._time)[:10]}  {self._sent:,} interactions  {filled}", soft_wrap=True
            )

    def changed(self, change: StageChangeValue) -> None:
        """A stage change was read back."""
        self.changes += 1
        self._now[change.from_stage] -= 1
        self._now[change.to_stage] += 1
        self._ever[change.to_stage] += 1
        self._latest.append(change)

    def summarise(self) -> None:
        """What came of it, as a table that stays."""
        seconds = time.monotonic() - self._began
        table = Table("Stage", "Customers now", "Times entered", title=self._lifecycle.title, title_justify="left")
        for name, stage in self._lifecycle.stages.items():
            table.add_row(stage.title, f"{self._now[name]:,}", f"{self._ever[name]:,}")
        self._console.print(table)
        self._console.print(
            f"{self._sent:,} of {self.total:,} interactions, {self.changes:,} stage changes, {seconds:.0f} s",
            highlight=False,
        )

    def _room(self) -> int:
        """How many changes fit under the stages and above the footer."""
        return max(1, min(_LATEST, self._console.height - len(self._lifecycle.stages) - _OTHER_LINES))

    def _draw(self) -> RenderableType:
        most = max((self._now[name] for name in self._lifecycle.stages), default=1)
        stages = Table.grid(padding=(0, 2))
        for name, stage in self._lifecycle.stages.items():
            bar = ProgressBar(total=max(most, 1), completed=max(self._now[name], 0), width=_BAR)
            stages.add_row(Text(stage.title), bar, Text(f"{self._now[name]:,}", justify="right"))
        when = format_time(self._time)[:10] if self._time else "…"
        progress = Table.grid(padding=(0, 2))
        progress.add_row(
            Text(when, style="bold"),
            ProgressBar(total=max(self.total, 1), completed=self._sent, width=_BAR),
            Text(f"{self._sent:,} of {self.total:,} interactions, {self.changes:,} stage changes"),
        )
        footer = "all replayed; " if self.finished else ""
        return Group(
            Text(self._lifecycle.title, style="bold"),
            Text(),
            stages,
            Text(),
            *(_short(change) for change in list(self._latest)[-self._room() :]),
            Text(),
            progress,
            Text(f"{footer}metrics at {self._metrics}; Ctrl-C ends the demo", style="dim"),
        )


def _short(change: StageChangeValue) -> Text:
    """One line however narrow the terminal, of an anonymous visitor the beginning of its long id."""
    anonymous = change.anonymous_id[:_ID_SHOWN] if change.anonymous_id else None
    line = line_of(msgspec.structs.replace(change, anonymous_id=anonymous))
    line.no_wrap, line.overflow = True, "ellipsis"
    return line
