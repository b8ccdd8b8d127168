"""What reporters, clerks, officers and services send and get over HTTP."""

import re
from datetime import UTC, datetime
from typing import Annotated, Final, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from intake.domain.contacts import normalised_phone
from intake.domain.history import HistoryEntry
from intake.domain.labels import BUCKETS, EVENTS, STATES, UNNAMED_EVENT
from intake.domain.submission import is_manual
from tuntas_chassis.email_addresses import EmailAddress
from tuntas_chassis.http.answers import MAX_FEW, MAX_PAGE, Code, Cursor, Line, Moment, Prose, Total
from tuntas_contracts.base import AgencyCode, BusinessTime
from tuntas_contracts.reports import IncidentDate, Language, Latitude, Longitude, RegionCode, Rupiah
from tuntas_contracts.texts.normalisation import visible
from tuntas_contracts.vocabulary import CaseState, Channel, Classification, Origin, ServiceKind
from tuntas_reference.categories import BilingualName, load_categories

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_CONTROL_OR_BREAK: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def _text(value: str) -> str:
    if _CONTROL.search(value):
        raise ValueError("it holds control characters, such as NUL; remove them")
    return visible(value)


def _line(value: str) -> str:
    if _CONTROL_OR_BREAK.search(value):
        raise ValueError("it holds line breaks or control characters; write it on one line")
    return _text(value)


def _utc(time: datetime) -> datetime:
    return time.astimezone(UTC)


def _category(code: str) -> str:
    if code not in load_categories():
        raise ValueError("no such category; take a code of the category tree, such as health or health.hospitals, or leave it out")
    return code


Line200 = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_line)]
# Masks can be twice as long as what they hide, and the contracts' limits hold for masked texts: half of them is taken here.
Title = Annotated[str, Field(min_length=1, max_length=150), AfterValidator(_line)]
Body = Annotated[str, Field(min_length=1, max_length=10_000), AfterValidator(_text)]
Resolution = Annotated[str, Field(min_length=1, max_length=1_000), AfterValidator(_text)]
PlaceText = Annotated[str, Field(min_length=1, max_length=250), AfterValidator(_text)]
Address = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_text)]
Phone = Annotated[str, Field(min_length=5, max_length=30), AfterValidator(_line), AfterValidator(normalised_phone)]
Nik = Annotated[str, Field(pattern=r"^[0-9]{16}$", max_length=16, description="Nomor induk kependudukan: 16 digits")]
Category = Annotated[str, Field(max_length=100), AfterValidator(_category)]


