"""Values of a later release in what is read: no service fails on one, takes it for another, or loses it on the way."""

from typing import Any

import pytest
from pydantic import ValidationError

from dispatch.domain.evolution import evolve
from dispatch.domain.forwarding import ForwardingFault, arrive
from dispatch.domain.inputs import react
from dispatch.domain.register import load_register
from dispatch.domain.register_changes import StoredAgency, Wanted, cells_of, decide, read_back
from dispatch.domain.register_faults import RegisterError
from dispatch.entrypoints.register_schemas import AgencyEntry
from dispatch.entrypoints.register_views import AgencyDetail
from intake.application.handlers import follow
from intake.application.ports import RebuiltReport
from intake.domain.history import case_status, entry_of
from intake.entrypoints.schemas import HistoryItem
from notifier.adapters.templates import MailTemplates
from notifier.application.handlers import on_agency, on_case_event, on_deadline, on_own_notice
from notifier.application.ports import UnrenderableLetter
from notifier.domain.decisions import notice_of
from notifier.domain.delivery import Delivery
from notifier.domain.notices import NoticeKind
from sla_monitor.domain.clocks import ClockMachine
from tests.unit.dispatch import builders as dispatch
from tests.unit.dispatch.delivery import Delivery as DispatchCase
from tests.unit.dispatch.test_inputs import DUE, answered, reply, window
from tests.unit.intake import builders as intake
from tests.unit.notifier import builders as notifier
from tests.unit.sla_monitor.builders import PLANNER, History, wib
from tests.unit.triage import builders as triage
from triage.adapters.queue import FiledCase
from triage.entrypoints.schemas import ArchiveRequest, CaseView
from tuntas_contracts import cases
from tuntas_contracts.agencies import AgencyRegistered, CaseAssigned, UnitRecord
from tuntas_contracts.base import CaseEvent, Contract
from tuntas_contracts.refusal import RefusalCode
from tuntas_contracts.vocabulary import AgencyKind, CaseState, Clock, Role, Service, WarningLevel

LATER: dict[str, Any] = {"channel": "later_channel", "origin": "later_origin", "service_kind": "later_service"}
"""Of a report."""
KEMENKES = load_register().get("kemenkes")


def again(event: Contract, **changes: Any) -> Any:
    """The event as it comes from the topic, with values of a later release."""
    return type(event).model_validate_json(event.model_copy(update=changes).model_dump_json(warnings=False))


# -- intake ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (intake.event(cases.CaseReceived, 2, CaseState.RECEIVED, reason="later_reason"), "later_reason"),
        (intake.event(cases.CaseArchived, 2, CaseState.ARCHIVED, reason="later_reason"), "later_reason"),
        (intake.event(cases.CaseClosed, 5, CaseState.CLOSED, agency="dinas-pu", reason="later_reason"), "later_reason"),
    ],
    ids=["received", "archived", "closed"],
)
def test_intake_shows_the_reporter_a_reason_as_it_came(event: CaseEvent, reason: str) -> None:
    entry = entry_of(again(event, transition="T99"))
    shown = HistoryItem.of(entry)
    assert (shown.reason, shown.transition, case_status([entry]).state) == (reason, "T99", event.state)


def test_intake_rebuilds_a_report_of_another_channel() -> None:
    event = intake.event(cases.ReportSubmitted, 1, CaseState.RECEIVED, owner=Service.TRIAGE, report=intake.content(**LATER))
    [row] = follow(None, intake.incoming(event, replayed=True)).rows
    assert isinstance(row, RebuiltReport)
    assert row.channel == "later_channel"


def test_intake_takes_no_report_of_a_channel_that_it_does_not_know() -> None:
    with pytest.raises(ValidationError, match="channel"):
        intake.a_request(channel="later_channel")


# -- triage ---------------------------------------------------------------------------------------------------------


def test_triage_forwards_a_report_with_what_it_does_not_know() -> None:
    outcome = triage.handlers().apply(None, triage.incoming(triage.submitted(addressed_agency="kota-bandung", **LATER)))
    [event] = triage.published(outcome.outgoing)
    assert isinstance(event, cases.CaseForwarded)
    assert {name: getattr(event.report, name) for name in LATER} == LATER


