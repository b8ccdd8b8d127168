"""Faults of one broker among three: killed, frozen, its clock off, a partition below its minimum, all restarted in turn."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

from tuntas_demo.drills.faults import admin_of, frozen
from tuntas_demo.drills.model import Drill, DrillSkipped, Setting
from tuntas_demo.drills.scene import Scene
from tuntas_embedded.threads import in_thread

_OTHER = "kota-32-73"
_FLOWS_WITHIN_S = 60.0
_FIRED_WITHIN_S = 60.0
_LEAD_S = 30.0
_HANGS_S, _ANSWERS_S = 4.0, 2.0  # less than the session of a broker, so that it stays in sync
_ACCEPTED_LATE, _APART_S, _MARGIN_S = 10, 0.8, 4.0  # the first accepted 12 s before the first limit, the last 5 s
CLOCK_OFF_S = -5.0
CLOCK_OFF_BROKER = "kafka-3"


def fake_time_library() -> str | None:
    """libfaketime on this machine, by which one process's clock is set off; None where it is not installed."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    return str(found[0]) if found else None


def clock_off_environment() -> dict[str, str]:
    """What sets the clock of a broker off from its start on; empty where libfaketime is not installed."""
    library = fake_time_library()
    if library is None:
        return {}
    # of the clock that only measures how long a wait takes nothing is faked, or the JVM's waits end at once and too late in turn
    only_the_date = {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1", "FAKETIME_FORCE_MONOTONIC_FIX": "0"}
    return {"LD_PRELOAD": library, "FAKETIME": f"{CLOCK_OFF_S:+.0f}s", **only_the_date}


async def _goes_on(scene: Scene, fault: Callable[[], Awaitable[None]]) -> None:
    """Under load and with a deadline that runs out meanwhile: everything arrives, and the deadline fires on time."""
    cases = await scene.file(3, _OTHER)
    await scene.delivered(cases, _FLOWS_WITHIN_S)
    limit = await scene.approach_deadline(cases[-1], "C2", _LEAD_S)
    begun = len(scene.clients.filed)
    scene.say(f"a deadline runs out in {_LEAD_S:.0f} s; reports come in meanwhile")
    async with scene.load(min(scene.reports, 60)):
        await fault()
        await scene.missed_on_time(cases, "C2", limit, _FIRED_WITHIN_S, "deadline late by")
    await scene.delivered(list(scene.clients.filed.values())[begun:], _FLOWS_WITHIN_S, "flows again after")
    await _in_sync(scene)
    scene.clients.no_errors_of_ours()


async def _in_sync(scene: Scene) -> None:
    admin = admin_of(scene.stack)

    async def all_there() -> bool:
        topics = (await asyncio.to_thread(admin.list_topics, timeout=20)).topics.values()
        return all(len(p.isrs) == len(p.replicas) for topic in topics for p in topic.partitions.values())

    await scene.until(all_there, "every replica is in sync again", 180)


def _any_broker(scene: Scene) -> str:
    return str(scene.rng.choice([part.name for part in scene.stack.state.brokers()]))


async def one_broker_killed(scene: Scene) -> None:
    """One broker dies and comes back."""
    part = _any_broker(scene)

    async def fault() -> None:
        scene.say(f"kill -9 {part}")
        await in_thread(scene.stack.kill, part)
        await scene.delivered(await scene.file(30), _FLOWS_WITHIN_S, "without it")
        await in_thread(scene.stack.restart, part)

    await _goes_on(scene, fault)


async def one_broker_frozen(scene: Scene) -> None:
    """One broker hangs for a while."""
    part = _any_broker(scene)

    async def fault() -> None:
        scene.say(f"{part} is frozen")
        async with frozen(scene.stack, part):
            await scene.delivered(await scene.file(30), _FLOWS_WITHIN_S, "without it")

    await _goes_on(scene, fault)


async def slow_follower(scene: Scene) -> None:
    """One broker answers only now and then: what is appended is read seconds later. Cases are accepted just before their deadline."""
    part = _any_broker(scene)
    cases = await scene.file(_ACCEPTED_LATE + 3, _OTHER)
    await scene.delivered(cases, _FLOWS_WITHIN_S)
    in_time, unanswered = cases[:_ACCEPTED_LATE], cases[_ACCEPTED_LATE:]
    first = await scene.limit_of(in_time[0], "C2")
    limit = await scene.approach_deadline(unanswered[-1], "C2", _LEAD_S)
    over = asyncio.Event()

    async def slow() -> None:
        while not over.is_set():
            async with frozen(scene.stack, part):
                await asyncio.sleep(_HANGS_S)
            await asyncio.sleep(_ANSWERS_S)

    scene.say(f"{part} hangs for {_HANGS_S:.0f} s of each {_HANGS_S + _ANSWERS_S:.0f} s; {_ACCEPTED_LATE} cases are accepted just in time")
    slowing = asyncio.create_task(slow())
    try:
        for place, case in enumerate(in_time):
            await scene.at(first - timedelta(seconds=_MARGIN_S + (_ACCEPTED_LATE - place) * _APART_S))
            await scene.clients.accept(case)
        await scene.missed_on_time(unanswered, "C2", limit, _FIRED_WITHIN_S, "deadline late by")
    finally:
        over.set()
        await slowing
    await scene.delivered(await scene.file(6), _FLOWS_WITHIN_S)
    await _in_sync(scene)
    scene.clients.no_errors_of_ours()


async def one_clock_off(scene: Scene) -> None:
    """One broker's clock is off, from its start on."""
    if not clock_off_environment():
        raise DrillSkipped("libfaketime is not installed (Debian: libfaketime): a broker's clock can't be set off")

    async def fault() -> None:
        scene.say(f"the clock of {CLOCK_OFF_BROKER} is off by {CLOCK_OFF_S:+.0f} s")
        commanded = await scene.file(10, _OTHER)
        await scene.delivered(commanded, _FLOWS_WITHIN_S)
        await scene.commands_accepted(commanded, 10.0, "slowest command")

    await _goes_on(scene, fault)


async def partition_below_minimum(scene: Scene) -> None:
    """Two of three brokers are down: no partition can be written to; then they come back."""
    first, second = scene.rng.sample([part.name for part in scene.stack.state.brokers()], 2)

    async def fault() -> None:
        scene.say(f"{first} and {second} are killed")
        await in_thread(scene.stack.kill, first)
        await in_thread(scene.stack.kill, second)
        waiting = await scene.file(12)
        await asyncio.sleep(10)
        scene.say("both come back")
        await asyncio.gather(*(in_thread(scene.stack.restart, part) for part in (first, second)))
        await scene.delivered(waiting, _FLOWS_WITHIN_S * 2, "what waited arrives after")

    await _goes_on(scene, fault)


async def rolling_restart(scene: Scene) -> None:
    """Each broker is ended and started again, the next one when all replicas are in sync."""

    async def fault() -> None:
        for part in scene.stack.state.brokers():
            scene.say(f"{part.name} is restarted")
            await in_thread(scene.stack.restart, part.name)
            await _in_sync(scene)

    await _goes_on(scene, fault)


DRILLS = (
    Drill(
        name="one-broker-killed",
        setting=Setting.THREE_BROKERS,
        fault="One of three brokers is killed",
        waits="Its partitions, until another broker leads them",
        goes_on="Everything",
        within_s=_FLOWS_WITHIN_S,
        alerts=("ServiceGone",),
        operator="Bring it back; while it is away a second failure stops writing",
        run=one_broker_killed,
        quick=True,
    ),
    Drill(
        name="one-broker-frozen",
        setting=Setting.THREE_BROKERS,
        fault="One of three brokers hangs",
        waits="Its partitions, until its session ends and another leads them",
        goes_on="Everything",
        within_s=_FLOWS_WITHIN_S,
        alerts=("OutboxStandsStill",),
        operator="End it; it comes back as a follower",
        run=one_broker_frozen,
    ),
    Drill(
        name="slow-follower",
        setting=Setting.THREE_BROKERS,
        fault="One of three brokers answers only now and then, and stays in sync",
        waits="Whatever it leads or must copy, for seconds",
        goes_on="Everything, later; no breach is invented of what was done just in time",
        within_s=_FLOWS_WITHIN_S,
        alerts=("OutboxStandsStill",),
        operator="Look at its disk and its node; move its partitions away if it stays slow",
        run=slow_follower,
    ),
    Drill(
        name="one-clock-off",
        setting=Setting.THREE_BROKERS,
        fault=f"The clock of one of three brokers is off by {abs(CLOCK_OFF_S):.0f} s",
        waits="Nothing",
        goes_on="Everything; no breach is invented",
        within_s=_FLOWS_WITHIN_S,
        alerts=("ClockSkew",),
        operator="Set its clock right by NTP",
        run=one_clock_off,
    ),
    Drill(
        name="partition-below-minimum",
        setting=Setting.THREE_BROKERS,
        fault="Partitions have fewer replicas in sync than their minimum",
        waits="What goes to those partitions, in the outbox; deadlines of their cases",
        goes_on="Submitting and reading over HTTP",
        within_s=_FLOWS_WITHIN_S * 2,
        alerts=("OutboxStandsStill", "TopicsBlocked"),
        operator="Bring the brokers back; never lower the minimum",
        run=partition_below_minimum,
    ),
    Drill(
        name="brokers-restarted",
        setting=Setting.THREE_BROKERS,
        fault="All three brokers are restarted, one after the other",
        waits="Each one's partitions, for the moment in which another takes the lead",
        goes_on="Everything",
        within_s=_FLOWS_WITHIN_S,
        alerts=(),
        operator="Wait for every replica to be in sync before the next one",
        run=rolling_restart,
    ),
)
