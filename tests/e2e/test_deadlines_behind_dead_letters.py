"""A deadline waits while a message of its case is a dead letter at the service that has to act; every other case's is on time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg

from tests.e2e.test_deadlines import BANDUNG, due, until_published
from tests.support.operator import Operator
from tests.support.platform import TIMEOUT_S, Platform, Receipt
from tests.support.waiting import until
from tuntas_contracts.topology import AGENCY_CASES
from tuntas_contracts.vocabulary import Service
from tuntas_operations.service_modules import module_of

C1_MISSED, C2_MISSED = ("DeadlineMissed", "C1", "missed"), ("DeadlineMissed", "C2", "missed")


@asynccontextmanager
async def refused(platform: Platform, service: Service, table: str, condition: str) -> AsyncIterator[None]:
    """Let a service's database refuse the rows of a table for which the condition holds: no retry helps, so their messages are parked."""
    name = f"refuse_{uuid4().hex}"
    connection = await asyncpg.connect(platform.stack.database_url(module_of(service)))
    try:
        await connection.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'refused by a test'; END$$;"
            f"CREATE TRIGGER {name} BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION {name}()"
        )
        try:
            yield
        finally:
            await connection.execute(f"DROP TRIGGER {name} ON {table}; DROP FUNCTION {name}")
    finally:
        await connection.close()


async def until_parked(platform: Platform, service: Service, receipt: Receipt) -> UUID:
    """Wait until a message of a case is a dead letter of a service; returns its id."""

    async def parked() -> UUID | None:
        rows = await platform.query(service, "SELECT id FROM parked_message WHERE key = $1 AND state = 'parked'", str(receipt.case_id))
        return rows[0]["id"] if rows else None

    found: UUID = await until(parked, f"{service} has a dead letter of case {receipt.case_id}", TIMEOUT_S)
    return found


async def waiting_for(platform: Platform, reason: str) -> float:
    """How many due checkpoints wait for this reason, by the SLA monitor's metrics."""
    return await platform.metric("sla-monitor", f'tuntas_sla_due_held_checkpoints{{reason="{reason}"}}')


async def replay(platform: Platform, message_id: UUID) -> None:
    """As an operator does."""
    operator = Operator({"TUNTAS_FOLDER": str(platform.stack.folder.path)})
    await asyncio.to_thread(operator.run, "parked", "replay", str(message_id))


async def test_deadlines_of_a_case_that_did_not_arrive_wait_for_the_replay_and_others_are_on_time(platform: Platform) -> None:
    title = f"Laporan yang tidak tersimpan {uuid4()}"
    bounced, bystander = await platform.submit(addressed_agency=BANDUNG), await platform.submit(addressed_agency=BANDUNG)
    await platform.until_state(bounced, "at_agency")
    async with (
        refused(platform, Service.DISPATCH, "case_report", f"NEW.report ->> 'title' = '{title}'"),
        refused(platform, Service.TRIAGE, "case_file", f"NEW.case_id = '{bounced.case_id}'"),
    ):
        # the one never reaches its agency, the other never comes back to the centre
        unassigned = await platform.submit(title=title, addressed_agency=BANDUNG)
        dead_letters = {unassigned: await until_parked(platform, Service.DISPATCH, unassigned)}
        await platform.return_case(bounced, BANDUNG)
        dead_letters[bounced] = await until_parked(platform, Service.TRIAGE, bounced)
        clocks = [await due(platform, unassigned, "C2"), await due(platform, bounced, "C1"), await due(platform, bystander, "C2")]
        await platform.move_clock(max(clocks) + timedelta(hours=1))
        await until_published(platform, bystander.case_id, C2_MISSED)

        async def both_are_named() -> bool:
            return all([await waiting_for(platform, f"dead letter in {service}") for service in (Service.DISPATCH, Service.TRIAGE)])

        await until(both_are_named, "the metrics say which services' dead letters deadlines wait for", TIMEOUT_S)
        for receipt in dead_letters:
            kinds = {kind for kind, clock, _ in await platform.deadlines(receipt.case_id) if clock in ("C1", "C2")}
            assert kinds <= {"DeadlineSet"}, f"nothing of case {receipt.case_id} was published while it waited"
        assert await platform.agency_messages(BANDUNG, unassigned.case_id) == []

    for message_id in dead_letters.values():
        await replay(platform, message_id)
    await platform.until_events(unassigned.case_id, "CaseAssigned", topic=AGENCY_CASES.for_agency(BANDUNG))
    await until_published(platform, unassigned.case_id, C2_MISSED)
    await until_published(platform, bounced.case_id, C1_MISSED)
    await platform.until_idle()
    for receipt, missed in ((unassigned, C2_MISSED), (bounced, C1_MISSED), (bystander, C2_MISSED)):
        assert (await platform.deadlines(receipt.case_id)).count(missed) == 1
