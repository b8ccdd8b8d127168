"""What the demo counts, and what it holds against what."""

from collections import Counter
from typing import Any

import pytest

from tests.unit.demo.builders import feed_message, played
from tuntas_contracts.topology import AGENCY_CASES, CASES, NOTICES, SLA
from tuntas_contracts.vocabulary import CaseState, Service
from tuntas_demo.api_client import Faults
from tuntas_demo.case_log import CaseLog
from tuntas_demo.checks import checks
from tuntas_demo.counters import Counters
from tuntas_demo.pipeline_snapshot import ORDER, by_bucket
from tuntas_demo.quiet import READERS, _unread
from tuntas_demo.summary import Mails
from tuntas_operations.reconciliation.ledger import Difference
from tuntas_operations.reconciliation.rounds import Result

OWN = AGENCY_CASES.for_agency("pln")


def test_a_step_that_an_agency_does_not_read_on_its_own_topic_is_missed() -> None:
    counters = Counters(lambda agency: agency == "pln")
    counters.count(feed_message("CaseForwarded", "a", 3, source="triage", agency="pln"))
    counters.count(feed_message("CaseAccepted", "a", 4, transition="T4", agency="pln"))
    counters.count(feed_message("CaseAccepted", "b", 4, transition="T4", agency="kemenkes"))
    assert counters.unpaired == 2
    counters.count(feed_message("CaseAssigned", "a", 3, topic=OWN, agency="pln"))
    counters.count(feed_message("CaseAssigned", "a", 3, topic=OWN, agency="pln"))  # at least once
    assert counters.unpaired == 1
    counters.count(feed_message("CaseChanged", "a", 4, topic=OWN, agency="pln"))
    assert counters.unpaired == 0
    counters.count(feed_message("CaseChanged", "a", 5, topic=OWN, agency="pln"))
    assert counters.unpaired == 1


def test_a_refused_input_is_not_published_to_the_agency() -> None:
    counters = Counters(lambda agency: True)
    counters.count(feed_message("InputRefused", "a", 4))
    assert counters.unpaired == 0


def test_deadlines_and_notices_are_counted_by_what_they_are() -> None:
    counters = Counters(lambda agency: False)
    for kind, clock in (("DeadlineSet", "C4"), ("DeadlineWarning", "C4"), ("DeadlineWarning", "C5"), ("DeadlineMissed", "C3")):
        counters.count(feed_message(kind, "a", topic=SLA.name, clock=clock))
    counters.count(feed_message("NoticeSent", "a", topic=NOTICES.name, kind="receipt", possible_repeat=False))
    counters.count(feed_message("NoticeFailed", "a", topic=NOTICES.name, kind="receipt", reason="no_email"))
    assert (counters.warnings, counters.missed) == (Counter(C4=1, C5=1), Counter(C3=1))
    assert (counters.sent, counters.undelivered) == (Counter(receipt=1), Counter(no_email=1))


def test_the_two_places_of_unverified_reports_are_distinguished_and_no_state_is_left_out() -> None:
    counted = by_bucket(dict.fromkeys(CaseState, 1))
    assert tuple(counted) == ORDER
    assert sum(counted.values()) == len(CaseState)
    assert counted["Belum Terverifikasi (nasional)"] == counted["Belum Terverifikasi (instansi)"] == 1


def test_every_reader_of_the_topics_is_waited_for() -> None:
    assert {service for service, topic in READERS.values() if topic is CASES} == set(CASES.readers)
    assert {service for service, topic in READERS.values() if topic is SLA} == set(SLA.readers)


def test_a_reader_that_is_behind_is_named() -> None:
    ends = {(CASES.name, 0): 5, (SLA.name, 0): 0, (NOTICES.name, 0): 9}
    read = {(consumer, topic.name, 0): 5 for consumer, (_, topic) in READERS.items()}
    assert _unread(read, ends, {}) == ""
    assert _unread(read | {("triage.cases", CASES.name, 0): 4}, ends, {}) == f"triage.cases is behind on {CASES.name}"
    assert "dispatch.actions" in _unread(read, ends, {("tuntas.agency-actions.pln.v1", 0): 1})


def good(**changed: Any) -> dict[str, Any]:
    book, counters = CaseLog(), Counters(lambda agency: False)
    played(book).state = CaseState.CLOSED
    counters.missed["C2"] = 3
    counters.sent["receipt"] = 2
    figures = {
        "reports": {"received": 1, "closed": 1, "archived": 0},
        "clocks": [{"clock": "C1", "met_late": 0, "missed": 0}, {"clock": "C2", "met_late": 2, "missed": 1}],
    }
    held: dict[str, Any] = {
        "reports": 1,
        "book": book,
        "counters": counters,
        "figures": figures,
        "mails": Mails(delivered=2, distinct=2, by_kind={"receipt": 2}, undelivered={"no_email": 5}),
        "mistakes": 0,
        "reconciliation": Result(1, 1, 1, 1, 1, 9, ()),
        "parked": 0,
        "faults": Faults(),
        "deaths": [],
    }
    return held | changed


def test_a_run_that_did_what_it_should_passes() -> None:
    assert [check.name for check in checks(**good()) if not check.holds] == []


@pytest.mark.parametrize(
    ("changed", "failing"),
    [
        ({"reports": 2}, "Every report was accepted"),
        ({"reconciliation": Result(1, 1, 1, 1, 1, 9, (Difference("lost", Service, "x"),))}, "Accepted = published"),  # type: ignore[arg-type]
        ({"figures": {}}, "The public figures agree"),
        ({"figures": good()["figures"] | {"clocks": []}}, "Every missed deadline"),
        ({"mails": Mails(delivered=3, distinct=2, by_kind={"receipt": 2}, undelivered={})}, "Every notice was delivered once"),
        ({"mails": Mails(delivered=2, distinct=2, by_kind={"receipt": 2}, undelivered={"refused": 1})}, "Every notice was delivered once"),
        ({"mistakes": 1}, "Every mistake was refused"),
        ({"parked": 1}, "There are no dead letters"),
        ({"faults": Faults(1, ["x"])}, "Every request was answered"),
        ({"deaths": ["triage was ended by SIGKILL"]}, "No part of the stack died"),
    ],
)
def test_each_fault_fails_its_check(changed: dict[str, Any], failing: str) -> None:
    assert any(check.name.startswith(failing) for check in checks(**good(**changed)) if not check.holds)
