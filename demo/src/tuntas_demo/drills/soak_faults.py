"""The faults among which a round of the soak chooses: one of every kind, each for some seconds."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from tuntas_contracts.vocabulary import Service
from tuntas_demo.drills.clients import AGENCIES
from tuntas_demo.drills.databases import SERVICES as DATABASES
from tuntas_demo.drills.faults import (
    cut_off,
    database_read_only,
    foreign_transaction,
    frozen,
    mail_refused,
    right_taken,
    slow_requests,
    topic_deleted,
)
from tuntas_demo.drills.hostile import at_its_worst
from tuntas_demo.drills.scene import Scene
from tuntas_demo.drills.topic_log import agency_topic
from tuntas_embedded.threads import in_thread

WATCHED = tuple(service.value for service in Service)
"""The processes whose memory is measured: they are never killed; their second replicas are."""
LOSING = "bnpb"
"""The agency whose topic is deleted: its records are gone, so that nothing is compared for it."""
_FAULT_S = 3.0
_DELIVERED_WITHIN_S = 240.0
_CASES_OF_THE_WORST = 6
_CASES_OF_A_LOST_TOPIC = 3
_SLOW_CLIENTS = 100

Fault = Callable[[Scene], Coroutine[Any, Any, None]]


def faults_of(scene: Scene) -> Mapping[str, Fault]:
    """Every fault that a round can bring about, by name."""
    stack, rng = scene.stack, scene.rng
    brokers = [part.name for part in stack.state.brokers()]
    to_brokers = [name for name in stack.proxies if name != "postgres"]
    return {
        "service killed": lambda s: _kill(s, f"{rng.choice(WATCHED)}-2"),
        "service frozen": lambda s: _while(frozen(stack, rng.choice(WATCHED))),
        "broker killed": lambda s: _kill(s, rng.choice(brokers)),
        "broker frozen": lambda s: _while(frozen(stack, rng.choice(brokers))),
        "partitions below their minimum": lambda s: _kill(s, *rng.sample(brokers, 2)),
        "database killed": lambda s: _kill(s, "postgres"),
        "read-only database": lambda s: _while(database_read_only(stack, rng.choice(DATABASES))),
        "forgotten transaction": lambda s: _while(foreign_transaction(stack, rng.choice(DATABASES))),
        "cut off from database": lambda s: _while(cut_off(stack, "postgres")),
        "cut off from broker": lambda s: _while(cut_off(stack, *to_brokers)),
        "right missing": lambda s: _while(right_taken(stack, "dispatch", agency_topic(rng.choice(AGENCIES)))),
        "topic deleted": _topic_deleted,
        "agency at its worst": lambda s: _at_its_worst(s, rng.choice(AGENCIES)),
        "slow clients": lambda s: _while(slow_requests(stack, "intake", _SLOW_CLIENTS)),
        "mail put off": lambda s: _while(mail_refused(stack)),
    }


async def _while(fault: AbstractAsyncContextManager[object]) -> None:
    async with fault:
        await asyncio.sleep(_FAULT_S)


async def _kill(scene: Scene, *parts: str) -> None:
    for part in parts:
        await in_thread(scene.stack.kill, part)
    await asyncio.gather(*(in_thread(scene.stack.restart, part) for part in parts))


async def _at_its_worst(scene: Scene, agency: str) -> None:
    cases = await scene.file(_CASES_OF_THE_WORST, agency)
    await scene.delivered(cases, _DELIVERED_WITHIN_S)
    await _while(at_its_worst(scene, agency, cases))


async def _topic_deleted(scene: Scene) -> None:
    """The topic of one agency is deleted while cases are on their way to it, and created again."""
    scene.lost.add(LOSING)
    async with topic_deleted(scene.stack, agency_topic(LOSING)):
        waiting = await scene.file(_CASES_OF_A_LOST_TOPIC, LOSING)
        await asyncio.sleep(_FAULT_S)
    await scene.topic_recreated(agency_topic(LOSING))
    await scene.delivered(waiting, _DELIVERED_WITHIN_S)
