"""Which forwarded cases reach their agency."""

import pytest

from dispatch.domain.forwarding import ForwardingFault, arrive
from tests.unit.dispatch.builders import BEKASI, a_case, a_report, forwarded
from tuntas_contracts.vocabulary import CaseState, Transition
from tuntas_reference.profile import UnknownProfileError


def test_a_report_of_misconduct_never_reaches_an_agency() -> None:
    with pytest.raises(ForwardingFault, match="misconduct stays at the centre"):
        arrive(None, forwarded(report=a_report(misconduct=True)))


def test_a_report_under_an_unknown_regulation_waits_for_an_operator() -> None:
    with pytest.raises(UnknownProfileError):
        arrive(None, forwarded(report=a_report(profile="permenpan-5-2025")))


@pytest.mark.parametrize(
    "changes",
    [{"transition": Transition.T1}, {"transition": None}, {"state": CaseState.DISPATCHED}, {"transition": Transition.T21}],
)
def test_a_hand_over_that_contradicts_itself_is_a_fault(changes: dict[str, object]) -> None:
    with pytest.raises(ForwardingFault):
        arrive(None, forwarded().model_copy(update=changes))


def test_a_case_forwarded_again_starts_afresh_but_keeps_count_of_its_answers() -> None:
    known = a_case()._replace(answers=2, unit="layanan", bounces=1)
    again = arrive(known, forwarded(known.case_id, version=9, agency=BEKASI, by=Transition.T3, bounces=2, arbitrated=True))
    assert (again.agency, again.unit, again.answers, again.bounces, again.arbitrated) == (BEKASI, None, 2, 2, True)
