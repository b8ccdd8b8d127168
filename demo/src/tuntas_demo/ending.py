"""Sums a play up: figures from the services' own interfaces, mails from the mail server, cases from topics and databases."""

import asyncio
from time import monotonic
from typing import Any

from psutil import Process

from tuntas_demo.bench.accounting import cpu_seconds, memory_mb
from tuntas_demo.checks import checks
from tuntas_demo.pipeline_snapshot import by_bucket
from tuntas_demo.play import Play
from tuntas_demo.summary import Mails, Pace, Summary
from tuntas_devstack.stack import Stack
from tuntas_devstack.state import read_databases
from tuntas_embedded.mailbox import stored_mails
from tuntas_operations.reconciliation import Reconciler
from tuntas_operations.reconciliation.rounds import Result


async def summed_up(play: Play, stack: Stack, start_s: float) -> Summary:
    """The summary of a play that has ended, with its stack idle; `start_s` is what the start took."""
    play_s, ended = play.seconds, monotonic()
    cpu_s, memory = await asyncio.to_thread(_used, stack)
    reconciliation = await _reconciled(stack)
    figures = await _figures(play, stack)
    mails = await asyncio.to_thread(_mails, play, stack)
    counters, options, office_hours = play.counters, play.script.options, play.script.office_hours
    held = checks(
        reports=options.reports,
        book=play.book,
        counters=counters,
        figures=figures,
        mails=mails,
        mistakes=sum(play.systems.mistakes.values()),
        reconciliation=reconciliation,
        parked=await play.quiet.parked(),
        faults=play.faults,
        deaths=stack.deaths,
    )
    end_s = monotonic() - ended
    states = play.book.states()
    return Summary(
        seed=options.seed,
        reports=options.reports,
        accepted=len(play.book),
        first_day=office_hours.first_day.isoformat(),
        last_day=office_hours.last_day.isoformat(),
        working_days=options.days,
        holidays=office_hours.holidays(),
        buckets=by_bucket(states),
        states={state.value: number for state, number in states.items()},
        classes=figures.get("classes", []),
        clocks=figures.get("clocks", []),
        warnings=dict(counters.warnings),
        missed=dict(counters.missed),
        closed=dict(counters.closed),
        returned=counters.events["CaseReturned"],
        arbitrated=sum(case.arbitrated for case in play.book),
        misconduct=sum(case.report.payload.misconduct for case in play.book),
        refused=dict(counters.refused),
        mails=mails,
        pace=_pace(play, start_s, play_s, end_s, memory, cpu_s),
        reconciliation=reconciliation,
        checks=held,
        faults=play.faults.count,
        shown_faults=play.faults.shown,
    )


def _pace(play: Play, start_s: float, play_s: float, end_s: float, memory: int, cpu_s: dict[str, float]) -> Pace:
    requests = play.api_client.requests.total()
    return Pace(
        start_s=start_s,
        play_s=play_s,
        end_s=end_s,
        total_s=start_s + play_s + end_s,
        reports_per_s=len(play.book) / (play.arrived_s or play_s),
        messages=play.counters.messages,
        messages_per_s=play.counters.messages / play_s,
        requests=requests,
        requests_per_s=requests / play_s,
        requests_by_kind=dict(play.api_client.requests.most_common()),
        commands=play.systems.commands,
        memory_mb=memory,
        cpu_s=cpu_s,
    )


def _used(stack: Stack) -> tuple[dict[str, float], int]:
    """CPU-seconds by part since the start, and megabytes now; `players` is this process, which plays everybody."""
    this = Process()
    times = this.cpu_times()
    cpu_s = cpu_seconds(stack.state.parts) | {"players": times.user + times.system}
    memory = sum(memory_mb(stack.state.parts).values()) + this.memory_full_info().uss / 1e6
    return {name: round(seconds, 1) for name, seconds in cpu_s.items()}, int(memory)


async def _reconciled(stack: Stack) -> Result:
    reconciler = Reconciler(stack.state.kafka, read_databases(stack.folder), stack.kafka_client())
    try:
        return await reconciler.round(in_flight_s=0)
    finally:
        reconciler.close()


async def _figures(play: Play, stack: Stack) -> dict[str, Any]:
    # a report entered by hand may have been received some days before the first
    office_hours = play.script.office_hours
    period = f"from={office_hours.first_day.year}-01-01&to={office_hours.end.date()}"
    found = await play.api_client.ask("read the public figures", "GET", f"{stack.state.url('sla-monitor')}/v1/figures?{period}")
    return found or {}


def _mails(play: Play, stack: Stack) -> Mails:
    ids = [mail.message_id for mail in stored_mails(stack.folder.mail)]
    return Mails(delivered=len(ids), distinct=len(set(ids)), by_kind=dict(play.counters.sent), undelivered=dict(play.counters.undelivered))
