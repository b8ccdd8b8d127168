"""One whole platform for all end-to-end tests that kill nothing: real Kafka, PostgreSQL, SMTP, five services."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.support.platform import TIMEOUT_S, Platform
from tests.support.waiting import until
from tuntas_contracts.vocabulary import Service
from tuntas_devstack.options import StackOptions
from tuntas_devstack.stack import Stack

AGENCIES = ("kota-32-73", "kab-32-01", "kemenkes", "bnpb")
"""The agencies that have topics here; the register knows all."""

QUICK = {service: {"TUNTAS_WATERMARK_INTERVAL_S": "1", "TUNTAS_GAUGES_S": "1"} for service in Service}
"""Deadlines are judged behind the relays' marks: more of them make a test shorter and change nothing else. So do quicker gauges."""


async def register_is_read(platform: Platform) -> None:
    """Wait until triage and the notifier know the register: a report that comes earlier waits for a verifier."""
    [loaded] = await platform.query("dispatch", "SELECT count(*) AS number FROM agency")

    async def known() -> bool:
        triage = await platform.query("triage", "SELECT count(*) AS number FROM agency")
        notifier = await platform.query("notifier", "SELECT count(*) AS number FROM agency_contact")
        return bool(triage[0]["number"] == notifier[0]["number"] == loaded["number"])

    await until(known, "the register is read", TIMEOUT_S)


@pytest.fixture(scope="package")
async def platform(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    """The shared platform: simulated clock, every report traced."""
    folder = tmp_path_factory.mktemp("platform") / "stack"
    options = StackOptions(
        agencies=AGENCIES, simulated_clock=True, trace_ratio=1.0, environment=QUICK, ready_within_s=180, kafka=None, database=None
    )
    stack = Stack(folder, options)
    await asyncio.to_thread(stack.start)
    try:
        platform = Platform(stack)
        await register_is_read(platform)
        yield platform
        await platform.close()
    finally:
        await asyncio.to_thread(stack.stop)
        await asyncio.to_thread(stack.delete_data)
    assert stack.deaths == [], "a part of the platform ended by itself"
