"""Runs a demo from an empty folder to its summary."""

import asyncio
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import uvloop

from dispatch.domain.register import load_register
from sla_monitor.adapters.calendar_files import load_calendar
from tuntas_chassis.clock import SimulatedClock
from tuntas_devstack.corpus import reports
from tuntas_devstack.demo.checks import checks
from tuntas_devstack.demo.display import Display
from tuntas_devstack.demo.interruption import deaf_to_signals
from tuntas_devstack.demo.options import FIRST_DAY, DemoFailed, DemoOptions, stack_options
from tuntas_devstack.demo.picture import by_bucket
from tuntas_devstack.demo.play import Play
from tuntas_devstack.demo.summary import Mails, Pace, Summary
from tuntas_devstack.demo.time import start_clock
from tuntas_devstack.demo.timetable import Timetable
from tuntas_devstack.demo.usage import usage
from tuntas_devstack.folder import StackFolder
from tuntas_devstack.mailbox import stored_mails
from tuntas_devstack.postgres.home import remove_home
from tuntas_devstack.reconciliation import Reconciler
from tuntas_devstack.reconciliation.rounds import Result
from tuntas_devstack.stack import Stack
from tuntas_devstack.state import read_databases

_MARKS_OF_A_STACK = ("state.json", "secrets.json", "kafka", "postgres")
_FIGURES_WITHIN_S = 60.0


def run_demo(folder: Path | None, options: DemoOptions, display: Display, afterwards: Callable[[Stack, Summary], None]) -> Summary:
    """Play in a folder that holds no stack yet; None is a temporary one, removed at the end.

    `afterwards` is called with the running stack, which is ended when it returns.

    Raises:
        DemoFailed: the folder is somebody's, or the play could not be brought to its end.
        StackError: the stack can't be had.
    """
    target = StackFolder(Path(tempfile.mkdtemp(prefix="tuntas-demo-")) if folder is None else folder)
    refuse_data_of_others(target)
    try:
        if folder is None:
            target.path.chmod(0o711)  # PostgreSQL does not run as root, and must get through
        return _in_folder(target, options, display, afterwards)
    finally:
        if folder is None:
            with deaf_to_signals(), target.held():
                remove_home(target)
                target.remove()


def _in_folder(folder: StackFolder, options: DemoOptions, display: Display, afterwards: Callable[[Stack, Summary], None]) -> Summary:
    began = monotonic()
    register = load_register()
    timetable = Timetable(load_calendar(), FIRST_DAY, options.days)
    folder.make()
    SimulatedClock.create(folder.clock)
    start_clock(SimulatedClock(folder.clock), timetable.first_moment)
    stack = Stack(folder.path, stack_options(), say=display.say)
    try:
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="stack") as pool:
            starting = pool.submit(stack.start)
            try:
                display.say(f"writing {options.reports:,} reports")
                written = list(reports(options.seed, options.reports, list(register), start=FIRST_DAY, days=timetable.arrival_days))
            except BaseException:
                stack.stop()  # so that the start gives up
                raise
            starting.result()
        started = monotonic()
        display.say(f"ready after {started - began:.0f} s")
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            summary = runner.run(
                _play(lambda: Play(stack, options, timetable, register, written), stack, display, options, timetable, began, started)
            )
        afterwards(stack, summary)
        return summary
    finally:
        with deaf_to_signals():
            stack.stop()


def refuse_data_of_others(folder: StackFolder) -> None:
    """A demo never touches the data of another stack.

    Raises:
        DemoFailed: the folder holds some.
    """
    if any((folder.path / name).exists() for name in _MARKS_OF_A_STACK):
        raise DemoFailed(f"{folder.path} holds the data of a stack: name a new folder with --folder, or leave it out for a temporary one")


async def _play(
    make: Callable[[], Play], stack: Stack, display: Display, options: DemoOptions, timetable: Timetable, began: float, started: float
) -> Summary:
    play = make()  # in the loop: Kafka's clients bind to it
    await play.open()
    try:
        with display:
            display.follow(play.look)
            await play.run(display)
        played = monotonic()
        used = await asyncio.to_thread(usage, stack.state.parts)
        display.say("comparing what was accepted, published, owned and delivered")
        reconciliation = await _reconcile(stack)
        figures = await _figures(stack, timetable)
        mails = await asyncio.to_thread(_mails, stack, play)
        parked = await play.quiet.parked()
    finally:
        await play.close()
    tally, total_s = play.tally, monotonic() - began
    play_s = played - started
    held = checks(
        reports=options.reports,
        book=play.book,
        tally=tally,
        figures=figures,
        mails=mails,
        mistakes=sum(play.systems.mistakes.values()),
        reconciliation=reconciliation,
        parked=parked,
        faults=play.faults,
        deaths=stack.deaths,
    )
    requests = sum(play.door.requests.values())
    pace = Pace(
        start_s=started - began,
        play_s=play_s,
        end_s=monotonic() - played,
        total_s=total_s,
        reports_per_s=len(play.book) / (play.arrived_s or play_s),
        messages=tally.messages,
        messages_per_s=tally.messages / play_s,
        requests=requests,
        requests_per_s=requests / play_s,
        requests_by_kind=dict(play.door.requests.most_common()),
        commands=play.systems.commands,
        memory_mb=used.memory_mb,
        cpu_s=used.cpu_s,
    )
    states = play.book.states()
    return Summary(
        seed=options.seed,
        reports=options.reports,
        accepted=len(play.book),
        first_day=timetable.first_day.isoformat(),
        last_day=timetable.last_day.isoformat(),
        working_days=options.days,
        holidays=timetable.holidays(),
        buckets=by_bucket(states),
        states={state.value: number for state, number in states.items()},
        classes=figures["classes"],
        clocks=figures["clocks"],
        warnings=dict(tally.warnings),
        missed=dict(tally.missed),
        closed=dict(tally.closed),
        returned=tally.events["CaseReturned"],
        arbitrated=sum(case.arbitrated for case in play.book),
        misconduct=sum(case.report.payload.misconduct for case in play.book),
        refused=dict(tally.refused),
        mails=mails,
        pace=pace,
        reconciliation=reconciliation,
        checks=held,
        faults=play.faults.count,
        shown_faults=play.faults.shown,
    )


async def _reconcile(stack: Stack) -> Result:
    reconciler = Reconciler(stack.state.kafka, read_databases(stack.folder))
    try:
        return await reconciler.round(in_flight_s=0)
    finally:
        reconciler.close()


async def _figures(stack: Stack, timetable: Timetable) -> dict[str, Any]:
    # a case reported by hand may have been received a few days before the first
    period = {"from": f"{timetable.first_day.year}-01-01", "to": timetable.end.date().isoformat()}
    async with httpx.AsyncClient(trust_env=False, timeout=_FIGURES_WITHIN_S) as client:
        answer = await client.get(f"{stack.state.url('sla-monitor')}/v1/figures", params=period)
        found: dict[str, Any] = answer.raise_for_status().json()
        return found


def _mails(stack: Stack, play: Play) -> Mails:
    ids = [mail.message_id for mail in stored_mails(stack.folder.mail)]
    return Mails(delivered=len(ids), distinct=len(set(ids)), by_kind=dict(play.tally.sent), undelivered=dict(play.tally.undelivered))
