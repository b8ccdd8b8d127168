"""What reporters, clerks, officers and services send and get over HTTP; the report itself is in `application/commands.py`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, Field

from intake.application.commands import Body, Line200, Reason, Request
from intake.application.disclosure import Contacts
from intake.application.handlers import NewReceipt
from intake.application.ports import Found
from intake.application.reporter_inputs import AcceptedInput
from intake.application.status import StatusPage
from intake.domain.history import HistoryEntry
from intake.domain.labels import BUCKETS, CODE_BY_MAIL, EVENTS, RECEIVED, STATES, UNNAMED_EVENT
from tuntas_chassis.http.answers import MAX_FEW, MAX_PAGE, Code, Cursor, Line, Moment, Prose, Total
from tuntas_chassis.http.pagination import encode_cursor
from tuntas_contracts.vocabulary import CaseState, Classification
from tuntas_reference.categories import BilingualName


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

    @classmethod
    def of(cls, receipt: NewReceipt, status_url: str) -> "Receipt":
        """The receipt of a report whose status is at `status_url`. It is ours, so nothing is validated again."""
        return cls.model_construct(
            tracking_id=receipt.tracking_id,
            access_code=receipt.access_code,
            case_id=receipt.case_id,
            submitted_at=receipt.submitted_at,
            status_url=status_url,
            masked=[MaskedIdentifiers(field=field, kind=kind, count=number) for field, kind, number in receipt.masked],
            message=RECEIVED if receipt.access_code else CODE_BY_MAIL,
        )


class InputAccepted(BaseModel):
    """The input is on its way to the office that has the case, which acts upon it or says in the history why not."""

    input_id: UUID
    accepted_at: Moment

    @classmethod
    def of(cls, accepted: AcceptedInput) -> Self:
        """The answer to this input."""
        return cls(input_id=accepted.input_id, accepted_at=accepted.accepted_at)


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

    @classmethod
    def of(cls, page: StatusPage) -> Self:
        """The answer that shows this page."""
        report, now = page.report, page.status
        first = [] if page.more else [HistoryItem.submitted(report.submitted_at)]
        return cls(
            tracking_id=report.tracking_id,
            case_id=report.case_id,
            classification=report.classification,
            title=report.title,
            submitted_at=report.submitted_at,
            state=StateLabels.of(now.state),
            version=now.version,
            agency=now.agency,
            updated_at=now.updated_at or report.submitted_at,
            reply_possible_until=page.reply_possible_until,
            history=[*first, *(HistoryItem.of(entry) for entry in page.entries)],
            next_cursor=encode_cursor([page.entries[0].version]) if page.more else None,
        )


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

    @classmethod
    def of(cls, wanted: Sequence[ContactRequest], found: Contacts) -> Self:
        """The answer to these requests."""
        contacts: list[Contact] = []
        missing: list[MissingContact] = []
        for item, result in zip(wanted, found.results, strict=True):
            if isinstance(result, Found):
                contacts.append(
                    Contact(
                        reporter_ref=item.reporter_ref,
                        case_id=item.case_id,
                        tracking_id=result.tracking_id,
                        language=result.language,
                        name=result.own.name,
                        email=result.own.email,
                        phone=result.own.phone,
                        access_code=found.access_codes.get(item.case_id),
                    )
                )
            else:
                missing.append(MissingContact(reporter_ref=item.reporter_ref, case_id=item.case_id, reason=result))
        return cls(contacts=contacts, missing=missing)


class DiscloseReporter(Request):
    """Why an officer must know who reported (UU 27/2022); written to the access log."""

    reason: Reason


class DisclosedReporter(BaseModel):
    """Name and contact of one reporter. Use for this case only; passing it on is an offence."""

    case_id: UUID
    name: Line | None
    email: Line | None
    phone: Line | None
