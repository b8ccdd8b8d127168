"""No name, phone, e-mail or address of a reporter passes over Kafka, into a log, a trace, or unencrypted into a database."""

import asyncio
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import asyncpg

from dispatch.domain.register import load_register
from tests.support.platform import TIMEOUT_S, Platform, Receipt
from tests.support.waiting import until
from tuntas_contracts.agencies import AcceptCase
from tuntas_contracts.topology import AGENCY_ACTIONS, AGENCY_CASES, CASES
from tuntas_contracts.vocabulary import Role, Service
from tuntas_demo.corpus.generator import reports
from tuntas_demo.corpus.model import GeneratedReport, PersonalKind
from tuntas_operations.service_modules import module_of

BANDUNG = "kota-32-73"
REPORTS = 40
SEED = 7


@dataclass(frozen=True, slots=True)
class Submission:
    """A submitted report, and what must not be seen of its reporter."""

    receipt: Receipt
    report: GeneratedReport

    def secrets(self) -> Iterator[str]:
        """What identifies the reporter, in the notations that a computer might make of it."""
        for item in self.report.expected.personal:
            yield item.text
            if item.kind in (PersonalKind.PHONE, PersonalKind.NIK, PersonalKind.ACCOUNT):
                yield from _notations(item.text)

    def identifying(self) -> Iterator[str]:
        """Those that could not stand in another's report by chance."""
        common = {item.text for item in self.report.expected.personal if item.kind is PersonalKind.NAME and len(item.text.split()) < 3}
        return (text for text in self.secrets() if text not in common)


def _notations(number: str) -> Iterator[str]:
    digits = re.sub(r"\D", "", number)
    national = re.sub(r"^(62|0)", "", digits)
    yield from (digits, f"62{national}", f"0{national}")


def found(secrets: Sequence[str], text: str) -> list[str]:
    """Which of these stand in a text, whatever their capitals."""
    folded = text.casefold()
    return [secret for secret in secrets if re.search(rf"(?<!\w){re.escape(secret.casefold())}(?!\w)", folded)] if folded else []


def any_of(secrets: Sequence[str], text: str) -> bool:
    """A quick look before the exact one."""
    folded = text.casefold()
    return any(secret.casefold() in folded for secret in secrets)


async def submit_all(platform: Platform) -> list[Submission]:
    """Reports whose texts give their writers away, all at agencies that have topics; some are answered and replied to."""
    generated = [r for r in reports(SEED, 1_500, load_register(), start=date(2026, 1, 5)) if any(p.in_text for p in r.expected.personal)]
    assert len(generated) >= REPORTS

    async def one(report: GeneratedReport) -> Submission:
        request = {
            name: value for name, value in report.request().items() if name not in {"channel", "original_received_at", "suggested_agency"}
        }
        addressed = {} if report.payload.addressed_agency is None else {"addressed_agency": BANDUNG}
        answer = await platform.http.post(f"{platform.url('intake')}/v1/reports", json=request | addressed)
        assert answer.status_code == 201, answer.text
        body = answer.json()
        return Submission(Receipt(body["case_id"], body["tracking_id"], body["access_code"], body), report)

    return list(await asyncio.gather(*(one(report) for report in generated[:REPORTS])))