def test_triage_keeps_and_shows_why_another_release_archived_a_case() -> None:
    made, report = triage.handlers(), triage.a_report(**LATER)
    case = triage.waiting(made, **LATER)
    archived = cases.CaseArchived(
        case_id=case.case_id,
        version=case.version + 1,
        occurred_at=triage.LATER,
        transition="T99",
        state=CaseState.ARCHIVED,
        owner=Service.TRIAGE,
        reason="later_reason",
    )
    after = triage.applied(made, archived, case=case, replayed=True)
    shown = CaseView.of(FiledCase(after, report), triage.a_register())
    assert (shown.state, shown.archive_reason, shown.report.channel) == (CaseState.ARCHIVED, "later_reason", "later_channel")


def test_triage_takes_an_agency_of_another_kind_as_any_other() -> None:
    entry = again(notifier.registered(), kind="later_kind", units=(UnitRecord(code="a", name="A", kind="later_kind"),))
    found = triage.handlers().apply_agency(None, notifier.incoming(entry)).state
    assert found is not None
    assert (found.code, found.enabled) == ("kemenkes", True)


def test_triage_takes_no_reason_to_archive_that_it_does_not_know() -> None:
    with pytest.raises(ValidationError, match="reason"):
        ArchiveRequest.model_validate({"reason": "later_reason"})


# -- dispatch -------------------------------------------------------------------------------------------------------


def test_dispatch_hands_a_report_to_the_agency_as_it_came() -> None:
    delivery = DispatchCase()
    delivery.append(dispatch.forwarded(report=dispatch.a_report(**LATER)), Service.TRIAGE)
    delivery.read_next()
    [assigned] = [message.body for message in delivery.agencies]
    assert isinstance(assigned, CaseAssigned)
    assert {name: getattr(assigned.report, name) for name in LATER} == LATER


def test_dispatch_sets_a_case_aside_that_came_in_a_way_that_it_does_not_know() -> None:
    with pytest.raises(ForwardingFault, match="T99"):
        arrive(None, again(dispatch.forwarded(), transition="T99"))


def test_a_clock_that_dispatch_does_not_know_closes_no_case() -> None:
    case = answered()
    assert react(case, again(window(case), clock="C99")) is None


def test_a_case_that_another_release_closed_is_not_resumed_by_a_reply_that_was_in_time() -> None:
    case = answered()
    closed = react(case, window(case))
    assert isinstance(closed, cases.CaseClosed)
    after = evolve(case, again(closed, reason="later_reason", transition="T99"))
    assert (after.state, after.closed_reason) == (CaseState.CLOSED, "later_reason")
    refused = react(after, reply(after))
    assert isinstance(refused, cases.InputRefused)
    assert (refused.code, after.closed_at) == (RefusalCode.WINDOW_OVER, DUE)


def an_entry(**changes: Any) -> AgencyRegistered:
    """An entry of the register as a later release published it."""
    units = tuple(UnitRecord(code=u.code, name=u.name, kind=u.kind, sectors=u.sectors, parent=u.parent) for u in KEMENKES.units)
    strange = UnitRecord(code="later-unit", name="Later", kind="later_kind", sectors=())
    entry: AgencyRegistered = again(notifier.registered(), kind="later_kind", sectors=KEMENKES.sectors, units=(*units, strange), **changes)
    return entry


def test_dispatch_keeps_and_shows_an_agency_of_a_kind_that_it_does_not_know() -> None:
    stored = read_back(None, an_entry())
    assert stored is not None
    shown = AgencyDetail.of_stored(stored, [])
    assert (shown.kind, shown.units[-1].kind) == ("later_kind", "later_kind")
    assert stored.fields["kind"] == "later_kind"
    assert stored.agency.service_desk in stored.agency.units


def test_an_operator_may_disable_an_agency_of_another_kind_and_change_nothing_else_of_it() -> None:
    stored = read_back(None, an_entry())
    assert stored is not None
    known = {agency.code: StoredAgency(agency, enabled=True) for agency in load_register()} | {"kemenkes": stored}
    [change] = decide([Wanted(cells_of(stored.agency), None, enabled=False, version=stored.version)], known)
    assert (change.outcome, change.after.agency.kind) == ("disabled", "later_kind")
    with pytest.raises(RegisterError, match="'later_kind' is unknown: use one of ministry"):
        decide([Wanted(cells_of(stored.agency) | {"name": "Desa"}, None, enabled=True, version=stored.version)], known)


