"""A case as triage keeps it: frozen; each change gives a new one."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from triage.domain.queue_order import queue_time
from tuntas_contracts.cases import CaseArchived, CaseForwarded, CaseReceived, CaseReturned, ReportSubmitted
from tuntas_contracts.reports import ReportContent
from tuntas_contracts.texts.name_fingerprints import packed
from tuntas_contracts.vocabulary import ArchiveReason, CaseState, Classification, Service


class Case(NamedTuple):
    """Everything triage knows of a case but the report's text, which never changes and lies apart.

    `owner` is the owner by triage's own decisions and what it read; `topic_owner` the owner by the hand-overs read so far from
    the cases topic, `topic_version` the highest version read there. `title`, `category` and `classification` are as a verifier last
    edited them. `waiting_since` and `queued_as` are set while the case waits in the national queue (see `queue_time`).
    `agency` is the last one that the case went to. `name_fingerprints`: what the words of the reporter's name are recognised by,
    `packed`; none once the reporter is erased.
    """

    case_id: UUID
    version: int
    state: CaseState
    owner: Service
    topic_owner: Service
    topic_version: int
    profile: str
    classification: Classification
    category: str | None
    title: str
    misconduct: bool
    secret: bool
    submitted_at: datetime
    waiting_reason: str | None = None
    waiting_since: datetime | None = None
    queued_as: datetime | None = None
    bounces: int = 0
    arbitration: bool = False
    agency: str | None = None
    return_reason: str | None = None
    archive_reason: ArchiveReason | str | None = None
    archive_note: str | None = None
    duplicate_of: UUID | None = None
    name_fingerprints: bytes = b""

    @classmethod
    def open(cls, event: ReportSubmitted | CaseForwarded) -> "Case":
        """The case of a report that triage has just been given."""
        report = event.report
        return cls(
            case_id=event.case_id,
            version=event.version,
            state=CaseState.RECEIVED,
            owner=Service.TRIAGE,
            topic_owner=Service.TRIAGE,
            topic_version=event.version,
            profile=report.profile,
            classification=report.classification,
            category=report.category,
            title=report.title,
            misconduct=report.misconduct,
            secret=report.secret,
            submitted_at=report.submitted_at,
            name_fingerprints=packed(event.name_fingerprints),
        )

    @property
    def owned(self) -> bool:
        """Whether triage alone may change the case."""
        return self.owner is Service.TRIAGE

    def edited(self, report: ReportContent) -> ReportContent:
        """The report as the verifier edited it; the original text stays with intake and in triage's own copy."""
        changes = {"title": self.title, "category": self.category, "classification": self.classification}
        return report.model_copy(update=changes)

    def after_received(self, event: CaseReceived) -> "Case":
        """T1."""
        return self._replace(
            version=event.version,
            state=event.state,
            owner=event.owner,
            waiting_reason=event.reason,
            waiting_since=event.occurred_at,
            queued_as=queue_time(event.occurred_at, self.profile, arbitration=False),
        )

    def after_forwarded(self, event: CaseForwarded) -> "Case":
        """T2, T3 or T21: dispatch owns the case."""
        return self._replace(
            version=event.version,
            state=event.state,
            owner=event.owner,
            title=event.report.title,
            category=event.report.category,
            classification=event.report.classification,
            agency=event.agency,
            bounces=event.bounces,
            waiting_reason=None,
            waiting_since=None,
            queued_as=None,
            arbitration=False,
            return_reason=None,
        )

    def after_returned(self, event: CaseReturned) -> "Case":
        """T10: back in the queue, at the second bounce as an arbitration."""
        return self._replace(
            version=event.version,
            state=event.state,
            owner=event.owner,
            agency=event.agency,
            waiting_reason="returned",
            waiting_since=event.occurred_at,
            queued_as=queue_time(event.occurred_at, self.profile, arbitration=event.arbitration),
            bounces=event.bounces,
            arbitration=event.arbitration,
            return_reason=event.reason,
        )

    def after_archived(self, event: CaseArchived) -> "Case":
        """T13: kept for ever, out of the queue."""
        return self._replace(
            version=event.version,
            state=event.state,
            owner=event.owner,
            waiting_reason=None,
            waiting_since=None,
            queued_as=None,
            arbitration=False,
            archive_reason=event.reason,
            archive_note=event.note,
            duplicate_of=event.duplicate_of,
        )

    def after_refused(self, version: int) -> "Case":
        """An input was refused: only the version moves."""
        return self._replace(version=version)

    def read_from_topic(self, version: int, topic_owner: Service | None = None) -> "Case":
        """An owner's event was read from the topic; a hand-over says who owns the case from there on."""
        return self._replace(topic_version=version, topic_owner=topic_owner or self.topic_owner)
