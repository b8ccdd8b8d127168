"""The use cases of intake on ports in memory: what a reporter, an officer, the notifier and an operator get, and what is stored."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import chain, repeat
from uuid import UUID

import pytest

from intake.adapters.vault import Vault
from intake.application import errors, handlers
from intake.application.access_codes import AccessCodeVerifier
from intake.application.disclosure import Disclosures
from intake.application.handlers import NewReceipt, Submissions
from intake.application.ports import Found, Read
from intake.application.reporter_inputs import ReporterInputs
from intake.application.status import StatusReader
from intake.domain.receipts import new_tracking_id
from intake.domain.wrong_tries import PER_SOURCE
from intake.entrypoints.problems import problem_of
from intake.metrics import ACCESS_FAILURES, INPUTS, METRICS, READS, REPLAYED
from tests.support.names import NAMES
from tests.unit.intake import fakes
from tests.unit.intake.builders import KEY, PEPPER, StandingClock, a_request, accepted, answered, event, forwarded
from tuntas_chassis.http.auth import Principal
from tuntas_chassis.telemetry.metrics import MetricSet
from tuntas_contracts import cases
from tuntas_contracts.refusal import Refusal, RefusalCode
from tuntas_contracts.vocabulary import CaseState, Role
from tuntas_reference.calendar_files import load_calendar
from tuntas_reference.profile import DEFAULT_PROFILE

HERE = "192.0.2.1"
WRONG = "0000-0000-0000-0000"
CLERK = Principal("clerk-7", frozenset({Role.CLERK}), "dinas-pu")
LIAISON = Principal("liaison-1", frozenset({Role.LIAISON_OFFICER}), "dinas-pu")
ELSEWHERE = Principal("liaison-2", frozenset({Role.LIAISON_OFFICER}), "dinas-lain")
NATIONAL = Principal("national-1", frozenset({Role.NATIONAL_ADMINISTRATOR}))
NOTIFIER = Principal("notifier", frozenset({Role.SERVICE}))


@dataclass
class Intake:
    """Every use case on one store."""

    clock: StandingClock = field(default_factory=StandingClock)
    stored: fakes.Stored = field(default_factory=fakes.Stored)
    metrics: MetricSet = field(default_factory=lambda: MetricSet(METRICS))

    def __post_init__(self) -> None:
        vault, database, self.outbox = Vault(KEY), fakes.FakeDatabase(self.stored), fakes.FakeOutbox(self.stored)
        reports, history = fakes.FakeReports(self.stored), fakes.FakeCaseHistory(self.stored)
        data = fakes.FakePersonalData(self.stored, vault)
        gate = AccessCodeVerifier(reports, database, PEPPER, self.metrics)
        file = fakes.FakeReportFile(self.stored, self.clock.now)
        self.submissions = Submissions(vault, PEPPER, DEFAULT_PROFILE, self.clock, file, self.metrics, NAMES)
        self.status = StatusReader(gate, history, database, load_calendar())
        self.inputs = ReporterInputs(
            gate, fakes.FakeInputFile(self.stored), history, data, database, self.outbox, self.clock, PEPPER, self.metrics
        )
        self.disclosures = Disclosures(reports, history, data, database, self.outbox, self.clock, PEPPER, self.metrics)

    async def submit(self, by: Principal | None = None, key: str | None = None, **fields: object) -> NewReceipt:
        return await self.submissions.submit(a_request(**fields), by, key)

    async def answered(self) -> NewReceipt:
        """The receipt of a report that was answered."""
        receipt = await self.submit()
        self.stored.read(*(make(case_id=receipt.case_id) for make in (forwarded, accepted, answered)))
        return receipt

    async def reply(self, receipt: NewReceipt, text: str = "Belum selesai", key: str | None = None) -> UUID:
        return (await self.inputs.reply(receipt.tracking_id, receipt.access_code or WRONG, text, key, HERE)).input_id

    async def confirm(self, receipt: NewReceipt, rating: int = 4, key: str | None = None) -> UUID:
        return (await self.inputs.confirm(receipt.tracking_id, receipt.access_code or WRONG, rating, key, HERE)).input_id

    def reporter(self, receipt: NewReceipt) -> UUID:
        return self.stored.reports[receipt.case_id].content.reporter_ref

    def read_of(self, receipt: NewReceipt) -> Read:
        return Read(self.reporter(receipt), receipt.case_id, "notice:receipt")


@pytest.fixture
def intake() -> Intake:
    return Intake()


def draw(monkeypatch: pytest.MonkeyPatch, ids: Iterator[str]) -> None:
    """Have these tracking ids drawn."""
    monkeypatch.setattr(handlers, "new_tracking_id", lambda: next(ids))


async def test_a_retry_gets_the_receipt_of_the_first_try(intake: Intake) -> None:
    first = await intake.submit(key="kunci 1")
    intake.clock.time += timedelta(hours=1)
    assert await intake.submit(key="kunci 1") == first
    assert (len(intake.stored.reports), intake.metrics.value(REPLAYED)) == (1, 1)


async def test_a_clerks_key_with_another_body_is_a_conflict(intake: Intake) -> None:
    await intake.submit(CLERK, "kunci 1", channel="letter")
    with pytest.raises(errors.RetryKeyReused) as refused:
        await intake.submit(CLERK, "kunci 1", channel="letter", title="Judul lain")
    assert (problem_of(refused.value).status, problem_of(refused.value).code) == (422, "idempotency_key_reused")
    assert len(intake.stored.reports) == 1


async def test_a_tracking_id_that_is_taken_is_drawn_again(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = (await intake.submit()).tracking_id
    free = new_tracking_id()
    draw(monkeypatch, iter([taken, free]))
    assert (await intake.submit()).tracking_id == free


async def test_a_third_tracking_id_that_is_taken_asks_to_send_the_report_again(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = (await intake.submit()).tracking_id
    free = new_tracking_id()
    draw(monkeypatch, chain(repeat(taken, 3), repeat(free)))
    with pytest.raises(errors.TrackingIdTaken) as refused:
        await intake.submit(key="kunci 1")
    problem = problem_of(refused.value)
    assert (problem.status, problem.headers) == (503, {"Retry-After": "1"})
    assert len(intake.stored.reports) == 1
    assert (await intake.submit(key="kunci 1")).tracking_id == free


async def test_the_status_shows_the_newest_events_and_then_those_before_them(intake: Intake) -> None:
    receipt = await intake.answered()
    page = await intake.status.read(receipt.tracking_id.lower(), receipt.access_code or WRONG, HERE, before=None, limit=2)
    assert (page.status.state, page.status.agency, page.more) == (CaseState.RESPONDED, "dinas-pu", True)
    assert [entry.event for entry in page.entries] == ["CaseAccepted", "CaseAnswered"]
    assert page.reply_possible_until is not None
    rest = await intake.status.read(receipt.tracking_id, receipt.access_code or WRONG, HERE, before=page.entries[0].version, limit=2)
    assert ([entry.event for entry in rest.entries], rest.more) == (["CaseForwarded"], False)


async def test_a_wrong_code_and_an_unknown_id_are_one_answer_and_the_right_code_opens_always(intake: Intake) -> None:
    receipt = await intake.submit()
    answers = []
    for tracking_id in (receipt.tracking_id, new_tracking_id(), "tidak-ada", *repeat(receipt.tracking_id, PER_SOURCE)):
        with pytest.raises(errors.IntakeError) as refused:
            await intake.status.read(tracking_id, WRONG, HERE, before=None, limit=2)
        answers.append(type(refused.value))
    assert answers == [errors.NoSuchReport] * PER_SOURCE + [errors.TooManyWrongCodes] * 3
    assert intake.metrics.value(ACCESS_FAILURES, "blocked") == 3
    page = await intake.status.read(receipt.tracking_id, receipt.access_code or WRONG, HERE, before=None, limit=2)
    assert page.report.case_id == receipt.case_id


async def test_a_reply_goes_out_masked_and_its_original_is_kept(intake: Intake) -> None:
    receipt = await intake.answered()
    input_id = await intake.reply(receipt, "Belum, kata Siti")
    [published] = intake.stored.outbox
    assert isinstance(published.body, cases.ReporterReplied)
    assert (published.key, published.body.input_id, published.body.text) == (str(receipt.case_id), input_id, "Belum, kata [nama]")
    assert (intake.reporter(receipt), input_id) in intake.stored.originals
    assert (intake.outbox.woken, intake.metrics.value(INPUTS, "reply")) == (1, 1)


async def test_a_reply_sent_twice_with_one_key_is_one_input_and_with_another_text_a_conflict(intake: Intake) -> None:
    receipt = await intake.answered()
    assert await intake.reply(receipt, key="satu") == await intake.reply(receipt, key="satu")
    with pytest.raises(errors.RetryKeyReused):
        await intake.reply(receipt, "Sudah selesai", key="satu")
    with pytest.raises(errors.RetryKeyReused):
        await intake.confirm(receipt, key="satu")
    assert len(intake.stored.outbox) == 1


async def test_a_confirmation_carries_the_rating_and_reads_no_personal_data(intake: Intake) -> None:
    receipt = await intake.answered()
    await intake.confirm(receipt, 4)
    [published] = intake.stored.outbox
    assert isinstance(published.body, cases.ReporterConfirmed)
    assert (published.body.rating, published.body.assisted) == (4, False)
    assert intake.stored.log == []


async def test_before_an_answer_and_after_the_end_nothing_is_taken(intake: Intake) -> None:
    fresh, done = await intake.submit(), await intake.answered()
    intake.stored.read(event(cases.CaseClosed, 5, CaseState.CLOSED, case_id=done.case_id, agency="dinas-pu", reason="no_reply"))
    for receipt in (fresh, done):
        with pytest.raises(Refusal) as refused:
            await intake.reply(receipt)
        assert refused.value.code is RefusalCode.NOT_ANSWERED
        with pytest.raises(Refusal):
            await intake.confirm(receipt)
    assert (intake.stored.outbox, intake.stored.inputs, intake.outbox.woken) == ([], {}, 0)


async def test_contacts_come_with_a_new_code_only_where_another_entered_the_report(intake: Intake) -> None:
    own, letter = await intake.submit(), await intake.submit(CLERK, channel="letter")
    assert letter.access_code is None
    reads = [intake.read_of(own), intake.read_of(letter), Read(UUID(int=1), own.case_id, "notice:receipt")]
    found = await intake.disclosures.contacts(reads, {own.case_id, letter.case_id}, NOTIFIER)
    assert [result.own.email if isinstance(result, Found) else result for result in found.results] == [
        "siti@contoh.id",
        "siti@contoh.id",
        "unknown",
    ]
    assert found.access_codes.keys() == {letter.case_id}
    page = await intake.status.read(letter.tracking_id, found.access_codes[letter.case_id], HERE, before=None, limit=2)
    assert page.report.case_id == letter.case_id
    assert (len(intake.stored.log), intake.metrics.value(READS, "service")) == (2, 2)


async def test_an_officer_of_the_agency_that_has_the_case_learns_who_reported_and_it_is_logged(intake: Intake) -> None:
    receipt = await intake.answered()
    assert (await intake.disclosures.reporter_of(receipt.case_id, "perlu dihubungi", LIAISON)).name == "Siti Nurhaliza"
    assert intake.stored.log == [("liaison-1", "disclosure: perlu dihubungi", receipt.case_id)]
    with pytest.raises(errors.OtherAgencysCase):
        await intake.disclosures.reporter_of(receipt.case_id, "perlu dihubungi", ELSEWHERE)
    with pytest.raises(errors.UnknownCase):
        await intake.disclosures.reporter_of(UUID(int=1), "perlu dihubungi", NATIONAL)
    assert len(intake.stored.log) == 1


async def test_nobody_learns_of_an_anonymous_reporter_and_only_the_centre_of_one_who_reports_misconduct(intake: Intake) -> None:
    anonymous, misconduct = await intake.submit(anonymous=True), await intake.submit(misconduct=True)
    intake.stored.read(forwarded(case_id=anonymous.case_id), forwarded(case_id=misconduct.case_id))
    for officer in (LIAISON, NATIONAL):
        with pytest.raises(errors.AnonymousReporter):
            await intake.disclosures.reporter_of(anonymous.case_id, "perlu dihubungi", officer)
    with pytest.raises(errors.OtherAgencysCase):
        await intake.disclosures.reporter_of(misconduct.case_id, "perlu dihubungi", LIAISON)
    assert (await intake.disclosures.reporter_of(misconduct.case_id, "perlu dihubungi", NATIONAL)).name == "Siti Nurhaliza"


async def test_erasure_destroys_the_data_is_published_and_leaves_the_case(intake: Intake) -> None:
    receipt = await intake.answered()
    reporter = intake.reporter(receipt)
    await intake.disclosures.erase(reporter)
    [published] = intake.stored.outbox
    assert isinstance(published.body, cases.ReporterErased)
    assert (published.body.case_id, published.body.reporter_ref) == (receipt.case_id, reporter)
    assert (intake.stored.keys, intake.stored.originals) == ({}, {})
    with pytest.raises(errors.ReporterDataErased):
        await intake.disclosures.reporter_of(receipt.case_id, "perlu dihubungi", LIAISON)
    assert (await intake.disclosures.contacts([intake.read_of(receipt)], (), NOTIFIER)).results == ["erased"]
    await intake.reply(receipt, "Belum, 0812-3456-7890")
    assert intake.stored.originals == {}, "after erasure nothing is kept"
    with pytest.raises(errors.NothingToErase):
        await intake.disclosures.erase(reporter)
    assert len(intake.stored.outbox) == 2


def test_every_error_of_a_use_case_has_its_answer() -> None:
    subject = {errors.RetryKeyReused: "report", errors.UnknownCase: UUID(int=1)}
    kinds = errors.IntakeError.__subclasses__()
    answers = [problem_of(kind(*([subject[kind]] if kind in subject else []))) for kind in kinds]
    assert {answer.status for answer in answers} == {403, 404, 410, 422, 429, 503}
    assert all(answer.detail and answer.code != "problem" for answer in answers)
