"""A process that is cut off from the database, and not from the broker: its partitions go to others until it is answered again."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy.exc import SQLAlchemyError

from tests.support.counting import Added
from tests.support.delivery import Delivery
from tests.support.servers import Servers
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import until
from tuntas_chassis.service import ServiceApp

KEYS = [f"key-{n}" for n in range(20)]
WITHIN_S = 90.0


@pytest.fixture
async def proxy(servers: Servers) -> AsyncIterator[TcpProxy]:
    made = await TcpProxy.before(servers.admin_url)
    yield made
    await made.close()


@pytest.fixture
async def pair(servers: Servers, proxy: TcpProxy) -> AsyncIterator[tuple[Delivery, Delivery]]:
    """One replica with the database behind nothing, one with it behind the proxy."""
    direct = Delivery.make(servers, database_command_timeout_s=2)
    behind = replace(direct, database_url=proxy.through(direct.database_url), running=[])
    yield direct, behind
    await behind.crash()
    await direct.crash()


def partitions(app: ServiceApp) -> int:
    client = app._consumers["in"]._kafka
    return 0 if client is None else len(client.assignment())


async def shared(*apps: ServiceApp) -> None:
    async def each_has_some() -> bool:
        return sum(map(partitions, apps)) == 4 and all(map(partitions, apps))

    await until(each_has_some, "the replicas share the partitions", WITHIN_S)


async def handled(delivery: Delivery, each: int) -> None:
    """Feed one more for each key, and wait until every key has `each`."""
    await delivery.feed([(key, Added(amount=1)) for key in KEYS])

    async def all_are() -> bool:
        with contextlib.suppress(SQLAlchemyError, OSError, TimeoutError):  # a connection that was cut is found so by its next use
            return await delivery.totals() == dict.fromkeys(KEYS, (each, each))
        return False

    await until(all_are, f"each key has {each}", WITHIN_S)


async def test_others_have_the_partitions_of_a_process_that_the_database_does_not_answer(
    pair: tuple[Delivery, Delivery], proxy: TcpProxy
) -> None:
    direct, behind = pair
    first, cut_off = await direct.start(), await behind.start()
    cut_off.leaves_after_s = 2.0
    await shared(first, cut_off)
    await handled(direct, 1)

    proxy.forwards_new = False
    proxy.cut()
    await handled(direct, 2)
    assert partitions(first) == 4
    assert await cut_off.unready()

    proxy.forwards_new = True
    proxy.cut()  # what was opened in the dark stays so
    await shared(first, cut_off)
    await handled(direct, 3)

    async def all_published() -> bool:
        found = {message_id: (key, body.total) for key, body, message_id in await direct.published()}
        return sorted(found.values()) == sorted((key, total) for key in KEYS for total in (1, 2, 3))

    await until(all_published, "every step is published, under one id however often", WITHIN_S)
