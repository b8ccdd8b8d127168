"""What is used of aiokafka and FastStream without being promised by them: whoever raises their versions learns here what changed."""

import ast
import asyncio
import inspect
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.client import ConnectionGroup
from aiokafka.consumer.fetcher import Fetcher, FetchResult
from aiokafka.protocol.fetch import FetchRequest

import tuntas_chassis
from tests.support.counting import Added
from tests.support.delivery import Delivery
from tests.support.servers import Servers
from tests.support.waiting import until
from tuntas_chassis.messaging.fetching import Fetching, missing_parts
from tuntas_chassis.messaging.kafka import abort, make_producer

GAPS = "tuntas_consumer_gaps_total"
PRIVATE = {
    "auth.py": {"_value2member_map_"},
    "connections.py": {"_transport"},
    "fetching.py": {"_fetcher", "_client", "_conns", "_records", "_proc_fetch_request", "_partition_records"},
    "kafka.py": {"_closed", "_sender"},
}
"""Private names of other people's objects, by the module that uses them; what follows checks aiokafka's."""
OF_NAMED_TUPLES = {"_replace", "_fields", "_asdict"}
"""Public, whatever they begin with: the language's documentation has them."""


def _private_names(path: Path) -> set[str]:
    return {
        node.attr
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not node.attr.startswith("__")
        and node.attr not in OF_NAMED_TUPLES
        and not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"))
    }


def test_no_other_private_name_is_used_than_those_that_are_checked() -> None:
    used = {path.name: names for path in Path(tuntas_chassis.__path__[0]).rglob("*.py") if (names := _private_names(path))}
    assert used == PRIVATE


@pytest.fixture
async def consumer(servers: Servers) -> AsyncIterator[AIOKafkaConsumer]:
    client = AIOKafkaConsumer(servers.topic("library", 1), bootstrap_servers=servers.bootstrap)
    await client.start()
    yield client
    await client.stop()


async def test_a_started_consumer_has_all_that_fetching_takes_over(consumer: AIOKafkaConsumer) -> None:
    assert missing_parts(consumer) == []
    assert list(inspect.signature(FetchRequest).parameters)[:5] == [
        "max_wait_time",
        "min_bytes",
        "max_bytes",
        "isolation_level",
        "topics",
    ]
    assert "_partition_records" in FetchResult.__init__.__code__.co_names
    assert {"next_fetch_offset", "_partition_records"} <= set(FetchResult._update_position.__code__.co_names)
    assert "_proc_fetch_request" in Fetcher._fetch_requests_routine.__code__.co_names
    assert {"_client", "send"} <= set(Fetcher._proc_fetch_request.__code__.co_names)
    assert all(len(key) == 2 and isinstance(key[1], int) for key in consumer._client._conns)
    assert isinstance(ConnectionGroup.DEFAULT, int)


@pytest.mark.parametrize(
    "part",
    [
        "AIOKafkaConsumer._fetcher",
        "AIOKafkaConsumer._client._conns",
        "Fetcher._records",
        "Fetcher._client",
        "Fetcher._proc_fetch_request",
        "Fetcher.error_future",
    ],
)
async def test_a_client_that_lacks_a_part_is_fetched_from_plainly(part: str) -> None:
    class Proc:
        async def ask(self, assignment: Any, node_id: Any, request: Any) -> None: ...

    fetcher = SimpleNamespace(
        _records=OrderedDict(),
        _client=SimpleNamespace(send=None),
        _proc_fetch_request=Proc().ask,
        error_future=asyncio.get_running_loop().create_future(),
    )
    client: Any = SimpleNamespace(_fetcher=fetcher, _client=SimpleNamespace(_conns={}))
    assert missing_parts(client) == []
    owner: Any = client
    *path, name = part.split(".")[1:]
    for step in ["_fetcher"] * part.startswith("Fetcher") + path:
        owner = getattr(owner, step)
    delattr(owner, name)
    assert part in missing_parts(client)
    fetching = Fetching("tests", 5_000, lambda _: None, lambda *_: None)
    fetching.attach(client)
    assert not fetching.isolating


async def test_a_producer_can_be_ended_without_waiting_for_what_it_could_not_send(make: Callable[..., Delivery]) -> None:
    producer: AIOKafkaProducer = make_producer(make().settings(), "tests")
    await producer.start()
    assert producer._closed is False
    task = producer._sender.sender_task
    assert isinstance(task, asyncio.Task)
    await asyncio.wait_for(abort(producer), 20)
    assert task.done()


async def test_a_service_fetches_each_partition_separately(make: Callable[..., Delivery]) -> None:
    app = await make().start()
    assert app._consumers["in"]._fetching.isolating


async def _until_total(delivery: Delivery, total: int) -> None:
    async def reached() -> bool:
        return await delivery.totals() == {"a": (total, total)}

    await until(reached, f"all {total} are handled, each once", 60.0)


async def _half_read(make: Callable[..., Delivery]) -> tuple[Delivery, Any, Any]:
    delivery = make(partitions=1)
    app = await delivery.start()
    await delivery.feed([("a", Added(amount=1)) for _ in range(5)])
    await _until_total(delivery, 5)
    client: Any = app._consumers["in"]._kafka
    return delivery, app, client


async def test_records_that_are_dropped_between_the_client_and_the_handler_are_read_again(make: Callable[..., Delivery]) -> None:
    delivery, app, client = await _half_read(make)
    getmany, lost = client.getmany, list[Any]()

    async def lose_once(*partitions: TopicPartition, **options: Any) -> Any:
        found = await getmany(*partitions, **options)
        if found and not lost:
            lost.append(found)
            return await getmany(*partitions, **options)
        return found

    client.getmany = lose_once
    for _ in range(2):  # the one that waits now was asked before
        await delivery.feed([("a", Added(amount=1)) for _ in range(5)])
    await _until_total(delivery, 15)
    assert lost
    assert (app.metrics.value(GAPS, "counting.in") or 0) >= 1
    rows = await delivery.query("SELECT position FROM consumer_offset")
    assert [row.position for row in rows] == [15]


async def test_records_that_the_client_had_taken_when_it_failed_are_read_again(make: Callable[..., Delivery]) -> None:
    delivery, app, client = await _half_read(make)
    draining = client.getmany.__self__
    getmany, lost = draining._getmany, list[Any]()

    async def fail_once(*partitions: TopicPartition, **options: Any) -> Any:
        found = await getmany(*partitions, **options)
        if found and not lost:
            lost.append(found)
            raise RuntimeError("the client fails while it returns records")
        return found

    draining._getmany = fail_once
    for _ in range(2):
        await delivery.feed([("a", Added(amount=1)) for _ in range(5)])
    await _until_total(delivery, 15)
    assert lost
    assert (app.metrics.value(GAPS, "counting.in") or 0) >= 1


async def test_records_whose_handling_is_broken_off_are_read_again(make: Callable[..., Delivery]) -> None:
    """FastStream swallows what its handler raises, and asks for the next batch."""
    delivery, app, _ = await _half_read(make)
    reading: Any = app._consumers["in"]
    process, failed = reading.process, list[Any]()

    async def fail_once(records: Any) -> None:
        if not failed:
            failed.append(records)
            raise RuntimeError("before anything was handled")
        await process(records)

    reading.process = fail_once
    await delivery.feed([("a", Added(amount=1)) for _ in range(5)])
    await delivery.feed([("a", Added(amount=1)) for _ in range(5)])
    await _until_total(delivery, 15)
    assert failed
    assert (app.metrics.value(GAPS, "counting.in") or 0) >= 1
