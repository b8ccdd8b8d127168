"""What an agency may do with its case: accept, handle, return, follow up, answer (T4, T5, T10, T14, T15)."""

from collections.abc import Collection
from datetime import datetime
from functools import partial

from dispatch.domain.case import Case, CommandContext, allowed_actions
from dispatch.domain.officers_texts import readable
from dispatch.domain.service_class import service_class
from tuntas_contracts.agencies import AcceptCase, AgencyCommand, AnswerCase, HandleCase, RecordFollowUp, ReturnCase
from tuntas_contracts.base import CaseEvent
from tuntas_contracts.cases import (
    Assessment,
    CaseAccepted,
    CaseAnswered,
    CaseReturned,
    FollowUpRecorded,
    HandlingStarted,
)
from tuntas_contracts.lifecycle import TRANSITIONS, TransitionRow
from tuntas_contracts.refusal import Refusal, RefusalCode
from tuntas_contracts.texts.name_fingerprints import NameKeys
from tuntas_contracts.vocabulary import CaseState, Service, Transition
from tuntas_reference.categories import load_categories
from tuntas_reference.deadlines import end_of_day, local_date, zone_or_national
from tuntas_reference.profile import load_profile

_UNITS_NAMED = 40
_ACCEPT, _HANDLE, _RETURN = TRANSITIONS[Transition.T4], TRANSITIONS[Transition.T5], TRANSITIONS[Transition.T10]
_FOLLOW_UP, _ANSWER = TRANSITIONS[Transition.T14], TRANSITIONS[Transition.T15]


def decide(case: Case, command: AgencyCommand, act: CommandContext, units: Collection[str], names: NameKeys) -> CaseEvent:
    """The event that a command of the case's own agency leads to; `units` are the codes of that agency's units.

    Texts go on with identifiers and the reporter's name masked. Raises Refusal where a text can't be read, or where the domain's
    table, the register or a binding arbitration forbids it.
    """
    command = readable(command, partial(names.mask, case.case_id, case.name_fingerprints))
    match command:
        case HandleCase():
            _permit(case, _HANDLE)
            return HandlingStarted(**_base(case, _HANDLE, act), agency=case.agency, assessment=_assess(case, command, units))
        case AcceptCase():
            _permit(case, _ACCEPT)
            return CaseAccepted(**_base(case, _ACCEPT, act), agency=case.agency, assessment=_assess(case, command, units))
        case ReturnCase():
            return _return_case(case, command, act)
        case RecordFollowUp():
            _permit(case, _FOLLOW_UP)
            return FollowUpRecorded(**_base(case, _FOLLOW_UP, act), agency=case.agency, note=command.note)
        case AnswerCase():
            _permit(case, _ANSWER)
            _permit_supplement(case, case.not_before_last(act.at))
            return CaseAnswered(
                **_base(case, _ANSWER, act),
                agency=case.agency,
                answer=command.answer,
                evidence=command.evidence,
                supplement=case.state is CaseState.RESPONDED,
            )
    raise TypeError(f"{type(command).__name__} is not a command that dispatch knows")


def _permit(case: Case, row: TransitionRow) -> None:
    if case.owner is not Service.DISPATCH:
        raise Refusal(
            RefusalCode.NOT_OWNER,
            f"the case is with {case.owner} and the agency can't {row.verb} it; wait until it is assigned again",
        )
    if case.state not in row.possible_from:
        possible = ", ".join(allowed_actions(case.state)) or "nothing until the reporter acts"
        wanted = " or ".join(sorted(row.possible_from))
        raise Refusal(
            RefusalCode.NOT_IN_STATE,
            f"{row.verb} ({row.number}) needs the state {wanted}; the case is {case.state}. Possible now: {possible}",
        )


def _permit_supplement(case: Case, at: datetime) -> None:
    """Each supplement mails the reporter and restarts the time to reply, so a case takes only some of them a day."""
    allowed = load_profile(case.profile).limits.supplements_a_day
    if case.state is CaseState.RESPONDED and case.supplements_on(at) >= allowed:
        zone = zone_or_national(case.time_zone)
        day = local_date(at, zone)
        again = end_of_day(day, zone).astimezone(zone)
        raise Refusal(
            RefusalCode.SUPPLEMENT_QUOTA,
            f"the answer of this case was added to {allowed} times on {day}, as often as a day allows; "
            f"put what is left into one supplement from {again.isoformat(timespec='minutes')} on",
        )


def _base(case: Case, row: TransitionRow, act: CommandContext) -> "dict[str, object]":
    return {
        "case_id": case.case_id,
        "version": case.version + 1,
        "occurred_at": case.not_before_last(act.at),
        **row.effect,
        "actor": act.actor,
        "input_id": act.input_id,
    }


def _assess(case: Case, command: AcceptCase, units: Collection[str]) -> Assessment:
    if command.unit not in units:
        named = sorted(units)
        listed = ", ".join(named[:_UNITS_NAMED]) + (" …" if len(named) > _UNITS_NAMED else "")
        raise Refusal(
            RefusalCode.UNKNOWN_UNIT,
            # not repeated: whatever somebody wrote there would be kept on the agency's topic
            f"{case.agency} has no unit of the code that the command gives; its units are: {listed}"
            if named
            else f"{case.agency} has no units in the register; ask the operator to load it",
        )
    if command.category is not None and command.category not in load_categories():
        raise Refusal(
            RefusalCode.UNKNOWN_CATEGORY,
            "no category has the code that the command gives; take a code of the category tree, such as 'health'",
        )
    assessed = service_class(
        case.classification,
        normative=command.normative,
        supervision_content=command.supervision_content,
        field_inspection=command.field_inspection,
    )
    return Assessment(
        unit=command.unit,
        service_class=assessed,
        completion_limit=load_profile(case.profile).service_class(assessed).working_days,
        normative=command.normative,
        supervision_content=command.supervision_content,
        field_inspection=command.field_inspection,
        category=command.category,
        title=command.title,
    )


def _return_case(case: Case, command: ReturnCase, act: CommandContext) -> CaseReturned:
    _permit(case, _RETURN)
    if case.arbitrated:
        raise Refusal(
            RefusalCode.BINDING_ARBITRATION, "the national administrator assigned the case by binding arbitration: accept or handle it"
        )
    bounces = case.bounces + 1
    return CaseReturned(
        **_base(case, _RETURN, act),
        agency=case.agency,
        reason=command.reason,
        bounces=bounces,
        arbitration=bounces >= load_profile(case.profile).limits.bounces_before_arbitration,
    )
