"""A case arrives at an agency: T2, T3 and T21 by triage's `CaseForwarded`."""

from collections.abc import Mapping

from dispatch.domain.case import Case
from tuntas_contracts.cases import CaseForwarded
from tuntas_contracts.lifecycle import TRANSITIONS
from tuntas_contracts.texts.name_fingerprints import packed
from tuntas_contracts.vocabulary import CaseState, Service, Transition
from tuntas_reference.profile import load_profile

_ARRIVALS: Mapping[str, CaseState | None] = {row.number: row.target for row in TRANSITIONS.values() if row.event == CaseForwarded.__name__}


class ForwardingFault(ValueError):
    """A forwarded case that must not go to an agency as it is; an operator has to look at it."""


def arrive(known: Case | None, event: CaseForwarded) -> Case:
    """The case after it was forwarded, for the first time or again after a return.

    Raises ForwardingFault where it must not reach the agency's topic, and UnknownProfileError.
    """
    report = event.report
    if report.misconduct:
        raise ForwardingFault("a report of misconduct stays at the centre and must not be forwarded: route it back to triage")
    target = _ARRIVALS.get(event.transition or "")
    if target is None or event.state is not target or event.owner is not Service.DISPATCH:
        raise ForwardingFault(f"CaseForwarded by {event.transition} with state {event.state}, owner {event.owner} is not a transition")
    fast = event.fast_track
    if (event.transition is Transition.T21) != (fast is not None):
        raise ForwardingFault("T21 and only T21 carries the fast track that was decided")
    load_profile(report.profile)
    return Case(
        case_id=event.case_id,
        version=event.version,
        state=event.state,
        owner=Service.DISPATCH,
        topic_owner=Service.DISPATCH,
        agency=event.agency,
        time_zone=event.time_zone,
        profile=report.profile,
        classification=report.classification,
        secret=report.secret,
        anonymous=report.anonymous,
        bounces=event.bounces,
        arbitrated=event.arbitrated,
        last_event_at=event.occurred_at,
        unit=fast.unit if fast else None,
        service_class=fast.service_class if fast else None,
        completion_limit=fast.completion_limit if fast else None,
        # C6 is counted over the whole life of a case
        answers=known.answers if known else 0,
        answered_at=known.answered_at if known else None,
        supplements=known.supplements if known else 0,
        name_fingerprints=packed(event.name_fingerprints),
    )
