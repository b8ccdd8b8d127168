"""Triage's metrics, and how they follow from what was decided."""

from triage.domain.case import Case
from tuntas_chassis.messaging.messages import Incoming, Outcome
from tuntas_chassis.telemetry.metrics import Metric, MetricSet
from tuntas_contracts.base import InputEvent
from tuntas_contracts.cases import CaseArchived, CaseForwarded, CaseReceived, CaseReturned, FastTrack, InputRefused
from tuntas_contracts.vocabulary import DecisionOutcome, Transition

DECISIONS = "tuntas_triage_decisions_total"
FORWARDS = "tuntas_triage_forwards_total"
ARCHIVES = "tuntas_triage_archives_total"
RETURNS = "tuntas_triage_returns_total"
INPUTS = "tuntas_triage_inputs_total"
QUEUE = "tuntas_triage_queue_cases"
OLDEST = "tuntas_triage_queue_oldest_seconds"
AGENCIES = "tuntas_triage_register_agencies"

METRICS: tuple[Metric, ...] = (
    Metric(
        DECISIONS,
        "counter",
        "First decisions on new reports, with why it waits or its fast track",
        ("transition", "reason"),
        "cases",
    ),
    Metric(FORWARDS, "counter", "Cases verified and routed by an officer (T3)", ("arbitrated",), "cases"),
    Metric(ARCHIVES, "counter", "Cases archived by an officer (T13)", ("reason",), "cases"),
    Metric(RETURNS, "counter", "Cases that came back from an agency (T10)", ("arbitration",), "cases"),
    Metric(
        INPUTS,
        "counter",
        "Inputs of reporters and of time, by what became of them",
        ("type", "outcome"),
        "events",
    ),
    Metric(QUEUE, "gauge", "Cases that wait in the national queue", ("kind",), "cases", "national administrators"),
    Metric(OLDEST, "gauge", "How long the oldest case has waited in the national queue", (), "seconds", "national administrators"),
    Metric(AGENCIES, "gauge", "Agencies in this process's copy of the register", (), "agencies"),
)


def count_outcome(metrics: MetricSet, outcome: Outcome[Case], incoming: Incoming | None = None) -> None:
    """Count what an outcome decided; `incoming` is the record that led to it. A batch that is tried again is counted again."""
    cause = incoming.body if incoming is not None else None
    if isinstance(cause, InputEvent):
        metrics.inc(INPUTS, type(cause).__name__, _outcome_of_input(outcome))
        return
    if isinstance(cause, CaseReturned) and outcome.state is not None:
        metrics.inc(RETURNS, _flag(cause.arbitration))
    for message in outcome.outgoing:
        match message.body:
            case CaseReceived() as received:
                metrics.inc(DECISIONS, Transition.T1.value, str(received.reason))
            case CaseForwarded(transition=Transition.T3) as verified:
                metrics.inc(FORWARDS, _flag(verified.arbitrated))
            case CaseForwarded(fast_track=FastTrack() as track):
                metrics.inc(DECISIONS, Transition.T21.value, track.rule)
            case CaseForwarded():
                metrics.inc(DECISIONS, Transition.T2.value, "agency_addressed")
            case CaseArchived() as archived:
                metrics.inc(ARCHIVES, str(archived.reason))


def _outcome_of_input(outcome: Outcome[Case]) -> DecisionOutcome:
    if outcome.hold:
        return DecisionOutcome.HELD
    if outcome.outgoing:
        if outcome.state is None:
            return DecisionOutcome.REPUBLISHED
        refused = any(isinstance(message.body, InputRefused) for message in outcome.outgoing)
        return DecisionOutcome.REJECTED if refused else DecisionOutcome.ACCEPTED
    return DecisionOutcome.IGNORED


def _flag(value: bool) -> str:
    return "true" if value else "false"
