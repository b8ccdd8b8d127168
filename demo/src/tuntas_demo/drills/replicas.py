"""Processes of a service join and leave while others still read what was already on the topics."""

import asyncio

from tuntas_contracts.vocabulary import Service
from tuntas_demo.drills.killed import replicas_of
from tuntas_demo.drills.model import Drill, Setting
from tuntas_demo.drills.scene import Scene
from tuntas_embedded.threads import in_thread

_FLOWS_WITHIN_S = 120.0


async def replicas_join_and_leave(scene: Scene) -> None:
    """A second and a third process join while the first reads what has piled up, and one leaves again."""
    service = scene.rng.choice([Service.TRIAGE, Service.DISPATCH, Service.NOTIFIER])
    first, *others = replicas_of(scene, service)
    scene.say(f"all of {service} is stopped, and reports pile up")
    for part in (first, *others):
        await asyncio.to_thread(scene.stack.stop_part, part)
    filed = await scene.file(scene.reports)
    scene.say(f"{first} starts; the others join while it reads")
    await asyncio.gather(*(in_thread(scene.stack.restart, part) for part in (first, *others)))
    third = await asyncio.to_thread(scene.stack.add_replica, service)
    scene.say(f"{third} joins, and {first} leaves")
    await in_thread(scene.stack.kill, first)
    await scene.delivered(filed, _FLOWS_WITHIN_S, "delivered")
    await asyncio.to_thread(scene.stack.stop_part, third)
    scene.stack.forget(third)
    await in_thread(scene.stack.restart, first)
    await scene.delivered(await scene.file(6), _FLOWS_WITHIN_S)


DRILLS = (
    Drill(
        name="replicas-join-and-leave",
        setting=Setting.PAIRS,
        fault="Processes of a service join and leave while others read what has piled up",
        waits="What is on the partitions that are reassigned, for seconds",
        goes_on="Everything else",
        within_s=_FLOWS_WITHIN_S,
        alerts=("ConsumerLags",),
        operator="Nothing",
        run=replicas_join_and_leave,
    ),
)
