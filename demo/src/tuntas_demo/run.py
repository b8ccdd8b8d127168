"""Runs a demo from an empty folder to its summary."""

import asyncio
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic

import uvloop

from dispatch.domain.register import load_register
from tuntas_chassis.clock import SimulatedClock
from tuntas_demo.corpus import GeneratedReport, reports
from tuntas_demo.display import Display
from tuntas_demo.ending import summed_up
from tuntas_demo.interruption import deaf_to_signals
from tuntas_demo.office_hours import OfficeHours
from tuntas_demo.options import FIRST_DAY, DemoFailed, DemoOptions, stack_options
from tuntas_demo.play import Play, Script
from tuntas_demo.summary import Summary
from tuntas_demo.time import start_clock
from tuntas_devstack.stack import Stack
from tuntas_embedded.folder import StackFolder
from tuntas_embedded.postgres.data_dir import remove_data_dir
from tuntas_reference.calendar_files import load_calendar

_MARKS_OF_A_STACK = ("state.json", "secrets.json", "kafka", "postgres")


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
                remove_data_dir(target)
                target.remove()


def refuse_data_of_others(folder: StackFolder) -> None:
    """A demo never touches the data of another stack.

    Raises:
        DemoFailed: the folder holds some.
    """
    if any((folder.path / name).exists() for name in _MARKS_OF_A_STACK):
        raise DemoFailed(f"{folder.path} holds the data of a stack: name a new folder with --folder, or leave it out for a temporary one")


def _in_folder(folder: StackFolder, options: DemoOptions, display: Display, afterwards: Callable[[Stack, Summary], None]) -> Summary:
    began = monotonic()
    register = load_register()
    office_hours = OfficeHours(load_calendar(), FIRST_DAY, options.days)
    folder.make()
    SimulatedClock.create(folder.clock)
    start_clock(SimulatedClock(folder.clock), office_hours.first_moment)
    stack = Stack(folder.path, stack_options(), say=display.say)
    try:

        def write() -> list[GeneratedReport]:
            display.say(f"writing {options.reports:,} reports")
            return list(reports(options.seed, options.reports, list(register), start=FIRST_DAY, days=office_hours.submission_days))

        written = _while_starting(stack, write)
        start_s = monotonic() - began
        display.say(f"ready after {start_s:.0f} s")
        script = Script(options, office_hours, register, written)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            summary = runner.run(_play(stack, script, display, start_s))
        afterwards(stack, summary)
        return summary
    finally:
        with deaf_to_signals():
            stack.stop()


def _while_starting(stack: Stack, write: Callable[[], list[GeneratedReport]]) -> list[GeneratedReport]:
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="write") as pool:
        writing = pool.submit(write)
        stack.start()  # in this thread, which hears Ctrl-C
        return writing.result()


async def _play(stack: Stack, script: Script, display: Display, start_s: float) -> Summary:
    play = Play(stack, script)
    await play.open()
    try:
        with display:
            display.follow(play.look)
            await play.run(display)
        display.say("comparing what was accepted, published, owned and delivered")
        return await summed_up(play, stack, start_s)
    finally:
        await play.close()
