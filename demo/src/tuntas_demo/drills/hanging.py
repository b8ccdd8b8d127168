"""Processes that hang, and processes that are cut off: their connections stay, and nothing is received over them."""

from contextlib import AbstractAsyncContextManager

from tuntas_contracts.vocabulary import Service
from tuntas_demo.drills.faults import cut_off, frozen
from tuntas_demo.drills.killed import replicas_of
from tuntas_demo.drills.model import Drill, Setting
from tuntas_demo.drills.scene import Scene

_TAKEN_OVER_WITHIN_S = 60.0
_CASES = 72  # three for each partition of the cases topic, so that every shard has some


async def _taken_over(scene: Scene, fault: AbstractAsyncContextManager[None]) -> None:
    """While the fault lasts, cases of every shard reach their agencies, and afterwards nothing is doubled."""
    await scene.file(6)
    await scene.wait_until_idle()
    async with fault:
        scene.say(f"{_CASES} reports are filed; each must be with its agency within {_TAKEN_OVER_WITHIN_S:.0f} s")
        filed = await scene.file(_CASES)
        await scene.delivered(filed, _TAKEN_OVER_WITHIN_S, "taken over")
    scene.say("the fault is over")
    await scene.delivered(await scene.file(6), _TAKEN_OVER_WITHIN_S)
    scene.clients.no_errors_of_ours()


async def service_frozen(scene: Scene) -> None:
    """The first process of a service through which every report passes."""
    service = scene.rng.choice([Service.TRIAGE, Service.DISPATCH])
    part = replicas_of(scene, service)[0]
    scene.say(f"{part} is frozen")
    await _taken_over(scene, frozen(scene.stack, part))


async def cut_off_from_database(scene: Scene) -> None:
    """The processes behind the proxies lose the database."""
    scene.say(f"{' and '.join(scene.stack.options.proxied)} are cut off from the database")
    await _taken_over(scene, cut_off(scene.stack, "postgres"))


async def cut_off_from_broker(scene: Scene) -> None:
    """The processes behind the proxies lose the broker."""
    scene.say(f"{' and '.join(scene.stack.options.proxied)} are cut off from the broker")
    await _taken_over(scene, cut_off(scene.stack, *(name for name in scene.stack.proxies if name != "postgres")))


DRILLS = (
    Drill(
        name="service-frozen",
        setting=Setting.PAIRS,
        fault="A process of a service hangs: it answers nothing, its connections stay",
        waits="Its relay shards and its partitions, until another process takes them over",
        goes_on="Everything of the other shards and partitions",
        within_s=_TAKEN_OVER_WITHIN_S,
        alerts=("TargetDown", "ServiceGone"),
        operator="Nothing; the liveness probe ends it. A node that hangs: drain it",
        run=service_frozen,
        quick=True,
    ),
    Drill(
        name="cut-off-from-database",
        setting=Setting.PAIRS,
        fault="A process is cut off from the database: no answer, no refusal",
        waits="Its relay shards and its partitions, until another process takes them over",
        goes_on="Everything of the other processes",
        within_s=_TAKEN_OVER_WITHIN_S,
        alerts=("ServiceNotReady", "OutboxStandsStill"),
        operator="Repair the network; the process continues automatically and finds that others have taken over",
        run=cut_off_from_database,
    ),
    Drill(
        name="cut-off-from-broker",
        setting=Setting.PAIRS,
        fault="A process is cut off from the broker: no answer, no refusal",
        waits="Its relay shards and its partitions, until another process takes them over",
        goes_on="Everything of the other processes",
        within_s=_TAKEN_OVER_WITHIN_S,
        alerts=("OutboxStandsStill", "ConsumerLags"),
        operator="Repair the network; the process continues automatically",
        run=cut_off_from_broker,
    ),
)