class Request(BaseModel):
    """A request body: strict about types, and a field that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class PlaceOfIncident(Request):
    """Where it happened: official region code (`32` or `32.01`), free text, WGS 84 degrees; each optional."""

    region_code: RegionCode | None = None
    text: PlaceText | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None


class ReporterDetails(Request):
    """Who reports. What is given is encrypted, and agencies never get it over Kafka."""

    name: Line200 | None = None
    email: EmailAddress | None = None
    phone: Phone | None = Field(default=None, description="Read as Indonesian where it names no country; kept as E.164")
    nik: Nik | None = None
    address: Address | None = None

    @property
    def has_contact(self) -> bool:
        """Whether an answer can reach the reporter."""
        return self.email is not None or self.phone is not None


class SubmitReport(Request):
    """A report (laporan). Classification, title and body are required, and one contact unless an officer enters what came by hand."""

    classification: Classification
    title: Title
    body: Body
    channel: Channel = Field(default=Channel.WEB, description="Other channels than web and mobile need a clerk's token")
    reporter: ReporterDetails = Field(
        default=ReporterDetails(),
        validate_default=True,
        description="An e-mail address or a phone number is needed over the channels web and mobile",
    )
    category: Category | None = None
    incident_date: IncidentDate | None = None
    place: PlaceOfIncident | None = None
    addressed_agency: AgencyCode | None = Field(default=None, description="The report goes to this agency itself")
    suggested_agency: AgencyCode | None = Field(default=None, description="A hint for the national administrator")
    service_kind: ServiceKind | None = None
    loss_rupiah: Rupiah | None = None
    requested_resolution: Resolution | None = None
    misconduct: bool = Field(default=False, description="An official abused a position")
    anonymous: bool = Field(default=False, description="Anonim: the public and the agency never learn who reported")
    secret: bool = Field(default=False, description="Rahasia: the public never sees the report")
    language: Language = "id"
    origin: Origin = Origin.SERVICE_USER
    original_received_at: Annotated[BusinessTime, AfterValidator(_utc)] | None = Field(
        default=None, description="Manual channels only: when the report was received by hand, at most 366 days back. Default: now"
    )

    @field_validator("reporter")
    @classmethod
    def _reachable(cls, reporter: ReporterDetails, others: ValidationInfo) -> ReporterDetails:
        channel = others.data.get("channel")
        if channel is not None and not is_manual(channel) and not reporter.has_contact:
            raise ValueError("give an e-mail address or a phone number, so that the answer can reach the reporter")
        return reporter

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.addressed_agency is not None and self.suggested_agency is not None:
            raise ValueError("give addressed_agency or suggested_agency, not both")
        if self.original_received_at is not None and not is_manual(self.channel):
            raise ValueError("original_received_at is for reports received by hand; leave it out or name the channel")
        return self


class ReplyToAnswer(Request):
    """The reporter is not satisfied with an answer (T16)."""

    text: Body


class ConfirmAnswer(Request):
    """The reporter is satisfied (T18)."""

    rating: Annotated[int, Field(ge=1, le=5)]


class MaskedIdentifiers(BaseModel):
    """What was masked: in which field, of which kind, how often."""

    field: Code
    kind: Code
    count: Total


class Receipt(BaseModel):
    """The receipt. The access code is shown here and never again, except to a retry with the same Idempotency-Key.

    Where somebody else enters the report, the code is mailed to the reporter and is null here; with no address to mail it to it
    stands here, and the case counts as assisted.
    """

    tracking_id: Code
    access_code: Code | None
    case_id: UUID
    submitted_at: Moment
    status_url: Line
    masked: Annotated[list[MaskedIdentifiers], Field(max_length=MAX_FEW)] = Field(
        description="Identifiers that agencies and the public do not see"
    )
    message: BilingualName


class InputAccepted(BaseModel):
    """The input is on its way to the office that has the case, which acts upon it or says in the history why not."""

    input_id: UUID
    accepted_at: Moment


class HistoryItem(BaseModel):
    """One event of the case. `text` is an answer, a note, a reason or a reply."""

    at: Moment
    event: Code
    label: BilingualName
    transition: Code | None = None
    state: CaseState
    agency: Code | None = None
    unit: Code | None = None
    text: Prose | None = None
    reason: Prose | None = None
    rating: Total | None = None
    completion_limit_working_days: Total | None = None
    evidence: Annotated[list[Line], Field(max_length=MAX_FEW)] = []

    @classmethod
    def submitted(cls, at: datetime) -> Self:
        """The first item: the submission, which this service knows by itself."""
        return cls(at=at, event="ReportSubmitted", label=EVENTS["ReportSubmitted"], state=CaseState.RECEIVED)

    @classmethod
    def of(cls, entry: HistoryEntry) -> Self:
        """The item that shows this entry."""
        detail = dict(entry.detail)
        return cls.model_validate(
            {
                "at": entry.occurred_at,
                "event": entry.event,
                "label": EVENTS.get(entry.event, UNNAMED_EVENT),
                "transition": entry.transition,
                "state": entry.state,
                "agency": entry.agency,
                "completion_limit_working_days": detail.pop("completion_limit", None),
                **{name: value for name, value in detail.items() if name in cls.model_fields},
            }
        )


class StateLabels(BaseModel):
    """A state with what people and the national statistics call it."""

    code: CaseState
    label: BilingualName
    bucket: BilingualName

    @classmethod
    def of(cls, state: CaseState) -> Self:
        """The labels of a state."""
        return cls(code=state, label=STATES[state], bucket=BUCKETS[state])


class ReportStatus(BaseModel):
    """A report as its reporter sees it."""

    tracking_id: Code
    case_id: UUID
    classification: Classification
    title: Line
    submitted_at: Moment
    state: StateLabels
    version: Total
    agency: Code | None
    updated_at: Moment
    reply_possible_until: Moment | None = Field(
        description="While answered: the last second in which a reply or rating is in time, on the agency's local time (C6)"
    )
    history: Annotated[list[HistoryItem], Field(max_length=MAX_PAGE)] = Field(
        description="In order of time; the newest events where no cursor is given"
    )
    next_cursor: Cursor | None = Field(description="Leads to the events before these; null where the history begins with the submission")


class ContactRequest(Request):
    """One reporter whose contact is needed."""

    reporter_ref: Annotated[UUID, Field(strict=False)]
    case_id: Annotated[UUID, Field(strict=False)]
    purpose: Line200 = Field(description="Why; written to the access log")
    access_code: bool = Field(default=False, description="For the receipt by mail: a new code, if another entered the report")


class ContactLookup(Request):
    """Up to 500 at once."""

    contacts: Annotated[list[ContactRequest], Field(min_length=1, max_length=500)]


class Contact(BaseModel):
    """How to reach a reporter. `access_code` is new, void what was mailed before, and kept nowhere."""

    reporter_ref: UUID
    case_id: UUID
    tracking_id: Code
    language: Code
    name: Line | None
    email: Line | None
    phone: Line | None
    access_code: Code | None = None


class MissingContact(BaseModel):
    """A reporter who can't be reached: `erased` on request, or `unknown` here (or not of that case)."""

    reporter_ref: UUID
    case_id: UUID
    reason: Code


class ContactsFound(BaseModel):
    """Contacts in the order asked for, without those that are missing."""

    contacts: Annotated[list[Contact], Field(max_length=MAX_PAGE)]
    missing: Annotated[list[MissingContact], Field(max_length=MAX_PAGE)]


class DiscloseReporter(Request):
    """Why an officer must know who reported (UU 27/2022); written to the access log."""

    reason: Annotated[str, Field(min_length=10, max_length=500), AfterValidator(_text)]


class DisclosedReporter(BaseModel):
    """Name and contact of one reporter. Use for this case only; passing it on is an offence."""

    case_id: UUID
    name: Line | None
    email: Line | None
    phone: Line | None
