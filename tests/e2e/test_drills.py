"""Parts fail, processes are replaced, databases put back: nothing is lost, nothing happens twice, everything ends in good order."""

import asyncio
import json
import random
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from uuid import UUID

import pytest

from tests.e2e.conftest import register_is_read
from tests.support.chaos import Client, FaultInjector
from tests.support.database import execute
from tests.support.kafka_log import TopicRecord
from tests.support.platform import Platform, Receipt
from tests.support.rollout import Endpoints, Traffic
from tests.support.seeds import seed_of_this_run
from tests.support.waiting import until
from tuntas_contracts.topology import AGENCY_CASES, CASES, INPUTS, NOTICES, SLA
from tuntas_contracts.vocabulary import Role, Service
from tuntas_demo.drills.model import Drill, Setting
from tuntas_demo.drills.registry import DRILLS
from tuntas_demo.drills.runner import do, must_hold, stack_options, staged
from tuntas_demo.drills.scene import Scene
from tuntas_devstack.state import read_databases
from tuntas_embedded.mailbox import repeats_by_message_id
from tuntas_operations.reconciliation import Reconciler
from tuntas_operations.service_modules import module_of

pytestmark = [pytest.mark.timeout(600), pytest.mark.drill]

UNITS = {"kota-32-73": "layanan", "kab-32-01": "layanan", "kemenkes": "penanggulangan-penyakit"}
AGENCIES = tuple(UNITS)
REPORTS = 2_000
REPORTS_OF_A_DRILL = 60
AT_ONCE = 40
SERVICES = tuple(service.value for service in Service)
PARTS = (*SERVICES, *(f"{service}-2" for service in SERVICES))
QUIET_WITHIN_S = 240.0
SEED = seed_of_this_run()
"""Stands in the test's name: the moments of the kills follow from it."""


QUICK = [drill for drill in DRILLS.values() if drill.quick and drill.setting is Setting.PAIRS]


