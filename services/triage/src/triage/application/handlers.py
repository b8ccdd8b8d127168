"""What triage does with a message or a command: state in, outcome out, no I/O."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from uuid import UUID

from triage.domain.case import Case
from triage.domain.inputs import Hold, Refuse, Repeat, take
from triage.domain.register import Agency, Register
from triage.domain.report import FiledReport
from triage.domain.routing import Forward, route
from triage.domain.verification import Archive, Verify, check_archive, check_route, masked
from tuntas_chassis.messaging.messages import Incoming, Outcome, Outgoing
from tuntas_contracts.agencies import AgencyRegistered
from tuntas_contracts.base import MAX_MEDIUM_TEXT, MAX_TITLE, Actor, CaseEvent, InputEvent
from tuntas_contracts.cases import (
    CaseArchived,
    CaseClosed,
    CaseForwarded,
    CaseReceived,
    CaseResumed,
    CaseReturned,
    InputRefused,
    ReporterErased,
    ReportSubmitted,
)
from tuntas_contracts.lifecycle import TRANSITIONS
from tuntas_contracts.reports import ReportContent
from tuntas_contracts.texts.name_fingerprints import NameKeys, unpacked
from tuntas_contracts.topology import CASES
from tuntas_contracts.vocabulary import Role, Service, Transition
from tuntas_reference.profile import RegulationProfile, load_profile

SYSTEM = Actor(role=Role.SYSTEM, subject="triage")
UNCHANGED: Outcome[Case] = Outcome(None)


class MisplacedEvent(ValueError):
    """An event under another case's key: its order among the events of its own case can't be known."""


class Handlers:
    """The decisions of triage over a register of agencies and the regulation profiles."""

    def __init__(self, register: Register, names: NameKeys, profile: Callable[[str], RegulationProfile] = load_profile) -> None:
        """`names` recognises a reporter's name; `profile` gives the profile of a name or raises UnknownProfileError."""
        self._register = register
        self._names = names
        self._profile = profile

    def apply(self, case: Case | None, incoming: Incoming) -> Outcome[Case]:
        """Act on one record of the cases topic. Raises MisplacedEvent, UnknownProfileError."""
        body = incoming.body
        if not isinstance(body, CaseEvent | InputEvent | ReporterErased):
            raise TypeError(f"{type(body).__name__} is no event of a case")
        if incoming.key != str(body.case_id):
            raise MisplacedEvent(
                f"{type(body).__name__} of case {body.case_id} is under key {incoming.key[:80]!r}: publish it again under its case id"
            )
        if isinstance(body, ReporterErased):
            return UNCHANGED if case is None else _erased(case, body)
        if isinstance(body, InputEvent):
            return UNCHANGED if case is None else self._input(case, body, incoming)
        if case is None:
            return self._first(body)
        if body.version <= case.topic_version or isinstance(body, CaseResumed | CaseClosed):
            return Outcome(None, handled=_answered(body))
        return self._next(case, body)

    def apply_agency(self, agency: Agency | None, incoming: Incoming) -> Outcome[Agency]:
        """Take over an entry of the register unless a newer one is known."""
        entry = incoming.body
        if not isinstance(entry, AgencyRegistered):
            raise TypeError(f"{type(entry).__name__} is no entry of the register")
        if agency is not None and entry.occurred_at < agency.as_of:
            return Outcome(None)
        return Outcome(Agency.from_entry(entry))

    def forward(
        self, case: Case, report: ReportContent, command: Verify, actor: Actor, now: datetime, command_id: UUID | None = None
    ) -> Outcome[Case]:
        """T3: verified and routed; binding in arbitration. Raises Refusal, InvalidCommand."""
        agency = check_route(case, command, self._register)
        edited = case._replace(
            title=self._masked(case, command.title, "title", MAX_TITLE) or case.title,
            category=command.category or case.category,
            classification=command.classification or case.classification,
        )
        event = CaseForwarded(
            case_id=case.case_id,
            version=case.version + 1,
            occurred_at=now,
            **TRANSITIONS[Transition.T3].effect,
            actor=actor,
            input_id=command_id,
            agency=agency.code,
            time_zone=agency.time_zone,
            report=edited.edited(report),
            published=not case.secret,
            bounces=case.bounces,
            arbitrated=case.arbitration,
            name_fingerprints=unpacked(case.name_fingerprints),
        )
        return Outcome(edited.after_forwarded(event), (_to_cases(event),))

    def archive(self, case: Case, command: Archive, actor: Actor, now: datetime, command_id: UUID | None = None) -> Outcome[Case]:
        """T13: archived with a reason of the case's profile. Raises Refusal, InvalidCommand."""
        check_archive(case, command, self._profile(case.profile))
        event = CaseArchived(
            case_id=case.case_id,
            version=case.version + 1,
            occurred_at=now,
            **TRANSITIONS[Transition.T13].effect,
            actor=actor,
            input_id=command_id,
            reason=command.reason,
            note=self._masked(case, command.note, "note", MAX_MEDIUM_TEXT),
            duplicate_of=command.duplicate_of,
        )
        return Outcome(case.after_archived(event), (_to_cases(event),))

    def _masked(self, case: Case, text: str | None, field: str, longest: int) -> str | None:
        return masked(text, field, longest, partial(self._names.mask, case.case_id, case.name_fingerprints))

    def _first(self, event: CaseEvent) -> Outcome[Case]:
        """The first event that is read of a case; without its report there is nothing to go on from (a rebuild from the middle)."""
        if isinstance(event, ReportSubmitted):
            return self._submitted(event)
        if isinstance(event, CaseForwarded):
            opened = Case.open(event)
            case = opened.after_forwarded(event).read_from_topic(event.version, event.owner)
            return Outcome(case, rows=(FiledReport(event.case_id, event.report),), handled=_answered(event))
        return UNCHANGED

    def _submitted(self, event: ReportSubmitted) -> Outcome[Case]:
        report = event.report
        case = Case.open(event)
        filed = FiledReport(event.case_id, report)
        decision = route(report, self._register, self._profile(report.profile))
        if isinstance(decision, Forward):
            forwarded = CaseForwarded(
                case_id=event.case_id,
                version=event.version + 1,
                occurred_at=_reached_agency_at(event, decision.agency.code),
                **TRANSITIONS[Transition.T21 if decision.fast_track else Transition.T2].effect,
                actor=SYSTEM,
                agency=decision.agency.code,
                time_zone=decision.agency.time_zone,
                report=report,
                published=False,  # nobody has verified it yet
                fast_track=decision.fast_track,
                name_fingerprints=event.name_fingerprints,
            )
            return Outcome(case.after_forwarded(forwarded), (_to_cases(forwarded),), (filed,))
        received = CaseReceived(
            case_id=event.case_id,
            version=event.version + 1,
            occurred_at=event.occurred_at,
            **TRANSITIONS[Transition.T1].effect,
            actor=SYSTEM,
            reason=decision.reason,
            profile=report.profile,
            submitted_at=report.submitted_at,
        )
        return Outcome(case.after_received(received), (_to_cases(received),), (filed,))

    def _next(self, case: Case, event: CaseEvent) -> Outcome[Case]:
        """An owner's event beyond all that was read of this case.

        Where it is as new as what the database knows, the topic is right: it brings CaseReturned, and rebuilds a database
        that was put back to a backup from triage's own events. An own event that the database knows and that hands nothing over
        changes nothing.
        """
        news = event.version >= case.version
        match event:
            case ReportSubmitted():
                return Outcome(case.read_from_topic(event.version, event.owner))
            case CaseForwarded():
                changed = case.after_forwarded(event) if news else case
                return Outcome(changed.read_from_topic(event.version, event.owner), handled=_answered(event))
            case CaseReturned():
                changed = case.after_returned(event) if news else case
                return Outcome(changed.read_from_topic(event.version, event.owner))
            case CaseReceived() if event.version > case.version:
                changed = case.after_received(event)
            case CaseArchived() if event.version > case.version:
                changed = case.after_archived(event)
            case InputRefused() if event.owner is Service.TRIAGE and event.version > case.version:
                changed = case.after_refused(event.version)
            case _:
                return Outcome(None, handled=_answered(event))
        return Outcome(changed.read_from_topic(event.version), handled=_answered(event))

    def _input(self, case: Case, body: InputEvent, incoming: Incoming) -> Outcome[Case]:
        verdict = take(case, body, catching_up=incoming.catching_up, held=incoming.held)
        if isinstance(verdict, Hold):
            return Outcome(None, hold=True)
        if isinstance(verdict, Repeat):
            # not `handled`: the case may come back before the repeat is read, and then it is ours to answer
            return Outcome(None, (_to_cases(body),))
        if not isinstance(verdict, Refuse):
            return UNCHANGED
        refused = InputRefused(
            case_id=case.case_id,
            version=case.version + 1,
            occurred_at=body.occurred_at,
            state=case.state,
            owner=Service.TRIAGE,
            actor=SYSTEM,
            input_id=body.input_id,
            code=verdict.code,
            detail=verdict.detail,
        )
        return Outcome(case.after_refused(refused.version), (_to_cases(refused),), handled=(body.input_id,))


def _reached_agency_at(event: ReportSubmitted, agency: str) -> datetime:
    """When the agency's clocks start: at the receipt by hand only where the agency itself entered the report.

    Nobody's late typing makes another agency late.
    """
    entered_itself = event.actor is not None and event.actor.agency == agency
    return event.occurred_at if entered_itself else max(event.occurred_at, event.report.submitted_at)


def _erased(case: Case, event: ReporterErased) -> Outcome[Case]:
    """The reporter's name is recognised no more, here and, behind a hand-over that is not on the topic yet, by who takes the case over."""
    handing_over = case.topic_owner is Service.TRIAGE and not case.owned
    forgotten = case._replace(name_fingerprints=b"") if case.name_fingerprints else None
    return Outcome(forgotten, (_to_cases(event),) if handing_over else ())


def _answered(event: CaseEvent) -> tuple[UUID, ...]:
    return () if event.input_id is None else (event.input_id,)


def _to_cases(body: CaseEvent | InputEvent | ReporterErased) -> Outgoing:
    return Outgoing(topic=CASES.name, key=str(body.case_id), body=body, time=body.occurred_at)