async def converse(platform: Platform, submission: Submission) -> None:
    """The agency looks the name up and writes it wherever it can, and the reporter gives himself away once more in a reply."""
    name = submission.report.payload.reporter.name
    if not submission.report.payload.anonymous:
        disclosed = await platform.call(
            "intake",
            "POST",
            f"/v1/cases/{submission.receipt.case_id}/reporter-disclosure",
            role=Role.LIAISON_OFFICER,
            agency=BANDUNG,
            json={"reason": "Menghubungi pelapor untuk klarifikasi"},
        )
        assert (disclosed.status_code, disclosed.json()["name"]) == (200, name)
    await platform.until_events(submission.receipt.case_id, "CaseAssigned", topic=AGENCY_CASES.for_agency(BANDUNG))
    await platform.command(BANDUNG, AcceptCase(case_id=submission.receipt.case_id, unit="layanan", title=f"Laporan Ibu {name}"[:300]))
    await platform.until_state(submission.receipt, "dispatched")
    await platform.follow_up(submission.receipt, BANDUNG, f"Pelapor {name.upper()} sudah kami hubungi.")
    await platform.answer(submission.receipt, BANDUNG, f"Yth. Ibu {name}, lampu telah diganti.", evidence=[f"Surat Ibu {name}"[:200]])
    await platform.until_state(submission.receipt, "responded")
    everything = ", ".join(item.text for item in submission.report.expected.personal if not item.in_text)
    await platform.reply(submission.receipt, f"Belum selesai. Data saya: {everything}. Terima kasih.")
    await platform.until_state(submission.receipt, "in_progress")


async def in_databases(platform: Platform) -> list[tuple[str, str]]:
    """Every row of every table as text; binary columns show as hexadecimal digits."""
    shown = []
    for service in Service:
        connection = await asyncpg.connect(platform.stack.database_url(module_of(service)))
        try:
            for table in await connection.fetch("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'"):
                rows = await connection.fetch(f'SELECT t::text AS row FROM "{table["name"]}" t')
                shown.append((f"{service}.{table['name']}", "\n".join(row["row"] for row in rows)))
        finally:
            await connection.close()
    return shown


async def test_nothing_of_a_reporter_is_seen_outside_of_intake_and_the_mail(platform: Platform) -> None:
    everyone = await submit_all(platform)
    at_agency = [
        t for t in everyone if t.report.payload.addressed_agency and (await platform.status(t.receipt))["state"]["code"] == "at_agency"
    ]
    await asyncio.gather(*(converse(platform, submission) for submission in at_agency[:4]))
    written_to = [t for t in everyone if t.report.payload.reporter.email]

    async def all_mailed() -> bool:
        mails = platform.mails()
        return all(any(submission.receipt.tracking_id in mail.subject for mail in mails) for submission in written_to)

    await until(all_mailed, "every reporter with an address has a receipt", TIMEOUT_S)
    await platform.until_idle()

    # the mails do know whom they are for; so the search below looks for the right thing
    named = [t for t in written_to if any(t.report.payload.reporter.name in mail.body for mail in platform.mails(t.receipt.tracking_id))]
    assert len(named) >= len(written_to) // 2

    identifying = sorted({secret for submission in everyone for secret in submission.identifying()})
    own = {str(submission.receipt.case_id): list(submission.secrets()) for submission in everyone}
    seen: list[tuple[str, list[str]]] = []
    fingerprints: set[str] = set()
    records = [record for record in await platform.read_topics() if record.topic != AGENCY_ACTIONS.for_agency(BANDUNG)]  # its own words
    for record in records:
        text = record.text
        secrets = identifying + own.get((record.key or b"").decode(errors="replace"), [])
        if any_of(secrets, text) and (leaked := found(secrets, text)):
            seen.append((f"{record.topic} {record.kind}", leaked))
        if record.topic == CASES.name and (record.key or b"").decode(errors="replace") in own:
            fingerprints.update(record.body.get("name_fingerprints", ()))
    assert fingerprints
    seen += [(f"{r.topic} {r.kind}", ["fingerprint"]) for r in records if r.topic != CASES.name and any_of(sorted(fingerprints), r.text)]
    nowhere = identifying + sorted(fingerprints)
    for file in (*platform.stack.folder.logs.glob("*"), *platform.stack.folder.traces.glob("*")):
        text = file.read_text(encoding="utf-8", errors="replace")
        if any_of(nowhere, text) and (leaked := found(nowhere, text)):
            seen.append((file.name, leaked))
    for table, text in await in_databases(platform):
        if any_of(identifying, text) and (leaked := found(identifying, text)):
            seen.append((table, leaked))
    assert seen == []