@pytest.fixture(scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """A stack of its own, as `tuntas drill` starts it; every service runs twice."""
    folder = tmp_path_factory.mktemp("drilled") / "stack"
    async with staged(stack_options(Setting.PAIRS), folder, random.Random(SEED), REPORTS_OF_A_DRILL, print) as scene:
        yield scene
    assert scene.stack.deaths == [], "a part ended that nobody killed"


@pytest.fixture(scope="module")
async def drilled(scene: Scene) -> AsyncIterator[Platform]:
    """The same stack as the other tests see it."""
    platform = Platform(scene.stack)
    await register_is_read(platform)
    yield platform
    await platform.close()


@pytest.mark.parametrize("drill", QUICK, ids=[f"{drill.name}-{SEED}" for drill in QUICK])
async def test_a_quick_drill_holds(scene: Scene, drill: Drill) -> None:
    """The counter knows the reports of drills alone: these come first, and start where nobody else has filed any."""
    result = await do(drill, scene, print)
    must_hold(result)
    assert result.outcome == "held"


async def reconciled(platform: Platform) -> int:
    """The platform comes to rest, and topics and databases agree in everything; gives the number of reports."""
    await platform.until_idle(QUIET_WITHIN_S)
    stack = platform.stack
    reconciler = Reconciler(stack.state.kafka, read_databases(stack.folder), stack.kafka_client())
    try:
        result = await reconciler.round(in_flight_s=0)
    finally:
        reconciler.close()
    assert result.clean, (result.by_kind, result.differences[:5])
    assert result.accepted == result.published == result.owned
    return result.accepted


async def all_mailed(platform: Platform) -> None:
    """Wait until no mail waits to be sent."""

    async def none_waits() -> bool:
        rows = await platform.query("notifier", "SELECT count(*) AS number FROM delivery WHERE status IN ('queued', 'sending')")
        return bool(rows[0]["number"] == 0)

    await until(none_waits, "every mail is sent", QUIET_WITHIN_S)


def once_and_in_order(records: Sequence[TopicRecord]) -> None:
    """The records of one case on one topic: a version has one message, however often it came; first comings are in order."""
    ids: dict[int, str] = {}
    for record in records:
        if "version" not in record.body:
            continue
        version, message_id = record.body["version"], record.header("ce_id")
        if version not in ids:
            assert not ids or version > max(ids), (record.topic, record.key, version, sorted(ids))
        assert ids.setdefault(version, message_id) == message_id, (record.topic, record.key, version)


async def nothing_lost_nor_doubled(platform: Platform, where: dict[UUID, str]) -> None:
    """Every case is on its agency's topic and on no other, each version once in effect and in order."""
    await platform.read_topics()
    for case_id, agency in where.items():
        once_and_in_order(platform.log.of_key(case_id, CASES.name))
        for other in AGENCIES:
            messages = platform.log.of_key(case_id, AGENCY_CASES.for_agency(other))
            if other == agency:
                assert "CaseAssigned" in {r.kind for r in messages}, (case_id, "never reached its agency")
                once_and_in_order(messages)
            else:
                assert messages == [], (case_id, f"reached {other}")


@pytest.mark.parametrize("seed", [SEED])
async def test_two_thousand_reports_while_everything_is_killed(drilled: Platform, seed: int) -> None:
    platform = drilled
    client, plugs = Client(platform), FaultInjector(platform.stack, random.Random(seed))
    plan = plugs.plan([*PARTS, "kafka", "postgres"], REPORTS)
    numbers = iter(range(REPORTS))
    where: dict[UUID, str] = {}
    tracking_ids: list[str] = []
    worked: dict[UUID, str] = {}

    async def reporter() -> None:
        for number in numbers:
            agency = AGENCIES[number % len(AGENCIES)]
            receipt = await client.submit(agency, number)
            where[receipt.case_id] = agency
            tracking_ids.append(receipt.tracking_id)
            if (part := plan.get(len(where))) is not None:
                plugs.pull(part)
            if number % 20 == 0:
                await client.command(receipt.case_id, "accept", agency, {"unit": UNITS[agency]})
                await client.command(receipt.case_id, "answer", agency, {"answer": "Sudah diperbaiki."})
                worked[receipt.case_id] = agency

    before = await platform.query("intake", "SELECT count(*) AS number FROM report")
    await asyncio.gather(*(reporter() for _ in range(AT_ONCE)))
    await plugs.all_back()
    assert sorted(plugs.killed) == sorted([*PARTS, "kafka", "postgres"])
    assert len(where) == REPORTS
    assert not any(fault.startswith("500") for fault in client.faults), f"an outage is a 503, not an error of ours: {client.faults}"

    assert await reconciled(platform) == before[0]["number"] + REPORTS, "a retry made a second report"
    await nothing_lost_nor_doubled(platform, where)
    for case_id, agency in worked.items():
        messages = platform.log.of_key(case_id, AGENCY_CASES.for_agency(agency))
        assert {r.body["transition"] for r in messages} == {"T2", "T4", "T15"}, case_id

    await all_mailed(platform)
    subjects = Counter(word for mail in platform.mails() for word in (mail.subject,))
    for tracking_id in tracking_ids:
        assert f"Laporan {tracking_id} telah kami terima" in subjects, tracking_id
    await repeats_are_counted(platform)


async def repeats_are_counted(platform: Platform) -> dict[str, int]:
    """Each mail came at most twice, and whatever came twice is reported as a possible repeat; gives the repeats."""
    repeats = repeats_by_message_id(platform.stack.folder.mail)
    assert set(repeats.values()) <= {1}, "a mail came more than twice"
    await platform.until_idle(QUIET_WITHIN_S)
    sent: dict[str, list[bool]] = defaultdict(list)
    ids: dict[str, set[str]] = defaultdict(set)
    for record in await platform.read_topics():
        if record.topic == NOTICES.name and record.kind == "NoticeSent":
            sent[record.body["message_id"]].append(record.body["possible_repeat"])
            ids[record.body["message_id"]].add(record.header("ce_id"))
    assert all(any(sent[message_id]) for message_id in repeats), "a repeat that nobody counted"
    assert all(len(found) == 1 for found in ids.values()), "a notice reported as sent by two events"
    return repeats


async def test_a_mail_cut_off_between_sending_and_committing_is_repeated_once_and_counted(drilled: Platform) -> None:
    platform, faults = drilled, drilled.stack.folder.path / "mail-faults.json"
    await all_mailed(platform)
    await asyncio.to_thread(platform.stack.stop_part, "notifier-2")  # so that it is known who sends
    faults.write_text(json.dumps({"kind": "delay", "remaining": 2, "delay_s": 30}))
    receipt = await Client(platform).submit("kota-32-73")

    async def stored() -> bool:
        return any("telah kami terima" in mail.subject for mail in platform.mails(receipt.tracking_id))

    await until(stored, "the mail server has the mail", QUIET_WITHIN_S)
    # the server took it, and the notifier still waits for the answer
    await asyncio.to_thread(platform.stack.kill, "notifier")
    faults.write_text(json.dumps({"kind": "delay", "remaining": 0}))
    await asyncio.to_thread(platform.stack.restart, "notifier")
    await platform.until_idle(QUIET_WITHIN_S)
    await all_mailed(platform)
    repeats = await repeats_are_counted(platform)
    twice = Counter(mail.message_id for mail in platform.mails(receipt.tracking_id))
    assert {message_id for message_id, times in twice.items() if times == 2} == set(repeats) & set(twice)
    assert max(twice.values()) == 2
    [rows] = await platform.query(
        "notifier", "SELECT count(*) AS number FROM delivery WHERE case_id = $1 AND status = 'sent'", receipt.case_id
    )
    assert rows["number"] == 2
    metrics = (await platform.http.get(f"{platform.url('notifier')}/metrics")).text
    counted = sum(
        float(line.rsplit(" ", 1)[1]) for line in metrics.splitlines() if line.startswith("tuntas_notices_possible_repeats_total{")
    )
    assert counted >= 1
    await asyncio.to_thread(platform.stack.restart, "notifier-2")


LONGEST_WAIT_S = 10.0
"""Until an event is on its topic. A partition or shard that is not handed over waits for a session (15 s) or a lease to end."""


async def test_a_rolling_restart_under_load_fails_no_request_and_delays_no_event(drilled: Platform) -> None:
    platform, endpoints = drilled, Endpoints(drilled)
    assert [len(names) for names in endpoints.replicas.values()] == [2] * len(SERVICES)
    traffic, stopping = Traffic(platform, endpoints), asyncio.Event()
    await platform.read_topics()
    records_before = len(platform.log.records)

    async def roll() -> dict[str, int | None]:
        try:
            return {name: await endpoints.replace(name) for names in endpoints.replicas.values() for name in names}
        finally:
            stopping.set()

    before = await platform.query("intake", "SELECT count(*) AS number FROM report")
    rolling = asyncio.create_task(roll())
    await asyncio.gather(*(traffic.reporter(UNITS, stopping, number) for number in range(4)))
    ended = await rolling
    assert set(ended.values()) == {0}, f"SIGTERM ends a service with exit code 0: {ended}"
    assert traffic.failed == []
    assert len(traffic.answered) == 5, f"something was asked of every service that takes requests: {traffic.answered}"
    assert await reconciled(platform) == before[0]["number"] + len(traffic.where)
    await nothing_lost_nor_doubled(platform, traffic.where)

    records = [r for r in platform.log.records[records_before:] if r.topic in (CASES.name, SLA.name)]
    assert len(records) > len(traffic.where) * 4
    waits = sorted(r.timestamp_ms / 1000 - datetime.fromisoformat(r.header("ce_time")).timestamp() for r in records)
    assert waits[-1] < LONGEST_WAIT_S, f"{sum(w > LONGEST_WAIT_S for w in waits)} of {len(waits)} events waited; the longest: {waits[-5:]}"


def of(service: Service, platform: Platform) -> list[str]:
    """The parts of a service."""
    return [part.name for part in platform.stack.state.parts if part.name == service or part.name.startswith(f"{service}-2")]


async def on_each(parts: Sequence[str], action: str, platform: Platform) -> None:
    """Stop, kill or restart parts, all at once."""
    await asyncio.gather(*(asyncio.to_thread(getattr(platform.stack, action), part) for part in parts))


async def back_up(service: Service, platform: Platform) -> None:
    """Copy the service's database in the middle of its work; its processes are killed for it, and lie until they are restarted."""
    await on_each(of(service, platform), "kill", platform)
    name, admin = module_of(service), platform.stack.database_url("admin")
    await platform.databases.close()
    await execute(admin, f'CREATE DATABASE "{name}_backup" TEMPLATE "{name}"', f'ALTER DATABASE "{name}_backup" OWNER TO "{name}"')


async def put_back(service: Service, platform: Platform) -> None:
    """Put the service's database back to its backup, while the service is stopped."""
    name, admin = module_of(service), platform.stack.database_url("admin")
    await on_each(of(service, platform), "stop_part", platform)
    await platform.databases.close()
    await execute(admin, f'DROP DATABASE "{name}"', f'ALTER DATABASE "{name}_backup" RENAME TO "{name}"')
    await on_each(of(service, platform), "restart", platform)


def published_so_far(records: Sequence[TopicRecord]) -> Counter[tuple[str, str, str]]:
    """What readers have received: topic, kind and message id, each once however often it came.

    Inputs count by their input id: an owner may repeat one behind what it has lost, and everyone is idempotent on it.
    """
    inputs = {kind.__name__ for kind in INPUTS}
    published = ((r.topic, r.kind, r.body["input_id"] if r.kind in inputs else r.header("ce_id")) for r in records)
    return Counter(dict.fromkeys(published, 1))


async def test_a_database_put_back_to_an_earlier_backup_catches_up(drilled: Platform) -> None:
    platform, client = drilled, Client(drilled)
    agency = AGENCIES[0]
    answered = await client.submit(agency)
    await platform.accept(answered, agency, "layanan")

    # the backup is taken in the middle of the work: the outboxes may hold what is not sent yet
    load = asyncio.create_task(submit_some(client, 60))
    await asyncio.sleep(0)
    services = (Service.DISPATCH, Service.TRIAGE, Service.NOTIFIER)
    for service in services:
        await back_up(service, platform)
    await on_each([part for service in services for part in of(service, platform)], "restart", platform)
    await load

    # what happens after it is what will be missing
    await platform.answer(answered, agency)
    bounced = await client.submit(agency)
    await platform.return_case(bounced, agency)
    archived = await client.submit(None)
    await platform.archive(archived, "spam")
    forwarded = await client.submit(None)
    await platform.forward(forwarded, "kab-32-01")
    await platform.accept(forwarded, "kab-32-01", "layanan")
    closed = await client.submit(agency)
    await platform.handle(closed, agency, "layanan")
    await platform.answer(closed, agency)
    await platform.confirm_when_answered(closed, 5)
    await platform.until_state(closed, "closed")
    await platform.until_state(answered, "responded")
    await submit_some(client, 60)
    await reconciled(platform)
    await all_mailed(platform)
    cases: dict[Receipt, str] = {
        answered: "responded",
        bounced: "received",
        archived: "archived",
        forwarded: "dispatched",
        closed: "closed",
    }

    for service in services:
        before, mails = published_so_far(await platform.read_topics()), len(platform.mails())
        await put_back(service, platform)
        await reconciled(platform)
        await all_mailed(platform)
        assert len(platform.mails()) == mails, "a mail that was sent went out again"
        news = published_so_far(await platform.read_topics()) - before
        assert news == Counter(), f"{service} published something new of what was over: {list(news)[:5]}"
        for receipt, state in cases.items():
            assert (await platform.status(receipt))["state"]["code"] == state

    # and everything goes on
    await platform.reply(answered, "Belum selesai.")
    await platform.until_state(answered, "in_progress")
    await platform.forward(bounced, "kab-32-01")
    await platform.answer(forwarded, "kab-32-01")
    await platform.confirm_when_answered(forwarded, 3)
    await platform.until_state(forwarded, "closed")
    await reconciled(platform)


async def test_a_reporter_who_was_erased_does_not_come_back_with_a_backup(drilled: Platform) -> None:
    platform, receipt = drilled, await Client(drilled).submit(AGENCIES[0])
    await all_mailed(platform)
    [row] = await platform.query("intake", "SELECT reporter_ref FROM report WHERE case_id = $1", receipt.case_id)
    reporter = str(row["reporter_ref"])

    async def history_of_the_reporter() -> list[str]:
        wanted = {"contacts": [{"reporter_ref": reporter, "case_id": str(receipt.case_id), "purpose": "drill"}]}
        answer = await platform.call("intake", "POST", "/v1/contacts/lookup", role=Role.SERVICE, json=wanted)
        return ["known" for _ in answer.json()["contacts"]] + [missing["reason"] for missing in answer.json()["missing"]]

    async def erased() -> bool:
        return await history_of_the_reporter() == ["erased"]

    await back_up(Service.INTAKE, platform)
    await on_each(of(Service.INTAKE, platform), "restart", platform)
    assert await history_of_the_reporter() == ["known"]
    answer = await platform.call("intake", "DELETE", f"/v1/reporters/{reporter}", role=Role.OPERATOR)
    assert answer.status_code == 204
    assert await erased()
    await reconciled(platform)
    await put_back(Service.INTAKE, platform)
    await until(erased, "what was erased since the backup is erased again", QUIET_WITHIN_S)
    await reconciled(platform)


async def submit_some(client: Client, count: int) -> None:
    """Submit reports to the agencies in turn."""
    await asyncio.gather(*(client.submit(AGENCIES[number % len(AGENCIES)], number) for number in range(count)))
