"""A partition that the broker does not return for a while: the others are read, and it is read on when the broker returns it again."""

from collections.abc import Callable
from typing import Any

from aiokafka import TopicPartition
from aiokafka.protocol.fetch import FetchRequest

from tests.support.counting import Added
from tests.support.delivery import Delivery
from tests.support.waiting import until
from tuntas_chassis.service import ServiceApp

KEYS = [f"key-{n}" for n in range(20)]
RIGHT_TAKEN = 29  # TOPIC_AUTHORIZATION_FAILED
WITHIN_S = 60.0


class Refusals:
    """Is between a replica and its broker, and answers in its name that the right to read these partitions was taken."""

    def __init__(self, app: ServiceApp) -> None:
        self.partitions: set[int] = set()
        client: Any = app._consumers["in"]._kafka
        self._ask = client._client.send
        client._client.send = self._send

    async def _send(self, node_id: int, request: Any, **options: Any) -> Any:
        response = await self._ask(node_id, request, **options)
        if isinstance(request, FetchRequest):
            response.topics = [(topic, [self._answer(entry) for entry in entries]) for topic, entries in response.topics]
        return response

    def _answer(self, entry: tuple[Any, ...]) -> tuple[Any, ...]:
        return (entry[0], RIGHT_TAKEN, *entry[2:-1], b"") if entry[0] in self.partitions else entry


async def test_the_others_are_read_and_it_is_read_on_later(make: Callable[..., Delivery]) -> None:
    delivery = make(partitions=2)
    app = await delivery.start()
    refusals, refused = Refusals(app), app._consumers["in"]._fetching.refused

    async def positions() -> dict[int, int]:
        return {row.partition: row.position for row in await delivery.query("SELECT partition, position FROM consumer_offset")}

    async def rounds(number: int) -> None:
        await delivery.feed([(key, Added(amount=1)) for _ in range(number) for key in KEYS])

    async def all_applied(number: int) -> None:
        async def are() -> bool:
            return await delivery.totals() == dict.fromkeys(KEYS, (number, number))

        await until(are, f"{number} of each key are applied", WITHIN_S)

    await rounds(1)
    await all_applied(1)
    one_round = await positions()

    refusals.partitions.add(0)
    await rounds(3)

    async def the_other_is_read() -> bool:
        return (await positions())[1] == 4 * one_round[1] and refused.keys() == {TopicPartition(delivery.inputs, 0)}

    await until(the_other_is_read, "the other partition is read", WITHIN_S)
    await rounds(2)  # while it is left out

    async def the_other_is_read_on() -> bool:
        return (await positions())[1] == 6 * one_round[1]

    await until(the_other_is_read_on, "the other partition is read on", WITHIN_S)
    assert (await positions())[0] == one_round[0], "nothing of it is skipped"

    refusals.partitions.clear()
    await all_applied(6)
    assert not refused
    assert app.metrics.value("tuntas_consumer_gaps_total", "counting.in") in (None, 0)
    assert app.metrics.value("tuntas_background_restarts_total", "consumer in") is None
