"""The queue, the stores and the history on a real PostgreSQL; sending over a real SMTP server."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from notifier.adapters.history import NoticeHistory
from notifier.adapters.queue import PostgresDeliveryQueue
from notifier.adapters.set_aside import SetAsideDeliveries
from notifier.adapters.store import AgencyContactStore, CaseStore, DeliveryWriter, OwnNoticeStore
from notifier.application.handlers import on_agency, on_case_event, on_own_notice
from notifier.domain.case_facts import CaseFacts
from notifier.domain.delivery import Delivery, Status
from notifier.domain.notices import NoticeKind
from notifier.metrics import METRICS, QUEUED
from tests.support.servers import Servers
from tests.unit.notifier.builders import (
    CASE_ID,
    NOON,
    REPORTER_REF,
    a_delivery,
    a_notice_failed,
    a_notice_not_sent,
    a_notice_sent,
    an_id,
    forwarded,
    incoming,
    registered,
    returned,
    submitted,
)
from tests.unit.notifier.fakes import BusinessClock, Row, Wall
from tests.unit.notifier.relay import TestRelay
from tests.unit.notifier.sending_behaviour import SendingBehaviour, World
from tuntas_chassis.messaging.outbox import Outbox
from tuntas_chassis.persistence.database import Database
from tuntas_chassis.persistence.migrations import upgrade
from tuntas_chassis.set_aside_rows import retry_all
from tuntas_chassis.settings import ServiceSettings
from tuntas_chassis.telemetry.metrics import CHASSIS_METRICS, MetricSet
from tuntas_contracts.base import Contract
from tuntas_contracts.notices import NoticeEvent, NoticeFailed, NoticeNotSent, NoticeSent
from tuntas_contracts.vocabulary import Role
from tuntas_reference.profile import DEFAULT_PROFILE

_NOTICES: dict[str, type[Contract]] = {"NoticeSent": NoticeSent, "NoticeFailed": NoticeFailed, "NoticeNotSent": NoticeNotSent}


@pytest.fixture(scope="module")
async def migrated(servers: Servers) -> AsyncIterator[Database]:
    settings = ServiceSettings(
        environment="test", kafka=servers.bootstrap, database_url=SecretStr(servers.database()), oidc_issuer="http://127.0.0.1:1"
    )
    await upgrade("notifier", settings.sqlalchemy_url)
    database = Database(settings, "notifier-test")
    yield database
    await database.close()


@pytest.fixture
async def database(migrated: Database) -> Database:
    async with migrated.begin() as connection:
        await connection.execute(text("TRUNCATE delivery, case_notice_state, agency_contact, outbox"))
    return migrated


def queue_on(database: Database) -> PostgresDeliveryQueue:
    metrics = MetricSet((*CHASSIS_METRICS, *METRICS))
    return PostgresDeliveryQueue(database, Outbox(24, lambda: None, lambda: False), metrics, BusinessClock())


class FilledQueue(PostgresDeliveryQueue):
    """Knows the case of every delivery that is put into it, but for those in `unknown`."""

    def __init__(self, database: Database) -> None:
        self.business = BusinessClock()
        super().__init__(database, Outbox(24, lambda: None, lambda: False), MetricSet((*CHASSIS_METRICS, *METRICS)), self.business)
        self.unknown: set[UUID] = set()
        self._store = CaseStore(DeliveryWriter(MetricSet(METRICS), lambda: None))
        self._of = database

    async def put(self, *deliveries: Delivery) -> None:
        """Queue deliveries, each once."""
        facts = {
            d.case_id: CaseFacts(d.case_id, 1, REPORTER_REF, "2611-7KQ4-XM", DEFAULT_PROFILE)
            for d in deliveries
            if d.case_id not in self.unknown
        }
        async with self._of.begin() as connection:
            await self._store.save(connection, list(facts.values()), deliveries)
            contact = on_agency(None, incoming(registered())).state
            assert contact is not None
            await AgencyContactStore().save(connection, [contact], [])

    async def rows(self) -> dict[UUID, Row]:
        """Every delivery as it is stored."""
        async with self._of.connect() as connection:
            found = await connection.execute(text("SELECT notice_id, status, attempts, repeats, reason, next_attempt_at FROM delivery"))
            return {r.notice_id: Row(a_delivery(), Status(r.status), r.attempts, r.repeats, r.reason, r.next_attempt_at) for r in found}

    async def notified(self) -> list[Contract]:
        """Every notice event in the outbox."""
        async with self._of.connect() as connection:
            found = await connection.execute(text("SELECT type, value FROM outbox ORDER BY id"))
            return [_NOTICES[r.type].model_validate_json(r.value) for r in found]


class TestOnPostgres(SendingBehaviour):
    @pytest.fixture
    async def world(self, database: Database) -> AsyncIterator[World]:
        queue = FilledQueue(database)
        async with TestRelay() as relay:
            mailer = relay.mailer()
            # what is queued now is due now by the database's clock
            wall = Wall(datetime.now(UTC) + timedelta(seconds=5))
            yield World(queue, relay, mailer, wall, queue.rows, queue.notified)  # type: ignore[arg-type]
            await mailer.close()

    async def test_events_go_out_in_the_trace_of_what_caused_them(self, world: World, database: Database) -> None:
        await world.queue.put(a_delivery("a"))
        await world.send()
        async with database.connect() as connection:
            (row,) = await connection.execute(text("SELECT topic, key, traceparent FROM outbox"))
        assert (row.topic, row.key) == ("tuntas.notices.v1", str(CASE_ID))
        assert row.traceparent == f"{a_delivery().traceparent[:36]}{1:016x}-01"

    @pytest.mark.parametrize(
        "fault",
        [
            "kind = 'telepathy'",
            "recipient = 'oracle'",
            "variables = '[1]'",
            "agency = '?'",
            "kind = 'reminder', variables = '{\"clock\": \"C99\"}'",
        ],
    )
    async def test_one_bad_row_among_a_thousand_stops_no_other_and_goes_out_once_it_can(
        self, world: World, database: Database, fault: str
    ) -> None:
        await world.queue.put(*(a_delivery(f"n{n}", case=f"c{n}") for n in range(1_000)))
        async with database.begin() as connection:
            await connection.execute(text(f"UPDATE delivery SET {fault} WHERE notice_id = :bad"), {"bad": an_id("n500")})
        assert (await world.send(limit=1_000)).taken >= 999
        assert len(world.relay.taken) == len(await world.notified()) == 999
        aside = SetAsideDeliveries(database)
        (row,) = await aside.page("", 10)
        assert row.case_id == an_id("c500")
        assert row.reason
        assert await aside.page(row.position, 10) == []
        assert [record.status for record in await NoticeHistory(database).of_case(an_id("c500"), after=None, limit=9)] == ["set_aside"]

        async with database.begin() as connection:
            mended = "UPDATE delivery SET kind = 'resumed', recipient = 'reporter', variables = '{}', agency = 'kemenkes'"
            await connection.execute(text(f"{mended} WHERE notice_id = :bad"), {"bad": an_id("n500")})
        assert await retry_all(aside) == 1
        world.wall.pass_by(timedelta(seconds=30))
        await world.send()
        assert len(world.relay.taken) == 1_000
        assert await aside.number() == 0

    async def test_what_the_database_refuses_of_one_delivery_leaves_the_others_settled(self, world: World, database: Database) -> None:
        """As a trigger, a constraint or a broken index may: the mail is out, and no other is sent again for it."""
        await world.queue.put(*(a_delivery(f"n{n}", case=f"c{n}") for n in range(10)))
        async with database.begin() as connection:
            await connection.execute(text(f"ALTER TABLE outbox ADD CONSTRAINT picky CHECK (key <> '{an_id('c5')}')"))
        try:
            await world.send()
        finally:
            async with database.begin() as connection:
                await connection.execute(text("ALTER TABLE outbox DROP CONSTRAINT picky"))
        assert len(world.relay.taken) == 10
        assert len(await world.notified()) == 9
        assert {row.status for row in (await world.rows()).values()} == {Status.SENT}
        assert "picky" in str((await world.status("n5"))[1])
        assert (await world.send()).taken == 0

    async def test_two_senders_at_once_send_nothing_twice(self, world: World) -> None:
        await world.queue.put(*(a_delivery(f"n{n}", case=f"c{n}") for n in range(60)))
        assert isinstance(world.relay, TestRelay)
        processes = [replace(world, mailer=world.relay.mailer(connections=2)) for _ in range(4)]
        taken = await asyncio.gather(*(process.send(limit=25) for process in processes))
        assert sum(t.taken for t in taken) == len(world.relay.taken) == 60
        assert len({t.message_id for t in world.relay.taken}) == 60


async def test_facts_follow_the_events_of_a_case_and_messages_seen_twice_queue_once(database: Database) -> None:
    metrics = MetricSet(METRICS)
    store = CaseStore(DeliveryWriter(metrics, lambda: None))
    for _ in range(2):
        async with database.begin() as connection:
            known = await store.load(connection, [str(CASE_ID), "not a case id"])
            facts = known.get(str(CASE_ID))
            rows: list[object] = []
            for n, event in enumerate((submitted(), forwarded(), returned())):
                # as after a restored inbox: the facts say nothing, the ids do
                outcome = on_case_event(facts if not rows else None, incoming(event, f"m{n}"))
                rows += outcome.rows
            await store.save(connection, [f for f in [on_case_event(None, incoming(forwarded())).state] if f], rows)
    async with database.connect() as connection:
        kinds = (await connection.execute(text("SELECT kind FROM delivery ORDER BY kind"))).scalars().all()
    assert kinds == ["forwarded", "receipt", "returned"]
    assert metrics.value(QUEUED, "receipt") == 1
    async with database.begin() as connection:
        assert (await store.load(connection, [str(CASE_ID)]))[str(CASE_ID)].agency == "kemenkes"


async def test_what_was_sent_according_to_its_event_is_never_sent_again(database: Database) -> None:
    """As after a restore: one notice waits in the queue of the backup, one is queued again, one was given up."""
    queue, store = FilledQueue(database), OwnNoticeStore()
    waiting, later, failed, unreachable = (a_delivery(name) for name in ("waiting", "later", "failed", "unreachable"))
    await queue.put(waiting, unreachable)
    notified: list[NoticeEvent] = [a_notice_sent(waiting), a_notice_sent(later), a_notice_failed(failed), a_notice_not_sent(unreachable)]
    strange = a_delivery("strange", recipient="later_role")
    notified.append(a_notice_sent(strange))
    rows = [row for event in (*notified, notified[0]) for row in on_own_notice(None, incoming(event)).rows]
    async with database.begin() as connection:
        await store.save(connection, [], rows)
    await queue.put(later, failed, a_delivery("new"))

    now = datetime.now(UTC) + timedelta(seconds=5)
    claimed = await queue.claim(now, now + timedelta(minutes=1), officers=10, total=10, reporters=True)
    assert [one.delivery.notice_id for one in claimed] == [an_id("new")]
    shown = {
        record.notice_id: (record.status, record.reason) for record in await NoticeHistory(database).of_case(CASE_ID, after=None, limit=9)
    }
    assert shown[waiting.notice_id] == shown[later.notice_id] == ("sent", None)
    assert shown[strange.notice_id] == ("sent", None), "to a role of a later release"
    assert shown[failed.notice_id] == ("failed", "no_mailbox")
    assert shown[unreachable.notice_id] == ("no_channel", "no_email")


async def test_an_escalation_reads_the_mailbox_of_the_tier_above(database: Database) -> None:
    queue = FilledQueue(database)
    contacts = AgencyContactStore()
    above = on_agency(None, incoming(registered("prov-jabar", email="lapor@prov-jabar.agency.example"))).state
    below = on_agency(None, incoming(registered("kota-bandung", supervised_by="prov-jabar", time_zone="Asia/Makassar"))).state
    assert above is not None
    assert below is not None
    async with database.begin() as connection:
        await contacts.save(connection, [above, below], [])
    await queue.put(a_delivery("a", NoticeKind.DEADLINE_MISSED, Role.SUPERVISOR, agency="kota-bandung"))
    later = datetime.now(UTC) + timedelta(seconds=5)
    (claimed,) = await queue.claim(later, later + timedelta(minutes=1), officers=1, total=1, reporters=False)
    assert (claimed.supervisor_email, claimed.agency_time_zone) == ("lapor@prov-jabar.agency.example", "Asia/Makassar")
    async with database.begin() as connection:
        assert await contacts.load(connection, ["kota-bandung", "unknown"]) == {"kota-bandung": below}


async def test_the_history_shows_notices_in_order_page_by_page(database: Database) -> None:
    queue = FilledQueue(database)
    deliveries = sorted((a_delivery(f"n{n}") for n in range(5)), key=lambda d: d.notice_id)
    await queue.put(*deliveries)
    history = NoticeHistory(database)
    first = await history.of_case(CASE_ID, after=None, limit=3)
    rest = await history.of_case(CASE_ID, after=first[-1].notice_id, limit=3)
    assert [r.notice_id for r in (*first, *rest)] == [d.notice_id for d in deliveries]
    assert await history.case(an_id("nobody")) is None
    later = datetime.now(UTC) + timedelta(hours=1)
    depth = await history.depth(later)
    assert (depth["reporters"].waiting, depth["officers"].waiting) == (5, 0)
    assert depth["reporters"].late_s > 3_500


async def test_only_what_is_settled_and_old_is_forgotten(database: Database) -> None:
    queue = FilledQueue(database)
    old = UUID(int=int(NOON.timestamp() * 1000) << 80 | 7)
    settled, waiting = a_delivery("settled")._replace(case_id=old), a_delivery("waiting")._replace(case_id=old)
    await queue.put(settled, waiting)
    async with database.begin() as connection:
        sql = "UPDATE delivery SET status = CASE WHEN notice_id = :sent THEN 'sent' ELSE 'queued' END, created_at = :noon"
        await connection.execute(text(sql), {"sent": settled.notice_id, "noon": NOON})
        await connection.execute(text("UPDATE case_notice_state SET ended = true"))
    history = NoticeHistory(database)
    assert await history.forget(NOON - timedelta(days=1)) == 0
    assert await history.forget(NOON + timedelta(days=1)) == 1
    assert set(await queue.rows()) == {waiting.notice_id}
    async with database.begin() as connection:
        await connection.execute(text("UPDATE delivery SET status = 'failed'"))
    assert await history.forget(NOON + timedelta(days=1)) == 2
    assert await history.case(old) is None


async def test_what_is_due_is_found_by_index_however_long_the_history(database: Database) -> None:
    async with database.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO delivery (case_id, notice_id, audience, kind, recipient, variables, traceparent, status, occurred_at) "
                "SELECT gen_random_uuid(), gen_random_uuid(), 0, 'receipt', 'reporter', '{}', '', 'sent', now() "
                "FROM generate_series(1, 20000)"
            )
        )
        await connection.execute(text("ANALYZE delivery"))
        plan: Any = await connection.execute(
            text(
                "EXPLAIN SELECT case_id FROM delivery WHERE status IN ('queued', 'sending') AND audience = 0 "
                "AND next_attempt_at <= now() ORDER BY next_attempt_at LIMIT 100 FOR UPDATE SKIP LOCKED"
            )
        )
        assert "delivery_due" in "\n".join(plan.scalars())
