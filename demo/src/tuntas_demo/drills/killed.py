"""Parts are killed (`kill -9`) in the middle of the work and start again at once."""

from tuntas_contracts.vocabulary import Service
from tuntas_demo.drills.model import Drill, Setting
from tuntas_demo.drills.scene import Scene
from tuntas_embedded.threads import in_thread


async def _kill(scene: Scene, part: str) -> None:
    scene.say(f"kill -9 {part}")
    await in_thread(scene.stack.kill, part)
    await in_thread(scene.stack.restart, part)


async def _kill_at_random(scene: Scene, parts: list[str]) -> None:
    """Kill each of the parts once, in a random order, at random numbers of accepted reports."""
    clients, begun = scene.clients, len(scene.clients.filed)
    moments = sorted(scene.rng.sample(range(scene.reports // 20, max(scene.reports * 19 // 20, len(parts) + 1)), len(parts)))
    order = scene.rng.sample(parts, len(parts))
    async with scene.load():
        for moment, part in zip(moments, order, strict=True):

            async def reached(moment: int = moment) -> bool:
                return len(clients.filed) - begun >= moment

            await scene.until(reached, f"{moment} reports are accepted", 240)
            await _kill(scene, part)
    filed = list(clients.filed.values())[begun:]
    await scene.delivered(filed, 240, "delivered")
    clients.no_errors_of_ours()


async def service_killed(scene: Scene) -> None:
    """One process of one service."""
    await _kill_at_random(scene, [scene.rng.choice([part.name for part in scene.stack.state.parts if part.kind == "service"])])


async def broker_killed(scene: Scene) -> None:
    """The only broker."""
    await _kill_at_random(scene, ["kafka"])


async def database_killed(scene: Scene) -> None:
    """The only database server."""
    await _kill_at_random(scene, ["postgres"])


async def everything_killed(scene: Scene) -> None:
    """Every process of every service, the broker and the database, each once."""
    names = [part.name for part in scene.stack.state.parts if part.kind == "service"]
    await _kill_at_random(scene, [*names, "kafka", "postgres"])


def replicas_of(scene: Scene, service: Service) -> list[str]:
    """The parts of a service."""
    return [part.name for part in scene.stack.state.parts if part.kind == "service" and part.name.rstrip("-0123456789") == service]


DRILLS = (
    Drill(
        name="service-killed",
        setting=Setting.PAIRS,
        fault="A process of a service is killed",
        waits="What that process was working on, until another process has its partitions and shards",
        goes_on="Everything else; requests go to the other process",
        within_s=60,
        alerts=("ServiceGone", "TargetDown"),
        operator="Nothing; the cluster brings it back. Look at its last log if it happens again",
        run=service_killed,
    ),
    Drill(
        name="broker-killed",
        setting=Setting.PAIRS,
        fault="The only broker is killed",
        waits="All events; deadlines wait with them. Reports are accepted and stay in the outbox",
        goes_on="Submitting and reading over HTTP",
        within_s=60,
        alerts=("OutboxStandsStill", "NoEvents"),
        operator="Bring the broker back; what waits is sent automatically, in order",
        run=broker_killed,
    ),
    Drill(
        name="database-killed",
        setting=Setting.PAIRS,
        fault="The database server is killed",
        waits="Everything; requests are answered 503 with Retry-After",
        goes_on="What Kafka holds is kept until it can be handled",
        within_s=60,
        alerts=("ServiceNotReady", "BatchesRetried"),
        operator="Bring the database back, or let the standby take over; batches are repeated by themselves",
        run=database_killed,
    ),
    Drill(
        name="everything-killed",
        setting=Setting.PAIRS,
        fault="Each process, the broker and the database are killed, one after the other at random",
        waits="Whatever needs the part that is away",
        goes_on="Whatever does not need it",
        within_s=240,
        alerts=("ServiceGone", "OutboxStandsStill"),
        operator="Nothing; compare with `tuntas reconcile` afterwards",
        run=everything_killed,
    ),
)
