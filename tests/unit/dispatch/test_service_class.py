"""The service class and completion limit of every combination that an agency administrator can settle."""

import pytest

from dispatch.domain.commands import decide
from tests.support.names import NAMES
from tests.unit.dispatch.builders import BOGOR, UNITS, a_case, a_report, an_act
from tuntas_contracts.agencies import AcceptCase
from tuntas_contracts.cases import CaseAccepted
from tuntas_contracts.vocabulary import Classification, ServiceClass

C, I, A = Classification.COMPLAINT, Classification.INFORMATION, Classification.ASPIRATION  # noqa: E741

GOLDEN = [
    # classification, normative, supervision content, field inspection → class, working days
    (C, False, False, False, ServiceClass.ORDINARY, 14),
    (C, False, True, False, ServiceClass.ORDINARY, 14),
    (C, False, False, True, ServiceClass.ORDINARY, 14),
    (C, True, False, False, ServiceClass.NORMATIVE, 5),
    (C, True, True, False, ServiceClass.NORMATIVE, 5),
    (C, True, False, True, ServiceClass.NORMATIVE, 5),
    (C, False, True, True, ServiceClass.SUPERVISORY, 60),
    (C, True, True, True, ServiceClass.SUPERVISORY, 60),
    (I, False, False, False, ServiceClass.INFORMATION, 5),
    (I, True, True, True, ServiceClass.INFORMATION, 5),
    (A, False, False, False, ServiceClass.INFORMATION, 5),
    (A, True, True, True, ServiceClass.INFORMATION, 5),
]


@pytest.mark.parametrize(("classification", "normative", "supervision", "inspection", "expected", "days"), GOLDEN)
def test_the_class_and_its_limit_follow_from_the_flags(
    classification: Classification, normative: bool, supervision: bool, inspection: bool, expected: ServiceClass, days: int
) -> None:
    case = a_case(report=a_report(classification))
    command = AcceptCase(
        case_id=case.case_id, unit="layanan", normative=normative, supervision_content=supervision, field_inspection=inspection
    )
    event = decide(case, command, an_act(), UNITS[BOGOR], NAMES)
    assert isinstance(event, CaseAccepted)
    assert (event.assessment.service_class, event.assessment.completion_limit) == (expected, days)
