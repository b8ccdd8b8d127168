"""The events of the cases topic: the whole history of every case, in order."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from tuntas_contracts.base import AgencyCode, CaseEvent, Contract, InputEvent, LongText, ShortText
from tuntas_contracts.reports import ReportContent
from tuntas_contracts.vocabulary import ArchiveReason, Clock, ServiceClass


class ReportSubmitted(CaseEvent):
    """Intake took a report in and gave a receipt; triage owns the case from here."""

    report: ReportContent


class CaseReceived(CaseEvent):
    """T1: the case waits in the national queue; C1 starts at `occurred_at`."""

    reason: Literal["no_agency_addressed", "misconduct", "anonymous_and_secret", "unknown_agency"]


class FastTrack(Contract):
    """What a fast-track rule decided (T21): straight to the officer in charge, with its own limits in working days."""

    rule: ShortText
    unit: ShortText
    service_class: ServiceClass
    follow_up_limit: Annotated[int, Field(ge=1)]
    completion_limit: Annotated[int, Field(ge=1)]


class CaseForwarded(CaseEvent):
    """T2, T3 or T21: the case goes to an agency, and dispatch owns it. `time_zone` is the agency's, on which its clocks run.

    Carries the report, so that dispatch needs no earlier event; `published` is false for secret reports.
    """

    agency: AgencyCode
    time_zone: ShortText
    report: ReportContent
    published: bool
    bounces: Annotated[int, Field(ge=0)] = 0
    arbitrated: bool = False
    fast_track: FastTrack | None = None


class CaseArchived(CaseEvent):
    """T13: archived with a reason from the profile's list; archive is never deletion."""

    reason: ArchiveReason
    note: Annotated[str, Field(max_length=2_000)] | None = None
    duplicate_of: UUID | None = None


class Assessment(Contract):
    """What the agency administrator settles at T4 and T5; from it follows the service class and its limit in working days."""

    unit: ShortText
    service_class: ServiceClass
    completion_limit: Annotated[int, Field(ge=1)]
    normative: bool = False
    supervision_content: bool = False
    field_inspection: bool = False
    category: ShortText | None = None
    title: Annotated[str, Field(min_length=1, max_length=300)] | None = None


class CaseAccepted(CaseEvent):
    """T4: complete and competent, given to a unit; C3 and C4 start."""

    agency: AgencyCode
    assessment: Assessment


class HandlingStarted(CaseEvent):
    """T5: the agency administrator handles the case itself; C3 is met, C4 starts."""

    agency: AgencyCode
    assessment: Assessment


class CaseReturned(CaseEvent):
    """T10: *bukan wewenang*; the case goes back to triage. At the second bounce it goes to arbitration (C10)."""

    agency: AgencyCode
    reason: LongText
    bounces: Annotated[int, Field(ge=1)]
    arbitration: bool


class FollowUpRecorded(CaseEvent):
    """T14: first follow-up (tindak lanjut); C3 is met."""

    agency: AgencyCode
    note: LongText


class CaseAnswered(CaseEvent):
    """T15: a substantive answer; C3, C4 and C8 are met, C6 starts (anew for a supplement)."""

    agency: AgencyCode
    answer: LongText
    evidence: tuple[ShortText, ...] = ()
    supplement: bool = False


class CaseResumed(CaseEvent):
    """T16: the reporter replied in time; C6 is cancelled, C8 starts."""

    agency: AgencyCode
    reply: LongText


class CaseClosed(CaseEvent):
    """T17 (C6 ran out) or T18 (the reporter is satisfied, with a rating 1–5)."""

    agency: AgencyCode
    reason: Literal["no_reply", "satisfied"]
    rating: Annotated[int, Field(ge=1, le=5)] | None = None


class InputRefused(CaseEvent):
    """The owner could not act on an input; the state stays. `detail` says why and what can be done."""

    code: ShortText
    detail: ShortText


class ReporterReplied(InputEvent):
    """The reporter is not satisfied with an answer (T16). The text is masked."""

    text: LongText


class ReporterConfirmed(InputEvent):
    """The reporter is satisfied (T18), with a rating 1–5."""

    rating: Annotated[int, Field(ge=1, le=5)]


class WindowElapsed(InputEvent):
    """A clock with an automatic transition ran out (C6 → T17). The owner applies it if it still holds."""

    clock: Clock
    deadline_version: Annotated[int, Field(ge=1)]
    due_at: AwareDatetime


class ReporterErased(Contract):
    """The personal data of a case's reporter was destroyed at their wish (UU 27/2022); the case goes on without it.

    It has no version and changes no state. Intake reads its own again, where its database was put back to a time before.
    """

    case_id: UUID
    reporter_ref: UUID
    occurred_at: AwareDatetime


class RelayMarked(Contract):
    """Nothing that `source` did on this partition before `at` is unsent; sla-monitor judges deadlines behind the lowest mark."""

    source: ShortText
    at: AwareDatetime
