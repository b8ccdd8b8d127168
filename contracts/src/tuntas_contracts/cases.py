"""The events of the cases topic: the whole history of every case, in order."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from tuntas_contracts.base import (
    AgencyCode,
    Bounces,
    BusinessTime,
    CaseEvent,
    Contract,
    DueTime,
    Evidence,
    InputEvent,
    LongText,
    MediumText,
    NameFingerprints,
    ShortText,
    Title,
    Version,
    WindowTime,
    WorkingDays,
)
from tuntas_contracts.open_values import AnyArchiveReason, AnyClock, AnyCloseReason, AnyQueueReason
from tuntas_contracts.reports import ReportContent
from tuntas_contracts.vocabulary import ServiceClass


class ReportSubmitted(CaseEvent):
    """Intake took a report in and gave a receipt; triage owns the case from here.

    `assisted`: whoever entered it for the reporter was given the access code too, since there is no address to send it to.
    """

    report: ReportContent
    assisted: bool = False
    name_fingerprints: NameFingerprints = ()


class CaseReceived(CaseEvent):
    """T1: the case waits in the national queue; C1 starts at `occurred_at`.

    `profile` is the regulation profile that the report was received under; `submitted_at` when it was submitted or entered, which is
    later than `occurred_at` where it had been received by hand. The events of the first release carry neither.
    """

    reason: AnyQueueReason
    profile: ShortText | None = None
    submitted_at: BusinessTime | None = None


class FastTrack(Contract):
    """What a fast-track rule decided (T21): straight to the officer in charge, with its own limits in working days."""

    rule: ShortText
    unit: ShortText
    service_class: ServiceClass
    follow_up_limit: WorkingDays
    completion_limit: WorkingDays


class CaseForwarded(CaseEvent):
    """T2, T3 or T21: the case goes to an agency, and dispatch owns it. `time_zone` is the agency's, on which its clocks run.

    Carries the report, so that dispatch needs no earlier event; `published` is false for secret reports.
    """

    agency: AgencyCode
    time_zone: ShortText
    report: ReportContent
    published: bool
    bounces: Bounces = 0
    arbitrated: bool = False
    fast_track: FastTrack | None = None
    name_fingerprints: NameFingerprints = ()


class CaseArchived(CaseEvent):
    """T13: archived with a reason from the profile's list; archive is never deletion."""

    reason: AnyArchiveReason
    note: MediumText | None = None
    duplicate_of: UUID | None = None


class Assessment(Contract):
    """What the agency administrator decides at T4 and T5; from it follows the service class and its limit in working days."""

    unit: ShortText
    service_class: ServiceClass
    completion_limit: WorkingDays
    normative: bool = False
    supervision_content: bool = False
    field_inspection: bool = False
    category: ShortText | None = None
    title: Title | None = None


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
    bounces: Annotated[Bounces, Field(ge=1)]
    arbitration: bool


class FollowUpRecorded(CaseEvent):
    """T14: first follow-up (tindak lanjut); C3 is met."""

    agency: AgencyCode
    note: LongText


class CaseAnswered(CaseEvent):
    """T15: a substantive answer; C3, C4 and C8 are met, C6 starts (again for a supplement)."""

    agency: AgencyCode
    answer: LongText
    evidence: Evidence = ()
    supplement: bool = False


class CaseResumed(CaseEvent):
    """T16: the reporter replied in time; C6 is cancelled, C8 starts."""

    agency: AgencyCode
    reply: LongText


class CaseClosed(CaseEvent):
    """T17 (C6 ran out) or T18 (the reporter is satisfied, with a rating 1–5).

    `assisted`: the rating may be somebody else's than the reporter's, and counts in no figure of satisfaction.
    """

    occurred_at: WindowTime
    agency: AgencyCode
    reason: AnyCloseReason
    rating: Annotated[int, Field(ge=1, le=5)] | None = None
    assisted: bool = False


class InputRefused(CaseEvent):
    """The owner could not act on an input; the state stays. `detail` says why and what can be done."""

    code: ShortText
    detail: ShortText


class ReporterReplied(InputEvent):
    """The reporter is not satisfied with an answer (T16). The text is masked."""

    text: LongText


class ReporterConfirmed(InputEvent):
    """The reporter is satisfied (T18), with a rating 1–5. `assisted`: others than the reporter hold the access code."""

    rating: Annotated[int, Field(ge=1, le=5)]
    assisted: bool = False


class WindowElapsed(InputEvent):
    """A clock with an automatic transition ran out (C6 → T17). The owner applies it if it still holds."""

    clock: AnyClock
    deadline_version: Version
    due_at: DueTime


class ReporterErased(Contract):
    """The personal data of a case's reporter was destroyed at their wish (UU 27/2022); the case goes on without it.

    It has no version and changes no state. Intake reads its own again, where its database was put back to a time before.
    """

    case_id: UUID
    reporter_ref: UUID
    occurred_at: BusinessTime
