"""The reports of the demo: the traffic they make, and that each can be submitted."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest

from dispatch.domain.register import Register, load_register
from intake.application.commands import SubmitReport
from intake.domain.submission import is_manual
from tuntas_contracts.vocabulary import ArchiveReason, Channel, Classification
from tuntas_demo.corpus import CorpusError, GeneratedReport, PersonalKind, load_catalogue, reports
from tuntas_reference.categories import load_categories

START = date(2026, 3, 2)
COUNT = 2000
BY_REPORTER = {Channel.WEB, Channel.MOBILE}


@dataclass(frozen=True)
class Entry:
    """An agency of a register that is not ours."""

    code: str
    name: str
    kind: str
    region_code: str | None


@pytest.fixture(scope="module")
def register() -> Register:
    return load_register()


@pytest.fixture(scope="module")
def corpus(register: Register) -> list[GeneratedReport]:
    return list(reports(7, COUNT, register, start=START))


def share(corpus: list[GeneratedReport], of: int) -> float:
    return of / len(corpus)


def test_the_same_seed_gives_the_same_reports_and_another_seed_others(register: Register, corpus: list[GeneratedReport]) -> None:
    assert list(reports(7, COUNT, register, start=START)) == corpus
    others = list(reports(8, 100, register, start=START))
    assert {report.payload.body for report in others}.isdisjoint(
        {report.payload.body for report in corpus[:100] if len(report.payload.body) > 150}
    )


def test_classes_come_in_the_shares_of_national_traffic(corpus: list[GeneratedReport]) -> None:
    found = Counter(report.payload.classification for report in corpus)
    assert found == {Classification.COMPLAINT: 1380, Classification.INFORMATION: 400, Classification.ASPIRATION: 220}


def test_at_least_sixty_situations_over_every_sector_appear(corpus: list[GeneratedReport]) -> None:
    by_code = {situation.code: situation for situation in load_catalogue()}
    seen = {report.situation for report in corpus}
    assert len(seen) >= 60
    assert {by_code[code].sector for code in seen} == {root.code for root in load_categories().roots}


def test_every_text_is_within_the_limits_of_a_report(corpus: list[GeneratedReport]) -> None:
    for report in corpus:
        assert 1 <= len(report.payload.title) <= 150, report.payload.title
        assert 20 <= len(report.payload.body) <= 8000, report.payload.body
        expected = report.expected
        for text in (*expected.answers, *expected.follow_ups, *expected.replies, *expected.return_reasons):
            assert text.strip()
            assert "{" not in text, text
        assert "{" not in report.payload.title + report.payload.body
        assert len(expected.answers) >= 2


def test_lengths_reach_from_a_line_to_pages(corpus: list[GeneratedReport]) -> None:
    lengths = [len(report.payload.body) for report in corpus]
    assert sum(length < 70 for length in lengths) > 100
    assert sum(length > 1200 for length in lengths) > 20


def test_people_type_as_people_do(corpus: list[GeneratedReport]) -> None:
    bodies = [report.payload.body for report in corpus]
    assert sum(body.isupper() for body in bodies) > 30
    assert sum(body.islower() for body in bodies) > 200
    assert sum(" yg " in body.lower() for body in bodies) > 100
    assert sum(any(sign in body for sign in "🙏😭😡") for body in bodies) > 50


def test_hardly_a_report_is_written_twice(corpus: list[GeneratedReport]) -> None:
    texts = Counter((report.payload.title, report.payload.body) for report in corpus)
    assert len(texts) > COUNT * 0.98
    assert max(texts.values()) <= 4


@pytest.mark.parametrize(
    ("what", "low", "high"),
    [
        (lambda r: bool(r.behaviour.missing), 0.36, 0.44),
        (lambda r: r.payload.addressed_agency is not None, 0.31, 0.39),
        (lambda r: r.payload.suggested_agency is not None, 0.14, 0.25),
        (lambda r: any(p.in_text for p in r.expected.personal) or bool(r.expected.third_parties), 0.06, 0.10),
        (lambda r: r.payload.misconduct, 0.02, 0.07),
        (lambda r: r.payload.anonymous, 0.07, 0.15),
        (lambda r: r.payload.secret, 0.03, 0.09),
        (lambda r: r.entered_by_clerk, 0.11, 0.20),
        (lambda r: r.behaviour.archive_reason is not None, 0.01, 0.03),
    ],
    ids=["incomplete", "addressed", "suggested", "disclosing", "misconduct", "anonymous", "secret", "by_clerk", "unactionable"],
)
def test_shares(corpus: list[GeneratedReport], what: Callable[[GeneratedReport], bool], low: float, high: float) -> None:
    assert low <= share(corpus, sum(map(what, corpus))) <= high


def test_an_incomplete_report_lacks_what_it_says_it_lacks(corpus: list[GeneratedReport]) -> None:
    for report in corpus:
        missing = report.behaviour.missing
        assert ("place" in missing) == (report.payload.place_text is None)
        if report.payload.classification is Classification.COMPLAINT:
            assert ("date" in missing) == (report.payload.incident_date is None)


def test_most_who_address_an_agency_address_the_right_one_but_not_all(corpus: list[GeneratedReport]) -> None:
    addressed = [report for report in corpus if report.payload.addressed_agency]
    right = sum(report.payload.addressed_agency == report.expected.agency for report in addressed)
    assert 0.80 <= right / len(addressed) <= 0.94


def test_one_local_agency_holds_about_a_sixth_of_its_sector(register: Register) -> None:
    sectors = {situation.code: situation.sector for situation in load_catalogue()}
    local = {agency.code for agency in register if agency.kind in ("regency", "city")}
    held: dict[str, Counter[str]] = defaultdict(Counter)
    for report in reports(3, 6000, register, start=START):
        held[sectors[report.situation]][report.expected.agency] += 1
    for sector in ("transport", "environment", "health", "education"):
        most = max(number for agency, number in held[sector].items() if agency in local)
        assert 0.11 <= most / held[sector].total() <= 0.23, sector


def test_regions_are_skewed_with_a_long_tail(corpus: list[GeneratedReport]) -> None:
    found = Counter(report.expected.agency for report in corpus)
    assert len(found) > 200
    assert sum(number for _, number in found.most_common(20)) > 0.4 * COUNT


def test_reports_arrive_in_order_within_their_days_and_most_in_the_evening(corpus: list[GeneratedReport]) -> None:
    submission_times = [report.submitted_at for report in corpus]
    assert submission_times == sorted(submission_times)
    first = datetime(2026, 3, 1, 17, tzinfo=UTC)
    assert first <= submission_times[0]
    assert submission_times[-1] < first + timedelta(days=5)
    hours = Counter((submitted_at.hour + 7) % 24 for submitted_at in submission_times)
    assert max(hours, key=lambda hour: hours[hour]) in (18, 19, 20, 21)
    assert hours[3] < hours[9] / 4


def test_incidents_lie_before_the_report(corpus: list[GeneratedReport]) -> None:
    for report in corpus:
        if report.payload.incident_date:
            received = report.original_received_at or report.submitted_at
            assert report.payload.incident_date <= (received + timedelta(hours=9)).date()


def test_intake_takes_every_report(corpus: list[GeneratedReport]) -> None:
    for report in corpus:
        taken = SubmitReport.model_validate_json(json.dumps(report.request()))
        assert taken.body == report.payload.body
        assert taken.addressed_agency == report.payload.addressed_agency
        assert (taken.place.text if taken.place else None) == report.payload.place_text
        assert is_manual(taken.channel) == report.entered_by_clerk


def test_every_reporter_can_be_reached(corpus: list[GeneratedReport]) -> None:
    for report in corpus:
        reporter = report.payload.reporter
        assert reporter.name
        assert reporter.email or reporter.phone
        if reporter.email:
            assert reporter.email.endswith(".example")


def test_what_came_in_by_hand_says_when(corpus: list[GeneratedReport]) -> None:
    for report in corpus:
        assert report.entered_by_clerk == (report.payload.channel not in BY_REPORTER)
        if report.entered_by_clerk:
            assert report.original_received_at is not None
            assert report.original_received_at < report.submitted_at
        else:
            assert report.original_received_at is None


def test_every_personal_string_is_where_it_is_said_to_be(corpus: list[GeneratedReport]) -> None:
    kinds = set()
    for report in corpus:
        reporter = report.payload.reporter
        fields = {reporter.name, reporter.email, reporter.phone, reporter.address, reporter.nik}
        assert {item.text for item in report.expected.personal if not item.in_text} == fields - {None}
        for item in report.expected.personal:
            if item.in_text:
                kinds.add(item.kind)
                assert item.text in report.payload.body
        assert all(text in report.payload.body for text in report.expected.third_parties)
    assert kinds == set(PersonalKind)


def test_an_address_in_the_text_is_also_in_its_field(corpus: list[GeneratedReport]) -> None:
    for report in corpus:
        for item in report.expected.personal:
            if item.in_text and item.kind is PersonalKind.ADDRESS:
                assert report.payload.reporter.address is not None
                assert item.text.lower() == report.payload.reporter.address.lower()


def test_a_name_is_in_no_text_but_its_owners(corpus: list[GeneratedReport]) -> None:
    officers = " ".join(text for r in corpus for text in (*r.expected.answers, *r.expected.replies, *r.expected.follow_ups)).lower()
    silent = " ".join(
        f"{r.payload.title} {r.payload.body} {r.payload.place_text}" for r in corpus if not any(p.in_text for p in r.expected.personal)
    ).lower()
    for name in {report.payload.reporter.name.lower() for report in corpus}:
        assert name not in officers
        assert name not in silent


def test_the_answering_agency_and_unit_are_in_the_register(register: Register, corpus: list[GeneratedReport]) -> None:
    units = {agency.code: {unit.code for unit in agency.units} for agency in register}
    for report in corpus:
        assert report.expected.unit in units[report.expected.agency], (report.situation, report.expected.agency)
        assert report.expected.wrong_agency in units
        assert report.expected.wrong_agency != report.expected.agency
        if report.payload.category:
            assert report.payload.category in load_categories()


def test_there_is_something_of_nearly_every_reason_to_archive() -> None:
    reasons = {situation.archive_reason for situation in load_catalogue().unactionable}
    assert reasons >= {ArchiveReason.SPAM, ArchiveReason.TOO_GENERAL, ArchiveReason.NOT_A_PUBLIC_SERVICE_MATTER, ArchiveReason.IN_COURT}


def test_a_small_register_leaves_out_what_no_agency_in_it_answers() -> None:
    small = [
        Entry("kab-32-01", "Pemerintah Kabupaten Bogor", "regency", "32.01"),
        Entry("kota-32-73", "Pemerintah Kota Bandung", "city", "32.73"),
        Entry("prov-32", "Pemerintah Provinsi Jawa Barat", "province", "32"),
    ]
    found = list(reports(1, 200, small, start=START))
    assert len(found) == 200
    assert {report.expected.agency for report in found} == {"kab-32-01", "kota-32-73", "prov-32"}


def test_a_register_without_regions_is_refused_with_what_to_do() -> None:
    with pytest.raises(CorpusError, match="load the whole register"):
        list(reports(1, 1, [Entry("ojk", "Otoritas Jasa Keuangan", "body", None)], start=START))
