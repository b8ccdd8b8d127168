"""What the corpus generates: a report as a reporter submits it, and what the players of the demo know of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from tuntas_contracts.vocabulary import ArchiveReason, Channel, Classification, ServiceClass, ServiceKind


class CorpusError(ValueError):
    """The corpus' own files, or the register given to it, can't be used; the message says which and why."""


class RegisteredAgency(Protocol):
    """The little that the corpus asks of an entry of the agency register."""

    @property
    def code(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def region_code(self) -> str | None: ...


class PersonalKind(StrEnum):
    """What a string discloses of the reporter."""

    NAME = "name"
    PHONE = "phone"
    EMAIL = "email"
    ADDRESS = "address"
    NIK = "nik"  # nomor induk kependudukan, 16 digits
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class PersonalString:
    """A string of the reporter's personal data, exactly as it is in a field or in the text."""

    kind: PersonalKind
    text: str
    in_text: bool


@dataclass(frozen=True, slots=True)
class Reporter:
    """Who reports (pelapor). At least one of e-mail and phone is there; `phone` in the notation the reporter typed."""

    name: str
    email: str | None
    phone: str | None
    address: str | None = None
    nik: str | None = None


@dataclass(frozen=True, slots=True)
class Payload:
    """The report as it is submitted. `incident_date` is a local date; `loss_rupiah` whole rupiah."""

    title: str
    body: str
    classification: Classification
    category: str | None
    service_kind: ServiceKind | None
    addressed_agency: str | None
    suggested_agency: str | None
    misconduct: bool
    anonymous: bool
    secret: bool
    incident_date: date | None
    place_text: str | None
    region_code: str | None
    loss_rupiah: int | None
    requested_resolution: str | None
    channel: Channel
    reporter: Reporter


@dataclass(frozen=True, slots=True)
class Expected:
    """What a careful reader knows of the report.

    `agency` and `unit` are those that must answer (`unit_name` as an officer signs); `wrong_agency` is where a careless verifier sends it.
    `third_parties` are phone and account numbers of others in the text. The texts are what the players write on this case.
    """

    agency: str
    unit: str
    unit_name: str
    unit_sector: str
    wrong_agency: str
    personal: tuple[PersonalString, ...]
    third_parties: tuple[str, ...]
    follow_ups: tuple[str, ...]
    answers: tuple[str, ...]
    replies: tuple[str, ...]
    return_reasons: tuple[str, ...]

    @property
    def personal_strings(self) -> tuple[str, ...]:
        """Every string of the reporter's personal data that is present anywhere, in the fields or the text."""
        return tuple(dict.fromkeys(item.text for item in self.personal))


@dataclass(frozen=True, slots=True)
class Hint:
    """What the decisions in `behaviour` may know of a case; the neutral one is an ordinary, complete complaint."""

    right_agency: str | None = None
    service_class: ServiceClass = ServiceClass.ORDINARY
    archive_reason: ArchiveReason | None = None
    missing: frozenset[str] = frozenset()  # of "place", "date", "details"


@dataclass(frozen=True, slots=True)
class GeneratedReport:
    """One report of the corpus. `number` counts from 1; `submitted_at` is UTC.

    Where `entered_by_clerk`, it came in by hand and `original_received_at` says when; all others are sent by the reporter over HTTP.
    """

    number: int
    situation: str
    submitted_at: datetime
    payload: Payload
    entered_by_clerk: bool
    original_received_at: datetime | None
    expected: Expected
    behaviour: Hint

    def request(self) -> dict[str, object]:
        """The JSON object to submit over HTTP; what the reporter left out is left out."""
        payload, reporter = self.payload, self.payload.reporter
        place = {"region_code": payload.region_code, "text": payload.place_text}
        fields: dict[str, object] = {
            "classification": payload.classification.value,
            "title": payload.title,
            "body": payload.body,
            "category": payload.category,
            "service_kind": payload.service_kind.value if payload.service_kind else None,
            "addressed_agency": payload.addressed_agency,
            "suggested_agency": payload.suggested_agency,
            "misconduct": payload.misconduct,
            "anonymous": payload.anonymous,
            "secret": payload.secret,
            "incident_date": payload.incident_date.isoformat() if payload.incident_date else None,
            "place": _given(place) or None,
            "loss_rupiah": payload.loss_rupiah,
            "requested_resolution": payload.requested_resolution,
            "channel": payload.channel.value,
            "original_received_at": self.original_received_at.isoformat() if self.original_received_at else None,
            "reporter": _given(
                {
                    "name": reporter.name,
                    "email": reporter.email,
                    "phone": reporter.phone,
                    "address": reporter.address,
                    "nik": reporter.nik,
                }
            ),
        }
        return _given(fields)


def _given(fields: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None}
