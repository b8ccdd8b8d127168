"""Shows the play: a live snapshot on a terminal, a line every few seconds anywhere else."""

from collections.abc import Callable
from time import monotonic
from types import TracebackType
from typing import Protocol, Self

from rich.bar import Bar
from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from tuntas_demo.office_hours import WIB
from tuntas_demo.pipeline_snapshot import ORDER, PipelineSnapshot, clock_rows

_DAYS = ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu")
_MONTHS = ("Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September", "Oktober", "November", "Desember")
_COLOURS = ("yellow", "dark_orange", "magenta", "cyan", "blue", "green", "grey58")
_LINE_EVERY_S = 4.0
_BAR_WIDTH = 44

Look = Callable[[], PipelineSnapshot]


class Display(Protocol):
    """Shows what `look` gives until it is left."""

    def __enter__(self) -> Self: ...
    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...
    def say(self, step: str) -> None:
        """Show a step before or after the play."""
        ...

    def follow(self, look: Look) -> None:
        """Begin to show."""
        ...

    def tick(self) -> None:
        """A moment of the play has passed."""
        ...


class LiveDisplay:
    """For a terminal: redrawn four times a second."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def say(self, step: str) -> None:
        """Above the snapshot, if there is one."""
        self._console.print(f"[dim]{step}[/]")

    def follow(self, look: Look) -> None:
        """Begin to show."""
        self._live = Live(get_renderable=lambda: drawn(look()), console=self._console, refresh_per_second=4)
        self._live.start()

    def tick(self) -> None:
        """It is redrawn anyway."""


class LineDisplay:
    """For a log: plain lines."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._look: Look | None = None
        self._written_at = -float("inf")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._look = None

    def say(self, step: str) -> None:
        """One line."""
        self._write(step)

    def follow(self, look: Look) -> None:
        """Begin to show."""
        self._look = look

    def tick(self) -> None:
        """A line, if the last one is some seconds old."""
        if self._look is not None and monotonic() - self._written_at >= _LINE_EVERY_S:
            self._written_at = monotonic()
            self._write(line(self._look()))


def moment_of(snapshot: PipelineSnapshot) -> str:
    """The simulated moment as Indonesians write it."""
    now = snapshot.now.astimezone(WIB)
    return f"{_DAYS[now.weekday()]} {now.day} {_MONTHS[now.month - 1]} {now.year}, {now:%H.%M} WIB"


def line(snapshot: PipelineSnapshot) -> str:
    """The snapshot in one line."""
    states = ", ".join(f"{name} {number:,}" for name, number in snapshot.buckets.items() if number)
    return (
        f"[{snapshot.seconds:3.0f} s] {moment_of(snapshot)} (day {snapshot.day} of {snapshot.days}): {snapshot.accepted:,} accepted; "
        f"{states or 'nothing yet'}; warnings {snapshot.warned:,}, missed {snapshot.late:,}; mails {snapshot.mails:,}; "
        f"{snapshot.messages_per_s:,.0f} messages/s"
    )


def drawn(snapshot: PipelineSnapshot) -> RenderableType:
    """The snapshot for a terminal."""
    off = "  [red](libur)[/]" if snapshot.day_off else ""
    head = Text.from_markup(
        f"[bold]{moment_of(snapshot)}[/]{off}   working day {snapshot.day} of {snapshot.days}   "
        f"[dim]{snapshot.seconds:.0f} s of yours; {snapshot.doing}[/]"
    )
    return Panel(Group(head, "", _states(snapshot), "", Columns([_pipeline(snapshot), _clocks(snapshot)], padding=(0, 6))), title="Tuntas")


def _states(snapshot: PipelineSnapshot) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(min_width=38)
    table.add_column(justify="right", min_width=6)
    table.add_column(width=_BAR_WIDTH)
    for name, colour in zip(ORDER, _COLOURS, strict=True):
        number = snapshot.buckets[name]
        table.add_row(name, f"{number:,}", Bar(max(snapshot.reports, 1), 0, number, width=_BAR_WIDTH, color=colour))
    return table


def _pipeline(snapshot: PipelineSnapshot) -> Table:
    table = Table.grid(padding=(0, 2))
    rows = (
        ("accepted", f"{snapshot.accepted:,} of {snapshot.reports:,}"),
        ("forwarded to agencies", f"{snapshot.forwarded:,}"),
        ("answers", f"{snapshot.events.get('CaseAnswered', 0):,}"),
        ("returned (bukan wewenang)", f"{snapshot.events.get('CaseReturned', 0):,}"),
        ("closed satisfied / by silence", f"{snapshot.closed.get('satisfied', 0):,} / {snapshot.closed.get('no_reply', 0):,}"),
        ("archived", f"{snapshot.events.get('CaseArchived', 0):,}"),
        ("commands over Kafka, refused", f"{snapshot.commands:,}, {snapshot.refused:,}"),
        ("mails", f"{snapshot.mails:,}"),
        ("HTTP requests", f"{snapshot.requests:,}"),
        ("messages read", f"{snapshot.messages:,} ({snapshot.messages_per_s:,.0f}/s)"),
    )
    for name, figure in rows:
        table.add_row(name, figure)
    if snapshot.faults:
        table.add_row("[red]faults[/]", f"[red]{snapshot.faults:,}[/]")
    return table


def _clocks(snapshot: PipelineSnapshot) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("clock")
    table.add_column("warnings", justify="right")
    table.add_column("missed", justify="right")
    for clock, warned, missed in clock_rows(snapshot.warnings, snapshot.missed):
        table.add_row(clock, f"{warned:,}", f"[red]{missed:,}[/]" if missed else "0")
    return table
