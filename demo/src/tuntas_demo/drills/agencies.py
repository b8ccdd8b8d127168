"""One agency's topics, rights and commands fail in every way; the others are not affected."""

import asyncio
from contextlib import AbstractAsyncContextManager

from tuntas_demo.drills.faults import right_taken, topic_deleted
from tuntas_demo.drills.hostile import CODECS, at_its_worst
from tuntas_demo.drills.model import Drill, Setting
from tuntas_demo.drills.scene import Scene
from tuntas_demo.drills.topic_log import agency_topic, of_type

BAD, OTHER = "kab-32-01", "kota-32-73"
_COMMANDS = 50
_ACCEPTED_WITHIN_S = 5.0
_FIRED_WITHIN_S = 60.0
_LEAD_S = 45.0
_FLOWS_WITHIN_S = 10.0
_TAKEN_S = 10.0


async def _others_are_not_affected(scene: Scene, fault: AbstractAsyncContextManager[None], lasts_s: float = 0.0) -> None:
    """While the fault lasts, another agency's commands are accepted at once and its deadlines fire on time."""
    commanded = await scene.file(_COMMANDS, OTHER)
    await scene.delivered(commanded, 120)
    unanswered = await scene.file(3, OTHER)
    await scene.delivered(unanswered, 60)
    limit = await scene.approach_deadline(unanswered[-1], "C2", _LEAD_S)
    scene.say(f"the deadline of three cases of {OTHER} runs out in {_LEAD_S:.0f} s; the fault begins")
    began = asyncio.get_running_loop().time()
    async with fault:
        waiting = await scene.file(10, BAD)
        scene.say(f"{_COMMANDS} commands of {OTHER}, each to be accepted within {_ACCEPTED_WITHIN_S:.0f} s")
        await scene.commands_accepted(commanded, _ACCEPTED_WITHIN_S, "slowest command of another agency")
        await scene.missed_on_time(unanswered, "C2", limit, _FIRED_WITHIN_S, "deadline of another agency late by")
        left = lasts_s - (asyncio.get_running_loop().time() - began)
        if left > 0:
            await asyncio.sleep(left)
    scene.say("the fault is over")
    if BAD in scene.lost:
        await scene.topic_recreated(agency_topic(BAD))
    await scene.delivered(waiting, 60 + _FLOWS_WITHIN_S, "flows again after")
    await scene.delivered(await scene.file(5, BAD), 60 + _FLOWS_WITHIN_S)
    scene.clients.no_errors_of_ours()


async def right_missing(scene: Scene) -> None:
    """Dispatch may not write to one agency's topic for a while."""
    scene.say(f"dispatch loses the right to write to the topic of {BAD}")
    await _others_are_not_affected(scene, right_taken(scene.stack, "dispatch", agency_topic(BAD)), lasts_s=_TAKEN_S)


async def topic_missing(scene: Scene) -> None:
    """One agency's topic is deleted, and created again later."""
    scene.say(f"the topic of {BAD} is deleted")
    scene.lost.add(BAD)
    await _others_are_not_affected(scene, topic_deleted(scene.stack, agency_topic(BAD)), lasts_s=_TAKEN_S)


async def agency_at_its_worst(scene: Scene) -> None:
    """One agency's system writes what no system should."""
    cases = await scene.file(12, BAD)
    await scene.delivered(cases, 60)
    scene.say(f"the system of {BAD} does its worst")
    await _others_are_not_affected(scene, at_its_worst(scene, BAD, cases))
    compressed, lied = cases[: len(CODECS)], cases[5]

    async def answered() -> bool:
        answers = of_type(await scene.read(agency_topic(BAD)), agency_topic(BAD), "CaseChanged", "ActionRefused")
        keys = {record.key for record in answers}
        return all(case.case_id in keys for case in (*compressed, lied) if case.effects or case is lied)

    await scene.until(answered, f"every command of {BAD} that has an envelope is accepted or refused", 60)


DRILLS = (
    Drill(
        name="right-missing",
        setting=Setting.PAIRS,
        fault="Dispatch lacks the right to write to one agency's topic",
        waits="Messages to that agency, and the deadlines of its cases",
        goes_on="Commands and deadlines of every other agency",
        within_s=_FLOWS_WITHIN_S,
        alerts=("TopicsBlocked",),
        operator="Give the right back (`tuntas ops doctor` names it); what waits is sent automatically",
        run=right_missing,
    ),
    Drill(
        name="topic-missing",
        setting=Setting.PAIRS,
        fault="One agency's topic was deleted",
        waits="Messages to that agency, and the deadlines of its cases; the records on the topic are gone",
        goes_on="Commands and deadlines of every other agency",
        within_s=60,
        alerts=("TopicsBlocked",),
        operator="`tuntas ops topics apply` creates it again; what waits is sent automatically",
        run=topic_missing,
    ),
    Drill(
        name="agency-at-its-worst",
        setting=Setting.PAIRS,
        fault="One agency's system writes compressed, corrupt, huge and unreadable records, floods, and uses a false name",
        waits="That agency's own commands behind the bad ones",
        goes_on="Commands and deadlines of every other agency",
        within_s=60,
        alerts=("AgencyCommandsFlood", "ConsumerHalted"),
        operator="Nothing for the others. Call the agency; each of its commands is accepted or refused with a reason",
        run=agency_at_its_worst,
    ),
)
