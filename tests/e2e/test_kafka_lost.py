"""All of Kafka is lost, its disks too, and the databases are not: what docs/operations.md says then, done."""

import asyncio
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.e2e.conftest import QUICK, register_is_read
from tests.support.database import execute
from tests.support.platform import Platform, Receipt
from tuntas_contracts.topology import AGENCY_CASES
from tuntas_contracts.vocabulary import Service
from tuntas_devstack.options import StackOptions
from tuntas_devstack.stack import Stack
from tuntas_devstack.state import read_databases
from tuntas_operations.reconciliation import Reconciler
from tuntas_operations.reconciliation.rounds import Result
from tuntas_operations.service_modules import module_of

pytestmark = [pytest.mark.timeout(600), pytest.mark.drill]
AGENCY, OTHER = "kota-32-73", "kab-32-01"


async def started(folder: Path, services: tuple[Service, ...]) -> Stack:
    options = StackOptions(
        agencies=(AGENCY, OTHER), services=services, load_register=bool(services), environment=QUICK, kafka=None, database=None
    )
    stack = Stack(folder, options)
    await asyncio.to_thread(stack.start)
    return stack


async def compared(platform: Platform, since: datetime | None = None) -> Result:
    await platform.until_idle(120)
    stack = platform.stack
    reconciler = Reconciler(stack.state.kafka, read_databases(stack.folder), stack.kafka_client(), since=since)
    try:
        return await reconciler.round(in_flight_s=0)
    finally:
        reconciler.close()


async def some_reports(platform: Platform) -> dict[str, Receipt]:
    """One for each place in which a report can be."""
    cases = {name: await platform.submit(addressed_agency=AGENCY) for name in ("assigned", "accepted", "answered")}
    cases["waiting"] = await platform.submit(category="transport")
    for name in ("accepted", "answered"):
        await platform.accept(cases[name], AGENCY, "layanan")
    await platform.answer(cases["answered"], AGENCY, "Lampu telah diganti.")
    for name, state in (("assigned", "at_agency"), ("accepted", "dispatched"), ("answered", "responded"), ("waiting", "received")):
        await platform.until_state(cases[name], state)
    return cases


async def test_what_the_databases_know_goes_on_after_all_of_kafka_is_lost(tmp_path: Path) -> None:
    folder = tmp_path / "stack"
    stack = await started(folder, tuple(Service))
    platform = Platform(stack)
    await register_is_read(platform)
    cases = await some_reports(platform)
    assert (await compared(platform)).clean
    await platform.close()
    await asyncio.to_thread(stack.stop)

    shutil.rmtree(folder / "kafka")
    lost_at = datetime.now(UTC)
    stack = await started(folder, ())  # creates users and topics again
    for service in Service:
        await execute(stack.database_url(module_of(service)), "DELETE FROM consumer_offset")
    await asyncio.to_thread(stack.stop)

    stack = await started(folder, tuple(Service))
    platform = Platform(stack)
    try:
        await platform.accept(cases["assigned"], AGENCY, "layanan")
        await platform.answer(cases["accepted"], AGENCY, "Sudah ditangani.")
        await platform.confirm(cases["answered"], 5)
        await platform.forward(cases["waiting"], OTHER)
        for name, state in (("assigned", "dispatched"), ("accepted", "responded"), ("answered", "closed"), ("waiting", "at_agency")):
            await platform.until_state(cases[name], state)
        later = await platform.submit(addressed_agency=AGENCY)
        await platform.until_events(later.case_id, "CaseAssigned", topic=AGENCY_CASES.for_agency(AGENCY))

        assert (await compared(platform, since=lost_at)).clean
        everything = await compared(platform)
        assert {d.case_id for d in everything.differences} == {case.case_id for case in cases.values()}, "it names those from before"
    finally:
        await platform.close()
        await asyncio.to_thread(stack.stop)
        await asyncio.to_thread(stack.delete_data)
    assert stack.deaths == [], "a part ended by itself"
