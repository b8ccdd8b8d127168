"""The legal clocks on the whole platform: business time jumps, and warnings, breaches and automatic closing follow, each once."""

from collections import Counter
from datetime import datetime, timedelta
from uuid import UUID

from tests.support.platform import TIMEOUT_S, Platform, Receipt
from tests.support.waiting import until
from tuntas_contracts.topology import SLA
from tuntas_contracts.vocabulary import Role

BANDUNG = "kota-32-73"
MAILBOX = "pengaduan+{role}@kota-32-73.agency.example"


async def due(platform: Platform, receipt: Receipt, clock: str) -> datetime:
    """When a running clock of a case ends, as the SLA monitor shows it."""

    async def shown() -> datetime | None:
        path = f"/v1/cases/{receipt.case_id}/clocks"
        answer = await platform.call_until_known("sla-monitor", "GET", path, role=Role.NATIONAL_ADMINISTRATOR)
        running = [c for c in answer.json()["clocks"] if c["clock"] == clock and c["ended_at"] is None]
        return datetime.fromisoformat(running[0]["due_at"]) if running else None

    found: datetime = await until(shown, f"{clock} of case {receipt.case_id} runs", TIMEOUT_S)
    return found


async def until_published(platform: Platform, case_id: UUID, *wanted: tuple[str, str, str]) -> None:
    """Wait until these (kind, clock, level) stand on the SLA topic of a case."""

    async def published() -> bool:
        return set(wanted) <= set(await platform.deadlines(case_id))

    await until(published, f"{wanted} of case {case_id}", TIMEOUT_S)


async def test_warnings_breaches_and_automatic_closing(platform: Platform) -> None:
    queued = await platform.submit()
    at_agency = await platform.submit(addressed_agency=BANDUNG)
    accepted = await platform.submit(addressed_agency=BANDUNG)
    await platform.accept(accepted, BANDUNG, "dinas-perhubungan", normative=True)
    answered = await platform.submit(addressed_agency=BANDUNG)
    await platform.handle(answered, BANDUNG, "layanan")
    await platform.answer(answered, BANDUNG)
    replied = await platform.submit(addressed_agency=BANDUNG)
    await platform.handle(replied, BANDUNG, "layanan")
    await platform.answer(replied, BANDUNG)
    await platform.until_state(queued, "received", version=2)
    await platform.until_state(replied, "responded")

    # a minute before the reporter's window closes: everything else has run out, the answered case still stands
    closes = await due(platform, answered, "C6")
    await platform.move_clock(closes - timedelta(minutes=1))
    await until_published(platform, queued.case_id, ("DeadlineWarning", "C1", "reminder"), ("DeadlineMissed", "C1", "missed"))
    await until_published(platform, at_agency.case_id, ("DeadlineWarning", "C2", "reminder"), ("DeadlineMissed", "C2", "missed"))
    await until_published(
        platform,
        accepted.case_id,
        ("DeadlineWarning", "C3", "yellow"),
        ("DeadlineMissed", "C3", "red"),
        ("DeadlineWarning", "C5", "checkpoint"),
        ("DeadlineMissed", "C4", "missed"),
    )
    await until_published(platform, answered.case_id, ("DeadlineWarning", "C6", "reminder"))
    assert (await platform.status(answered))["state"]["code"] == "responded"

    # a reply in the last minute counts, and cancels the closing
    await platform.reply(replied, "Masih padam.")
    await platform.until_state(replied, "in_progress")
    await platform.pass_time(timedelta(minutes=2))
    closed = await platform.until_state(answered, "closed")
    assert closed["history"][-1]["transition"] == "T17"
    assert closed["history"][-1]["reason"] == "no_reply"
    late = await platform.call("intake", "POST", f"/v1/reports/{answered.tracking_id}/reply", headers=answered.code, json={"text": "Maaf"})
    assert late.status_code == 409
    assert (await platform.status(replied))["state"]["code"] == "in_progress"

    await platform.pass_time(timedelta(hours=8))  # mails of midnight wait for the morning
    await platform.until_mails(answered.tracking_id, "Tanggapi jawaban", "selesai", to="sekar.ayu@surat.example")
    await platform.until_mails(accepted.tracking_id, "terlambat", to="sekar.ayu@surat.example")
    for role in ("liaison_officer", "agency_administrator", "responsible_officer"):
        await platform.until_mails(accepted.tracking_id, "Peringatan", "TERLAMBAT", to=MAILBOX.format(role=role))
    await platform.until_mails(accepted.tracking_id, "TERLAMBAT", to=MAILBOX.format(role="head"))
    await platform.until_mails(at_agency.tracking_id, "Peringatan", "TERLAMBAT", to=MAILBOX.format(role="agency_administrator"))
    await platform.until_mails(queued.tracking_id, "Peringatan", to="admin-nasional@lapor.example")

    await platform.until_idle()
    published = Counter(
        (r.key, r.body["clock"], r.body.get("level"), r.body["deadline_version"], r.kind)
        for r in await platform.read_topics()
        if r.topic == SLA.name
    )
    assert {what: times for what, times in published.items() if times > 1} == {}, "something was published more than once"
    mails = Counter((mail.message_id, tuple(mail.to)) for mail in platform.mails())
    assert {mail: times for mail, times in mails.items() if times > 1} == {}, "a mail was sent more than once"


async def test_a_case_that_moves_on_in_time_is_not_warned_of(platform: Platform) -> None:
    receipt = await platform.submit(addressed_agency=BANDUNG)
    verification = await due(platform, receipt, "C2")
    await platform.handle(receipt, BANDUNG, "layanan")
    await platform.answer(receipt, BANDUNG)
    await platform.confirm_when_answered(receipt, 5)
    bystander = await platform.submit(addressed_agency=BANDUNG)
    await platform.until_state(receipt, "closed")
    await platform.move_clock(max(verification, await due(platform, bystander, "C2")) + timedelta(hours=1))
    await until_published(platform, bystander.case_id, ("DeadlineMissed", "C2", "missed"))
    assert {kind for kind, _, _ in await platform.deadlines(receipt.case_id)} == {"DeadlineSet"}