def test_dispatch_takes_no_kind_over_http_that_it_does_not_know() -> None:
    given = cells_of(KEMENKES) | {"sectors": list(KEMENKES.sectors), "region_code": None, "supervised_by": None}
    assert AgencyEntry.model_validate(given).kind is AgencyKind.MINISTRY
    with pytest.raises(ValidationError, match="kind"):
        AgencyEntry.model_validate(given | {"kind": "later_kind"})


# -- sla-monitor ----------------------------------------------------------------------------------------------------


def test_a_transition_that_sla_monitor_does_not_know_starts_and_ends_no_clock() -> None:
    machine, history = ClockMachine(PLANNER), History()
    state, _ = machine.on_event(None, history.forwarded(wib("2026-03-09 10:00")), 0)
    state, _ = machine.on_event(state, history.accepted(wib("2026-03-10 10:00")), 0)
    assert state is not None
    after, steps = machine.on_event(state, again(history.followed_up(wib("2026-03-11 10:00")), transition="T99"), 0)
    assert after is not None
    assert (after.running, after.deadline_versions, steps) == (state.running, state.deadline_versions, ())
    assert after.version == state.version + 1


def test_a_reason_that_sla_monitor_does_not_know_ends_the_clocks_of_a_case_that_is_over() -> None:
    machine, history = ClockMachine(PLANNER), History()
    state, _ = machine.on_event(None, history.received(wib("2026-03-09 10:00")), 0)
    assert state is not None
    assert state.running
    after, _ = machine.on_event(state, again(history.archived(wib("2026-03-10 10:00")), reason="later_reason", transition="T99"), 0)
    assert after is not None
    assert after.running == ()


# -- notifier -------------------------------------------------------------------------------------------------------


def deliveries(event: Contract) -> list[Delivery]:
    """What is queued for a deadline."""
    return [row for row in on_deadline(None, notifier.incoming(event)).rows if isinstance(row, Delivery)]


def test_notifier_queues_for_a_role_that_it_does_not_know_beside_the_others() -> None:
    event = again(notifier.missed(Clock.C4, Role.HEAD), recipients=("later_role", Role.HEAD))
    assert [(d.recipient, d.kind) for d in deliveries(event)] == [
        ("later_role", NoticeKind.DEADLINE_MISSED),
        (Role.HEAD, NoticeKind.DEADLINE_MISSED),
    ]


@pytest.mark.parametrize("change", [{"clock": "C99"}, {"level": "later_level"}], ids=["clock", "level"])
def test_a_deadline_that_notifier_has_no_words_for_is_set_aside(change: dict[str, str]) -> None:
    [delivery] = deliveries(again(notifier.warning(Clock.C4, WarningLevel.RED, Role.HEAD), **change))
    with pytest.raises(UnrenderableLetter):
        MailTemplates().write(notifier.a_claimed(delivery), name=None, page="https://lapor.example/x")


def test_a_reason_to_archive_that_notifier_has_no_words_for_is_set_aside() -> None:
    outcome = on_case_event(None, notifier.incoming(again(notifier.archived(), reason="later_reason")))
    [delivery] = outcome.rows
    assert isinstance(delivery, Delivery)
    with pytest.raises(UnrenderableLetter):
        MailTemplates().write(notifier.a_claimed(delivery), name=None, page="https://lapor.example/x")


def test_a_refusal_to_an_actor_that_notifier_does_not_know_goes_to_no_reporter() -> None:
    refused = notifier.refused()
    assert refused.actor is not None
    assert notice_of(again(refused, actor=refused.actor.model_copy(update={"role": "later_role"}))) is None


def test_notifier_remembers_what_another_release_told_a_role_that_it_does_not_know() -> None:
    event = again(notifier.a_notice_sent(notifier.a_delivery()), recipient="later_role", kind="later_notice")
    [row] = on_own_notice(None, notifier.incoming(event)).rows
    assert row == event


def test_notifier_keeps_the_contact_of_an_agency_of_another_kind() -> None:
    contact = on_agency(None, notifier.incoming(an_entry())).state
    assert contact is not None
    assert contact.code == "kemenkes"
