"""Reports, cases and messages for the tests of the demo."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from tuntas_contracts.topology import CASES
from tuntas_contracts.vocabulary import Channel, Classification
from tuntas_demo.case_log import CaseLog, PlayedCase
from tuntas_demo.corpus import Expected, GeneratedReport, Hint, Payload, Reporter
from tuntas_demo.feed import FeedMessage


def report(number: int = 1, *, misconduct: bool = False, agency: str = "kemenkes", hint: Hint | None = None) -> GeneratedReport:
    payload = Payload(
        title="Lampu jalan padam",
        body="Sudah seminggu mati",
        classification=Classification.COMPLAINT,
        category=None,
        service_kind=None,
        addressed_agency=None,
        suggested_agency=None,
        misconduct=misconduct,
        anonymous=False,
        secret=False,
        incident_date=None,
        place_text=None,
        region_code=None,
        loss_rupiah=None,
        requested_resolution=None,
        channel=Channel.WEB,
        reporter=Reporter(name="Siti", email="siti@surel.example", phone=None),
    )
    expected = Expected(
        agency=agency,
        unit="no-such-unit",
        unit_name="Bidang",
        unit_sector="health",
        wrong_agency="kemenhub",
        personal=(),
        third_parties=(),
        follow_ups=("Petugas ke lokasi.",),
        answers=("Sudah diperbaiki.", "Sudah diganti."),
        replies=("Masih padam.",),
        return_reasons=("Bukan wewenang kami.", "Ini wewenang dinas lain."),
    )
    return GeneratedReport(
        number=number,
        situation="street-light",
        submitted_at=datetime(2026, 7, 30, 3, tzinfo=UTC),
        payload=payload,
        entered_by_clerk=False,
        original_received_at=None,
        expected=expected,
        behaviour=hint or Hint(right_agency=agency),
    )


def played(book: CaseLog | None = None, **how: Any) -> PlayedCase:
    case = PlayedCase(report(**how))
    (book if book is not None else CaseLog()).accepted(case, str(uuid4()), f"LAP-{case.number}", "code")
    return case


def feed_message(
    kind: str, case: PlayedCase | str, version: int = 2, /, *, topic: str = CASES.name, source: str = "dispatch", **data: Any
) -> FeedMessage:
    case_id = case if isinstance(case, str) else case.case_id
    fields: Mapping[str, Any] = {"case_id": case_id, "version": version, "state": "at_agency", "transition": None, **data}
    return FeedMessage(topic, kind, source, fields)
