"""Runs drills: a stack for each setting, one drill after the other on it, and the counter's verdict after each."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from time import monotonic
from typing import Literal

from tuntas_contracts.vocabulary import Service
from tuntas_demo.drills.brokers import CLOCK_OFF_BROKER, clock_off_environment
from tuntas_demo.drills.clients import AGENCIES
from tuntas_demo.drills.model import Drill, DrillFailed, DrillSkipped, Setting
from tuntas_demo.drills.scene import Scene
from tuntas_demo.drills.soak import Soak, soak
from tuntas_demo.drills.soak_faults import LOSING
from tuntas_devstack.options import StackOptions
from tuntas_devstack.stack import Stack
from tuntas_operations.errors import StackError

Say = Callable[[str], None]
MAIL_LEASE_S = 5
PROXIED = ("triage-2", "dispatch-2")


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one drill. `measured` are seconds by what they are of."""

    name: str
    outcome: Literal["held", "failed", "skipped"]
    seconds: float
    detail: str = ""
    measured: dict[str, float] = field(default_factory=dict)


def stack_options(setting: Setting, *, clock_off: bool = False) -> StackOptions:
    """The stack of a setting; always on servers of its own. `clock_off` sets the clock of one of three brokers off."""
    pairs = setting is Setting.PAIRS
    return StackOptions(
        agencies=AGENCIES,
        simulated_clock=True,
        trace_ratio=0.0,
        replicas=dict.fromkeys(Service, 2) if pairs else {},
        proxied=PROXIED if pairs else (),
        brokers=1 if pairs else 3,
        broker_environment={CLOCK_OFF_BROKER: clock_off_environment()} if clock_off else {},
        environment={Service.NOTIFIER: {"TUNTAS_MAIL_LEASE_S": str(MAIL_LEASE_S), "TUNTAS_MAILS_PER_SECOND": "1000"}},
        ready_within_s=240,
        kafka=None,
        database=None,
    )


def soak_options() -> StackOptions:
    """The stack of the soak: two processes of each service, three brokers, and an agency more, whose topic is deleted."""
    return replace(stack_options(Setting.PAIRS), agencies=(*AGENCIES, LOSING), brokers=3)


@asynccontextmanager
async def staged(options: StackOptions, folder: Path, rng: Random, reports: int, say: Say) -> AsyncIterator[Scene]:
    """A stack that is started for drills and removed afterwards.

    Raises:
        StackError: it can't be had.
    """
    stack = Stack(folder, options, say=say)
    await asyncio.to_thread(stack.start)
    try:
        scene = Scene(stack, rng, reports, say)
        try:
            await scene.begin()
            yield scene
        finally:
            await scene.close()
    finally:
        await asyncio.to_thread(stack.stop)
        await asyncio.to_thread(stack.delete_data)


async def do(drill: Drill, scene: Scene, verdict: Say) -> Result:
    """One drill and its verdict; never raises."""
    began = monotonic()
    scene.measured = {}
    scene.clients.faults.clear()
    verdict(f"drill {drill.name}: {drill.fault}")
    try:
        await drill.run(scene)
        await scene.verdict()
    except DrillSkipped as reason:
        result = Result(drill.name, "skipped", monotonic() - began, str(reason))
    except Exception as error:
        detail = str(error) if isinstance(error, StackError) else f"{type(error).__name__}: {error}"
        result = Result(drill.name, "failed", monotonic() - began, detail, scene.measured)
    else:
        result = Result(drill.name, "held", monotonic() - began, "", scene.measured)
    measured = [f"{what} {seconds:.1f} s" for what, seconds in result.measured.items()]
    verdict(
        f"drill {drill.name}: {result.outcome} after {result.seconds:.0f} s"
        + "".join(f"; {more}" for more in (result.detail, *measured) if more)
    )
    return result


def new_folder() -> Path:
    """A temporary folder for a stack."""
    folder = Path(tempfile.mkdtemp(prefix="tuntas-drill-"))
    folder.chmod(0o711)  # PostgreSQL does not run as root, and must get through
    return folder


async def run_drills(drills: Sequence[Drill], seed: int, reports: int, say: Say) -> list[Result]:
    """All of these drills. After one that failed the others of its setting get a stack of their own."""
    results: list[Result] = []
    for setting in Setting:
        left = [drill for drill in drills if drill.setting is setting]
        while left:
            clock_off = left[0].name == "one-clock-off"
            together = [drill for drill in left if (drill.name == "one-clock-off") is clock_off]
            folder, before = new_folder(), len(results)
            try:
                async with staged(
                    stack_options(setting, clock_off=clock_off), folder / "stack", Random(f"{seed}:{setting}"), reports, say
                ) as scene:
                    while together:
                        drill = together.pop(0)
                        left.remove(drill)
                        scene.rng.seed(f"{seed}:{drill.name}")
                        results.append(await do(drill, scene, say))
                        if results[-1].outcome == "failed":
                            break
            except StackError as error:  # the stack itself: what was to be done next on it is unknown
                if not left:
                    raise
                say(f"no stack for the drills: {error}")
                unseen = left.pop(0)
                results.append(Result(unseen.name, "failed", 0.0, f"no stack: {error}"))
            finally:
                _clear(folder, say, [result.name for result in failed(results[before:])])
    return results


def _clear(folder: Path, say: Say, wrong: Sequence[str]) -> None:
    """Remove a stack's folder; after a failure its logs stay."""
    for left in folder.glob("stack/*"):
        if not (wrong and left.name == "logs"):
            shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink()
    if wrong:
        say(f"the logs of {', '.join(wrong)} are in {folder / 'stack' / 'logs'}")
    else:
        shutil.rmtree(folder, ignore_errors=True)


async def run_soak(hours: float, seed: int, say: Say) -> Soak:
    """The soak on a stack of its own.

    Raises:
        DrillFailed: something does not hold.
    """
    folder, held = new_folder(), False
    try:
        async with staged(soak_options(), folder / "stack", Random(f"{seed}:soak"), 0, say) as scene:
            result = await soak(scene, hours, seed)
            held = True
            return result
    finally:
        _clear(folder, say, () if held else ("the soak",))


def failed(results: Sequence[Result]) -> list[Result]:
    """Those of the results that did not hold."""
    return [result for result in results if result.outcome == "failed"]


def must_hold(result: Result) -> None:
    """Raises DrillFailed where a drill failed."""
    if result.outcome == "failed":
        raise DrillFailed(f"{result.name}: {result.detail}")
