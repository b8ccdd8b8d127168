"""A topic read again from its beginning, with inbox and positions forgotten, changes nothing and sends nothing."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.e2e.conftest import QUICK, register_is_read
from tests.e2e.test_deadlines import due
from tests.support.database import execute
from tests.support.kafka_log import TopicRecord
from tests.support.platform import Platform, Receipt
from tests.support.waiting import until
from tuntas_chassis.ids import new_id
from tuntas_contracts.agencies import AcceptCase, AnswerCase, RecordFollowUp
from tuntas_contracts.cases import ReporterReplied
from tuntas_contracts.envelope import Envelope
from tuntas_contracts.topology import AGENCY_CASES, CASES
from tuntas_contracts.vocabulary import Service
from tuntas_devstack.options import StackOptions
from tuntas_devstack.stack import Stack
from tuntas_operations.service_modules import module_of

pytestmark = [pytest.mark.timeout(600), pytest.mark.drill]

BANDUNG = "kota-32-73"
BOGOR = "kab-32-01"
REPLICAS = {Service.TRIAGE: 3, Service.DISPATCH: 2}
QUIET_WITHIN_S = 180.0
OF_THE_DELIVERY = ("alembic_version", "consumer_offset", "inbox", "outbox_relay", "partition_watermark")
"""Tables that say how far everything is, and not what is so."""


@pytest.fixture(scope="module")
async def lived(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    """A platform on which cases have been through all that can happen to them."""
    options = StackOptions(
        agencies=(BANDUNG, BOGOR),
        simulated_clock=True,
        trace_ratio=0.0,
        replicas=REPLICAS,
        environment=QUICK,
        ready_within_s=240,
        kafka=None,
        database=None,
    )
    stack = Stack(tmp_path_factory.mktemp("again") / "stack", options)
    await asyncio.to_thread(stack.start)
    platform = Platform(stack)
    try:
        await register_is_read(platform)
        await lives(platform)
        yield platform
    finally:
        await platform.close()
        await asyncio.to_thread(stack.stop)
        await asyncio.to_thread(stack.delete_data)
    assert stack.deaths == [], "a part ended by itself"


async def lives(platform: Platform) -> None:
    """Replies that are refused, taken, too late; windows that elapse; commands that are refused, and would be accepted later."""
    early = await platform.submit()
    await platform.until_state(early, "received", version=2)
    await reply_crosses(platform, early)
    await platform.forward(early, BANDUNG)
    await platform.accept(early, BANDUNG, "layanan")
    await platform.answer(early, BANDUNG)
    await platform.until_state(early, "responded")

    archived = await platform.submit()
    await platform.until_state(archived, "received", version=2)
    await platform.archive(archived, "spam")
    await platform.until_state(archived, "archived")
    await reply_crosses(platform, archived)

    bounced = await platform.submit(addressed_agency=BANDUNG)
    await platform.return_case(bounced, BANDUNG)
    await platform.forward(bounced, BOGOR)
    await platform.handle(bounced, BOGOR, "layanan")

    answered_twice = await platform.submit(addressed_agency=BANDUNG)
    await platform.handle(answered_twice, BANDUNG, "layanan")
    await platform.answer(answered_twice, BANDUNG)
    await platform.until_state(answered_twice, "responded")
    await platform.reply(answered_twice, "Masih padam.")
    await platform.until_state(answered_twice, "in_progress")
    await platform.answer(answered_twice, BANDUNG, "Sudah benar-benar diganti.")

    confirmed = await platform.submit(addressed_agency=BANDUNG)
    await platform.handle(confirmed, BANDUNG, "layanan")
    await platform.answer(confirmed, BANDUNG)
    await platform.confirm_when_answered(confirmed, 5)
    await platform.until_state(confirmed, "closed")
    await by_the_agency_s_own_system(platform)

    await platform.move_clock(await due(platform, answered_twice, "C6") + timedelta(minutes=1))
    for receipt in (early, answered_twice):
        await platform.until_state(receipt, "closed")
    await reply_crosses(platform, answered_twice)
    await comes_to_rest(platform)


async def reply_crosses(platform: Platform, receipt: Receipt) -> None:
    """A reply that intake took before it read of the state in which it is refused."""
    reply = ReporterReplied(case_id=receipt.case_id, input_id=new_id(), occurred_at=platform.clock.now(), text="Bagaimana?")
    envelope = Envelope(new_id(), Service.INTAKE, type(reply).__name__, str(receipt.case_id), reply.occurred_at)
    await platform.produce(CASES.name, [(str(receipt.case_id).encode(), reply.model_dump_json().encode(), envelope.headers())])
    await platform.until_events(receipt.case_id, "InputRefused")


async def by_the_agency_s_own_system(platform: Platform) -> Receipt:
    """Commands that were refused in the state of their time and would be accepted in the state that the case came to."""
    receipt = await platform.submit(addressed_agency=BOGOR)
    topic = AGENCY_CASES.for_agency(BOGOR)
    await platform.until_events(receipt.case_id, "CaseAssigned", topic=topic)
    await platform.command(BOGOR, AnswerCase(case_id=receipt.case_id, answer="Terlalu dini."))
    await platform.command(BOGOR, RecordFollowUp(case_id=receipt.case_id, note="Terlalu dini."))
    await platform.until_events(receipt.case_id, "ActionRefused", count=2, topic=topic)
    await platform.command(BOGOR, AcceptCase(case_id=receipt.case_id, unit="layanan"))
    await platform.command(BOGOR, AnswerCase(case_id=receipt.case_id, answer="Sudah diganti."))
    await platform.until_state(receipt, "responded")
    return receipt


async def comes_to_rest(platform: Platform) -> None:
    """Nothing is under way: no deadline is due, nothing lies unread or is held, no mail waits."""
    held = "SELECT EXISTS (SELECT 1 FROM held_input) AS some"
    mails = "SELECT EXISTS (SELECT 1 FROM delivery WHERE status IN ('queued', 'sending')) AS some"

    passed = "SELECT EXISTS (SELECT 1 FROM checkpoint WHERE fire_at <= $1 AND NOT held) AS some"

    async def nothing_waits() -> bool:
        [deadlines] = await platform.query(Service.SLA_MONITOR, passed, platform.clock.now())
        if deadlines["some"]:
            return False
        found = [await platform.query(service, held) for service in (Service.TRIAGE, Service.DISPATCH)]
        return not any(rows[0]["some"] for rows in (*found, await platform.query(Service.NOTIFIER, mails)))

    await platform.until_idle(QUIET_WITHIN_S)
    await until(nothing_waits, "nothing is held, no mail waits", QUIET_WITHIN_S)
    await platform.until_idle(QUIET_WITHIN_S)


async def content(platform: Platform, service: Service) -> dict[str, list[str]]:
    """Every row of every table of a service but those of the delivery."""
    tables = await platform.query(service, "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    names = [row["name"] for row in tables if row["name"] not in OF_THE_DELIVERY]
    return {
        name: [row["content"] for row in await platform.query(service, f'SELECT t::text AS content FROM "{name}" t ORDER BY 1')]
        for name in names
    }


async def sent(platform: Platform) -> list[TopicRecord]:
    """Every record on every topic that is kept."""
    return list(await platform.read_topics())


def parts_of(platform: Platform, service: Service) -> list[str]:
    return list(platform.stack.options.part_names(service))


async def forget(platform: Platform, service: Service, *what: str) -> None:
    """Stop every replica of the service, forget inbox and positions (or `what` is said), and start it."""
    parts = parts_of(platform, service)
    await asyncio.gather(*(asyncio.to_thread(platform.stack.stop_part, part) for part in parts))
    url = platform.stack.database_url(module_of(service))
    await execute(url, *(what or ("DELETE FROM inbox", "DELETE FROM consumer_offset")))
    await asyncio.gather(*(asyncio.to_thread(platform.stack.restart, part) for part in parts))


@pytest.mark.parametrize("service", list(Service))
async def test_a_service_that_has_forgotten_what_it_read_changes_and_sends_nothing(lived: Platform, service: Service) -> None:
    platform = lived
    before, records, mails = await content(platform, service), await sent(platform), len(platform.mails())
    await forget(platform, service)
    await comes_to_rest(platform)
    assert {r.kind: r.topic for r in (await sent(platform))[len(records) :]} == {}, "no record more on any topic"
    assert len(platform.mails()) == mails
    after = await content(platform, service)
    for table, rows in before.items():
        assert Counter(after[table]) == Counter(rows), table


async def test_old_mails_are_not_sent_again_by_a_notifier_that_has_forgotten_them(lived: Platform) -> None:
    platform = lived
    await platform.pass_time(timedelta(days=500))
    await comes_to_rest(platform)
    records, mails = await sent(platform), len(platform.mails())
    # as its retention leaves it, and that of the topic of notices: neither has what was sent any more
    gone = ("DELETE FROM delivery", "DELETE FROM case_notice_state", "DELETE FROM inbox")
    await forget(platform, Service.NOTIFIER, *gone, "DELETE FROM consumer_offset WHERE consumer <> 'notifier.notices'")
    await comes_to_rest(platform)
    assert [r.kind for r in (await sent(platform))[len(records) :]] == []
    assert len(platform.mails()) == mails


async def test_an_input_that_came_while_its_owner_was_down_is_taken_once(lived: Platform) -> None:
    platform = lived
    receipt = await platform.submit(addressed_agency=BANDUNG)
    await platform.handle(receipt, BANDUNG, "layanan")
    await platform.answer(receipt, BANDUNG)
    await platform.until_state(receipt, "responded")
    parts = parts_of(platform, Service.DISPATCH)
    await asyncio.gather(*(asyncio.to_thread(platform.stack.stop_part, part) for part in parts))
    await platform.confirm(receipt, 4)
    await asyncio.gather(*(asyncio.to_thread(platform.stack.restart, part) for part in parts))
    await platform.until_state(receipt, "closed")
    await comes_to_rest(platform)
    kinds = [r.kind for r in await platform.events(receipt.case_id)]
    assert kinds.count("ReporterConfirmed") == 1, "it is not put on the topic a second time"
    assert kinds.count("CaseClosed") == 1
