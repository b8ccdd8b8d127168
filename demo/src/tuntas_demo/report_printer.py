"""Prints the summary of a play."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from tuntas_contracts.lifecycle import CLOCKS
from tuntas_demo.pipeline_snapshot import clock_rows
from tuntas_demo.summary import Summary

_SHOWN_DIFFERENCES = 20


def print_summary(summary: Summary, console: Console) -> None:
    """Print it."""
    console.print()
    console.rule("Result")
    holidays = f", with {', '.join(summary.holidays)}" if summary.holidays else ""
    days = f"{summary.working_days} working days until {summary.last_day}{holidays}"
    console.print(f"{summary.accepted:,} reports from {summary.first_day} on; {days}.\n")
    console.print(_states(summary))
    console.print()
    console.print(_classes(summary.classes))
    console.print()
    console.print(_clocks(summary.warnings, summary.missed))
    console.print()
    for line in _lines(summary):
        console.print(line)
    console.print()
    for check in summary.checks:
        mark = "[green]✓[/]" if check.holds else "[bold red]✗[/]"
        console.print(f"{mark} {check.name}: {check.detail}", highlight=False)
    for difference in summary.reconciliation.differences[:_SHOWN_DIFFERENCES]:
        console.print(f"  [red]{difference.case_id}  {difference.kind}: {difference.detail}[/]", highlight=False)
    for fault in summary.shown_faults:
        console.print(f"  [red]{fault}[/]", highlight=False, markup=True)


def _states(summary: Summary) -> Table:
    table = Table(title="States of the reports", box=None, pad_edge=False, title_justify="left", title_style="bold")
    table.add_column("bucket of the national statistics")
    table.add_column("reports", justify="right")
    table.add_column("", justify="right")
    for name, number in summary.buckets.items():
        table.add_row(name, f"{number:,}", f"{number / max(summary.accepted, 1):.0%}")
    return table


def _classes(classes: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(title="Completion (C4) by service class", box=None, pad_edge=False, title_justify="left", title_style="bold")
    table.add_column("class")
    for heading in ("on time", "late", "still running", "mean working days to the answer"):
        table.add_column(heading, justify="right")
    for one in classes:
        mean = one["mean_follow_up_working_days"]
        shown = "–" if mean is None else f"{mean:.1f}"
        table.add_row(one["service_class"], f"{one['on_time']:,}", f"{one['late']:,}", f"{one['running']:,}", shown)
    return table


def _clocks(warnings: Mapping[str, int], missed: Mapping[str, int]) -> Table:
    table = Table(title="Warnings and missed deadlines", box=None, pad_edge=False, title_justify="left", title_style="bold")
    table.add_column("clock")
    table.add_column("warnings", justify="right")
    table.add_column("missed", justify="right")
    measures = {str(row.number): row.measures for row in CLOCKS.values()}
    for clock, warned, late in clock_rows(warnings, missed):
        table.add_row(f"{clock} {measures.get(clock, '')}", f"{warned:,}", f"{late:,}")
    return table


def _lines(summary: Summary) -> Sequence[str]:
    closed, mails, pace = summary.closed, summary.mails, summary.pace
    refused = ", ".join(f"{code} {number}" for code, number in sorted(summary.refused.items())) or "none"
    undelivered = "; ".join(f"{number:,} given up: {reason}" for reason, number in mails.undelivered.items())
    return (
        f"Closed: {closed.get('no_reply', 0):,} by silence for ten working days, {closed.get('satisfied', 0):,} by satisfied reporters. "
        f"Returned as bukan wewenang: {summary.returned:,}; sent by binding arbitration: {summary.arbitrated:,}. "
        f"Misconduct, which stays at the centre: {summary.misconduct:,}.",
        f"Mails delivered: {mails.delivered:,}{f'; {undelivered}' if undelivered else ''}.",
        f"Commands of agencies' own systems over Kafka: {pace.commands:,}; refused with a reason: {refused}.",
        f"Throughput: {pace.reports_per_s:,.0f} reports/s while they came in, {pace.requests_per_s:,.0f} HTTP requests/s and "
        f"{pace.messages_per_s:,.0f} messages/s over the whole play.",
        f"Time: {pace.start_s:.0f} s to start, {pace.play_s:.0f} s of play, {pace.end_s:.0f} s to check, {pace.total_s:.0f} s in all; "
        f"memory {pace.memory_mb:,} MB.",
    )
