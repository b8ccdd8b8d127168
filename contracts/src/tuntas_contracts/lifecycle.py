"""The life of a case as two tables: every transition, and every clock with the transitions that start and end it.

Sources: Permenpan RB 62/2018, UU 25/2009 and the practice of SP4N-LAPOR!. Rows of later releases are `planned`: nothing asks for them
yet, and no event of theirs is published.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from tuntas_contracts.vocabulary import CaseState, Clock, Role, Service, Transition


@dataclass(frozen=True, slots=True)
class TransitionRow:
    """One transition of a case.

    `sources` are the states that it starts from, none where there is no case yet; from those among them that are `planned_sources` it is
    not possible in this release. `target` is None where the case goes back to the state before. `owners` may own the case before, `owner`
    owns it after, None where that is the owner before. `roles` may ask for it by the command or input `asked_by`, nobody where time
    does it. Where `own_administrator`, an administrator may only while the case is with them: the national one while triage owns
    it, the agency's while dispatch does. `event` announces it. `guards` name what is asked beside state, owner and role.
    """

    number: Transition
    verb: str
    sources: Set[CaseState]
    target: CaseState | None
    owners: Set[Service]
    owner: Service | None
    roles: Set[Role]
    asked_by: str
    event: str
    guards: tuple[str, ...] = ()
    own_administrator: bool = False
    planned: bool = False
    planned_sources: Set[CaseState] = frozenset()

    @property
    def possible_from(self) -> Set[CaseState]:
        """The states that it starts from in this release."""
        return frozenset() if self.planned else self.sources - self.planned_sources

    @property
    def effect(self) -> dict[str, Any]:
        """What an event of this transition says of the case: its number, and state and owner after it."""
        return {"transition": self.number, "state": self.target, "owner": self.owner}

    def effect_on(self, state: CaseState, owner: Service) -> dict[str, Any]:
        """The same where the row leaves the state or the owner as before: what they are then."""
        return {"transition": self.number, "state": self.target or state, "owner": self.owner or owner}


@dataclass(frozen=True, slots=True)
class ClockRow:
    """One clock, and which transitions start it, meet it, stop it, pause it and let it run on.

    What is met was done in time or late; what is stopped is no longer asked for. A transition that both starts and meets a clock has done
    at once what it asks for. Only cases of `owner`, where there is one, have it. A `window` is the reporter's: it runs out with no fault.
    """

    number: Clock
    measures: str
    starts: Set[Transition]
    meets: Set[Transition] = frozenset()
    stops: Set[Transition] = frozenset()
    pauses: Set[Transition] = frozenset()
    resumes: Set[Transition] = frozenset()
    planned: bool = False
    owner: Service | None = None
    window: bool = False


_RECEIVED, _AT_AGENCY, _AWAITING, _DISPATCHED, _IN_PROGRESS, _RESPONDED, _CLOSED, _ARCHIVED = CaseState
_INTAKE, _TRIAGE, _DISPATCH, *_ = Service
_T1, _T2, _T3, _T4, _T5, _T6, _T7, _T8, _T9, _T10, _T11, _T12, _T13, _T14, _T15, _T16, _T17, _T18, _T19, _T20, *_LATER = Transition
_T21, _T22, _T23, _T24, _T25, _T26 = _LATER[:6]
ENDED: Final[Set[CaseState]] = frozenset({_CLOSED, _ARCHIVED})
"""The states in which nobody need do anything about a case."""
_OPEN: Final = frozenset(CaseState) - ENDED
_REPORTER: Final = frozenset({Role.REPORTER, Role.CLERK})
_NATIONAL: Final = frozenset({Role.NATIONAL_ADMINISTRATOR})
_AGENCY: Final = frozenset({Role.AGENCY_ADMINISTRATOR, Role.AGENCY_SYSTEM})
_OFFICER: Final = _AGENCY | {Role.LIAISON_OFFICER}
_ENTERED: Final = _REPORTER | {Role.AGENCY_SYSTEM}
_NOBODY: Final = frozenset[Role]()
_ADMINISTRATORS: Final = {_TRIAGE: _NATIONAL, _DISPATCH: _AGENCY}

# fmt: off
_ROWS: Final = (
    TransitionRow(_T1, "submit", frozenset(), _RECEIVED, {_INTAKE, _TRIAGE}, _TRIAGE, _ENTERED, "SubmitReport", "CaseReceived"),
    TransitionRow(_T2, "submit", frozenset(), _AT_AGENCY, {_INTAKE, _TRIAGE}, _DISPATCH, _ENTERED, "SubmitReport", "CaseForwarded"),
    TransitionRow(_T3, "verify", {_RECEIVED}, _AT_AGENCY, {_TRIAGE}, _DISPATCH, _NATIONAL, "Verify", "CaseForwarded"),
    TransitionRow(_T4, "accept", {_AT_AGENCY}, _DISPATCHED, {_DISPATCH}, _DISPATCH, _AGENCY, "AcceptCase", "CaseAccepted"),
    TransitionRow(_T5, "handle", {_AT_AGENCY}, _IN_PROGRESS, {_DISPATCH}, _DISPATCH, _AGENCY, "HandleCase", "HandlingStarted"),
    TransitionRow(
        _T6, "ask for data", {_RECEIVED, _AT_AGENCY}, _AWAITING, {_TRIAGE, _DISPATCH}, None, _NATIONAL | _AGENCY,
        "AskForData", "DataRequested", ("other_items_than_before", "not_in_arbitration"),
        own_administrator=True, planned=True,
    ),
    TransitionRow(
        _T7, "ask for supporting data", {_DISPATCHED, _IN_PROGRESS}, _AWAITING, {_DISPATCH}, _DISPATCH, _OFFICER,
        "AskForSupportingData", "SupportingDataRequested", ("days_of_waiting_left",), planned=True,
    ),
    TransitionRow(
        _T8, "supply data", {_AWAITING}, None, {_TRIAGE, _DISPATCH}, None, _REPORTER, "DataSupplied",
        "DataReceived", planned=True,
    ),
    TransitionRow(
        _T9, "archive without data", {_AWAITING}, _ARCHIVED, {_TRIAGE, _DISPATCH}, _TRIAGE, _NOBODY, "WindowElapsed", "CaseArchived",
        ("asked_by_t6",), planned=True,
    ),
    TransitionRow(
        _T10, "return", {_AT_AGENCY, _DISPATCHED}, _RECEIVED, {_DISPATCH}, _TRIAGE, _AGENCY, "ReturnCase", "CaseReturned",
        ("not_by_arbitration", "dispatched_by_t21_without_t14"), planned_sources={_DISPATCHED},
    ),
    TransitionRow(_T11, "move", {_AT_AGENCY}, _AT_AGENCY, {_DISPATCH}, _DISPATCH, _NATIONAL, "MoveCase", "CaseMoved", planned=True),
    TransitionRow(
        _T12, "give to another unit", {_DISPATCHED, _IN_PROGRESS}, _DISPATCHED, {_DISPATCH}, _DISPATCH,
        {Role.AGENCY_ADMINISTRATOR, Role.RESPONSIBLE_OFFICER}, "ChangeUnit", "UnitChanged", planned=True,
    ),
    TransitionRow(
        _T13, "archive", {_RECEIVED, _AT_AGENCY}, _ARCHIVED, {_TRIAGE, _DISPATCH}, _TRIAGE, _NATIONAL | {Role.AGENCY_ADMINISTRATOR},
        "Archive", "CaseArchived", ("reason_of_the_profile",),
        own_administrator=True, planned_sources={_AT_AGENCY},
    ),
    TransitionRow(
        _T14, "follow up", {_DISPATCHED, _IN_PROGRESS}, _IN_PROGRESS, {_DISPATCH}, _DISPATCH, _OFFICER,
        "RecordFollowUp", "FollowUpRecorded", planned_sources={_IN_PROGRESS},
    ),
    TransitionRow(
        _T15, "answer", {_DISPATCHED, _IN_PROGRESS, _RESPONDED}, _RESPONDED, {_DISPATCH}, _DISPATCH, _OFFICER, "AnswerCase", "CaseAnswered",
        ("supplements_of_the_day",),
    ),
    TransitionRow(
        _T16, "reply", {_RESPONDED}, _IN_PROGRESS, {_DISPATCH}, _DISPATCH, _REPORTER, "ReporterReplied",
        "CaseResumed", ("within_c6",),
    ),
    TransitionRow(
        _T17, "close", {_RESPONDED}, _CLOSED, {_DISPATCH}, _DISPATCH, _NOBODY, "WindowElapsed",
        "CaseClosed", ("c6_of_the_last_answer",),
    ),
    TransitionRow(_T18, "confirm", {_RESPONDED}, _CLOSED, {_DISPATCH}, _DISPATCH, {Role.REPORTER}, "ReporterConfirmed", "CaseClosed"),
    TransitionRow(
        _T19, "reopen", {_CLOSED}, _IN_PROGRESS, {_DISPATCH}, _DISPATCH, _REPORTER | _NATIONAL, "Reopen", "CaseReopened",
        ("once", "within_c12"), planned=True,
    ),
    TransitionRow(
        _T20, "appeal", {_ARCHIVED}, _RECEIVED, {_TRIAGE}, _TRIAGE, _REPORTER | _NATIONAL, "Appeal", "AppealAccepted",
        ("once", "within_c13"), planned=True,
    ),
    TransitionRow(
        _T21, "fast track", frozenset(), _DISPATCHED, {_INTAKE, _TRIAGE}, _DISPATCH, _ENTERED, "SubmitReport", "CaseForwarded",
        ("rule_of_the_profile",),
    ),
    TransitionRow(
        _T22, "return late", {_DISPATCHED, _IN_PROGRESS}, _RECEIVED, {_DISPATCH}, _TRIAGE, _NATIONAL | _AGENCY,
        "ReturnCase", "CaseReturned", ("not_by_arbitration",), planned=True,
    ),
    TransitionRow(
        _T23, "archive at the agency", {_DISPATCHED, _IN_PROGRESS}, _ARCHIVED, {_DISPATCH}, _TRIAGE, {Role.AGENCY_ADMINISTRATOR},
        "ArchiveCase", "CaseArchived", ("duplicate_or_in_court", "approved_nationally"), planned=True,
    ),
    TransitionRow(
        _T24, "go on without data", {_AWAITING}, None, {_DISPATCH}, _DISPATCH, _NOBODY, "WindowElapsed", "CaseResumedWithoutData",
        ("asked_by_t7",), planned=True,
    ),
    TransitionRow(
        _T25, "split", {_ARCHIVED}, _RECEIVED, {_TRIAGE}, _TRIAGE, _NATIONAL, "SplitCase",
        "CaseSplit", ("duplicate",), planned=True,
    ),
    TransitionRow(
        _T26, "withdraw", _OPEN, _ARCHIVED, {_TRIAGE, _DISPATCH}, _TRIAGE, _REPORTER, "Withdraw", "CaseArchived",
        ("not_misconduct",), planned=True,
    ),
)
# fmt: on

TRANSITIONS: Final[Mapping[Transition, TransitionRow]] = MappingProxyType({row.number: row for row in _ROWS})
"""Every transition by its number."""

_OVER: Final = frozenset({_T9, _T13, _T23, _T26})  # every way into the archive

_CLOCKS: Final = (
    ClockRow(Clock.C1, "national verification", {_T1, _T8, _T10, _T20, _T22, _T25}, {_T3, _T13}, {_T6, _T26}, owner=_TRIAGE),
    ClockRow(Clock.C2, "agency verification", {_T2, _T3, _T8, _T11}, {_T4, _T5, _T13}, {_T6, _T10, _T11, _T26}, owner=_DISPATCH),
    ClockRow(Clock.C3, "first follow-up", {_T4, _T5, _T12, _T21}, {_T5, _T14, _T15}, {_T10, _T12, _T22, _T23, _T26}, {_T7}, {_T8, _T24}),
    ClockRow(Clock.C4, "completion", {_T4, _T5, _T21}, {_T15}, {_T10, _T22, _T23, _T26}, {_T7}, {_T8, _T24}),
    ClockRow(Clock.C5, "monitoring of C4", frozenset()),
    ClockRow(Clock.C6, "the reporter's reply", {_T15}, {_T16, _T17, _T18}, {_T15, _T26}, window=True),
    ClockRow(Clock.C7, "completion of data", {_T6, _T7}, {_T8, _T9, _T24}, {_T26}, planned=True, window=True),
    ClockRow(Clock.C8, "answer to a reply", {_T16, _T19}, {_T15}, {_T22, _T23, _T26}, {_T7}, {_T8, _T24}),
    ClockRow(Clock.C9, "statutory decision", {_T4, _T5, _T21}, {_T15}, {_T23, _T26}, {_T7}, {_T8, _T24}, planned=True),
    ClockRow(Clock.C10, "arbitration", {_T10, _T22}, {_T3, _T13}, {_T26}, owner=_TRIAGE),
    ClockRow(Clock.C11, "eligibility for the Ombudsman", {_T2, _T3, _T21}, {_T17, _T18}, _OVER, {_T6, _T7}, {_T8, _T24}, planned=True),
    ClockRow(Clock.C12, "window to reopen", {_T17, _T18}, {_T19}, planned=True),
    ClockRow(Clock.C13, "window to appeal", _OVER, {_T20}, planned=True),
)

CLOCKS: Final[Mapping[Clock, ClockRow]] = MappingProxyType({row.number: row for row in _CLOCKS})
"""Every clock by its number."""


def events_of(service: Service) -> tuple[str, ...]:
    """The events by which `service` announces, in this release, transitions of the cases that it owns."""
    rows = [row for row in _ROWS if not row.planned and service in _publishers(row)]
    return tuple(dict.fromkeys(row.event for row in rows))


def asked_by(role: Role, owner: Service) -> tuple[str, ...]:
    """The commands and inputs by which `role` asks `owner` for transitions in this release."""
    rows = [row for row in _ROWS if row.possible_from and owner in _publishers(row) and _may_ask(row, owner, role)]
    return tuple(dict.fromkeys(row.asked_by for row in rows))


def _publishers(row: TransitionRow) -> Set[Service]:
    """Who owns a case before it; a case that begins is announced by triage."""
    if not row.sources:
        return row.owners - {_INTAKE}
    return row.owners & {owner for state in row.possible_from for owner in owners_of(state)}


def owners_of(state: CaseState) -> tuple[Service, ...]:
    """Who owns a case that a transition of this release brought into this state, in the order of `Service`."""
    found: set[Service] = set()
    for row in _ROWS:
        if row.target is state and not row.planned:
            found |= {row.owner} if row.owner else row.owners & {owner for source in row.possible_from for owner in owners_of(source)}
    return tuple(service for service in Service if service in found)


def possible(state: CaseState, owner: Service, role: Role) -> tuple[TransitionRow, ...]:
    """What `role` may ask for, in this release, of a case in this state that `owner` owns."""
    return tuple(row for row in _ROWS if state in row.possible_from and _may_ask(row, owner, role))


def roles_of(number: Transition, owner: Service) -> tuple[Role, ...]:
    """Who may ask `owner` for a transition, in the order of `Role`: somebody with several of these roles acts in the first."""
    return tuple(role for role in Role if _may_ask(TRANSITIONS[number], owner, role))


def _may_ask(row: TransitionRow, owner: Service, role: Role) -> bool:
    if owner not in row.owners or role not in row.roles:
        return False
    return not row.own_administrator or role in _ADMINISTRATORS[owner] or role not in _NATIONAL | _AGENCY
