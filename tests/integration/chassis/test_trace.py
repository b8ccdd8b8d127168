"""One trace from a request over the outbox and Kafka to the consumer and what it publishes in its turn."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from aiokafka import AIOKafkaConsumer
from fastapi import APIRouter

from tests.support.counting import Added, Tally, TallyStore
from tests.support.delivery import A_MONDAY, Delivery
from tests.support.servers import Servers
from tuntas_chassis.messaging.messages import Outcome, Outgoing
from tuntas_chassis.service import ServiceApp

A_CALLER = f"00-{'ab' * 16}-{'cd' * 8}-01"


def _asking(delivery: Delivery) -> ServiceApp:
    """A service that takes additions over HTTP and publishes them on the counting service's input."""
    app = ServiceApp("asking", delivery.settings(), package="tests.support.counting")
    executor = app.executor(TallyStore())
    router = APIRouter()

    @router.post("/additions/{key}")
    async def add(key: str) -> None:
        message = Outgoing(delivery.inputs, key, Added(amount=1), A_MONDAY)
        await executor.execute(key, lambda state, _now: Outcome(state or Tally(key), (message,)))

    app.http.include_router(router)
    return app


async def _one_record(delivery: Delivery, topic: str) -> dict[str, str]:
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=delivery.servers.bootstrap, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    try:
        async with asyncio.timeout(40):
            record = await consumer.getone()
        return {name: value.decode() for name, value in record.headers}
    finally:
        await consumer.stop()


def _spans(file: Path) -> dict[str, dict[str, Any]]:
    return {span["name"]: span for span in map(json.loads, file.read_text("utf-8").splitlines())} if file.exists() else {}


async def _ask(servers: Servers, make: Callable[..., Delivery], file: Path, traceparent: str) -> tuple[dict[str, str], dict[str, str]]:
    """The headers of what the request published and of what was published in answer to that, everything traced into `file`."""
    counting = make(trace_file=file, trace_ratio=0)
    asking = Delivery(servers, servers.database(), counting.inputs, counting.outputs, counting.partitions, counting.options)
    app = _asking(asking)
    await app.migrate()  # one after the other: Alembic's context is one for the whole process
    asking.running.append((app, asyncio.create_task(app.run_delivery())))
    replica = await counting.start()
    try:
        transport = httpx.ASGITransport(app.http)
        async with httpx.AsyncClient(transport=transport, base_url="http://tests") as http, asyncio.timeout(40):
            while (await http.get("/readyz")).status_code != 200:
                await asyncio.sleep(0.05)
            assert (await http.post("/additions/a", headers={"traceparent": traceparent})).status_code == 200
        found = await _one_record(counting, counting.inputs), await _one_record(counting, counting.outputs)
    finally:
        await asking.stop()
        await counting.stop()
        app.tracing.close()
        replica.tracing.close()
    return found


async def test_one_trace_goes_from_the_request_through_outbox_and_kafka_to_the_answer(
    make: Callable[..., Delivery], servers: Servers, tmp_path: Path
) -> None:
    file = tmp_path / "spans.jsonl"
    asked, answered = await _ask(servers, make, file, A_CALLER)
    spans = _spans(file)
    chain = [spans[name] for name in ("POST /additions/{key}", "publish Added", "process Added", "publish Summed")]
    assert [span["service"] for span in chain] == ["asking", "asking", "counting", "counting"]
    assert [span["kind"] for span in chain] == ["SERVER", "PRODUCER", "CONSUMER", "PRODUCER"]
    assert {span["trace_id"] for span in chain} == {"ab" * 16}
    assert [span["parent_id"] for span in chain] == ["cd" * 8, *(span["span_id"] for span in chain[:-1])]
    assert all(span["end_ns"] >= span["start_ns"] for span in chain)
    assert asked["traceparent"] == f"00-{'ab' * 16}-{chain[1]['span_id']}-01"
    assert answered["traceparent"] == f"00-{'ab' * 16}-{chain[3]['span_id']}-01"
    assert chain[2]["attributes"]["messaging.consumer.group.name"] == "counting.in"


async def test_a_trace_that_is_not_recorded_leaves_no_spans_and_still_names_the_request(
    make: Callable[..., Delivery], servers: Servers, tmp_path: Path
) -> None:
    file = tmp_path / "spans.jsonl"
    asked, answered = await _ask(servers, make, file, A_CALLER[:-2] + "00")
    assert _spans(file) == {}
    assert asked["traceparent"].startswith(f"00-{'ab' * 16}-")
    assert answered["traceparent"] == asked["traceparent"]
