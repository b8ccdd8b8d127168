"""What is counted of a decision."""

from tests.unit.triage.builders import LATER, OFFICER, a_report, handed_over, handlers, incoming, replied, returned, submitted, waiting
from triage.domain.verification import Archive, Verify
from triage.metrics import ARCHIVES, DECISIONS, FORWARDS, INPUTS, METRICS, RETURNS, count_outcome
from tuntas_chassis.telemetry.metrics import MetricSet
from tuntas_contracts.vocabulary import ArchiveReason


def test_each_decision_is_counted_by_its_reason() -> None:
    made, metrics = handlers(), MetricSet(METRICS)
    records = [
        incoming(submitted()),
        incoming(submitted(addressed_agency="kota-bandung")),
        incoming(submitted(category="health", title="Wabah difteri")),
    ]
    for record in records:
        count_outcome(metrics, made.apply(None, record), record)

    assert metrics.value(DECISIONS, "T1", "no_agency_addressed") == 1
    assert metrics.value(DECISIONS, "T2", "agency_addressed") == 1
    assert metrics.value(DECISIONS, "T21", "epidemic") == 1


def test_what_officers_do_is_counted() -> None:
    made, metrics = handlers(), MetricSet(METRICS)
    count_outcome(metrics, made.forward(waiting(made), a_report(), Verify("kota-bandung"), OFFICER, LATER))
    count_outcome(metrics, made.archive(waiting(made), Archive(ArchiveReason.SPAM), OFFICER, LATER))

    assert metrics.value(FORWARDS, "false") == 1
    assert metrics.value(ARCHIVES, "spam") == 1


def test_inputs_and_returns_are_counted_by_their_outcome() -> None:
    made, metrics = handlers(), MetricSet(METRICS)
    handed, forwarded = handed_over(made)
    away = made.apply(handed, incoming(forwarded)).state

    record = incoming(returned(3, 2))
    outcome = made.apply(away, record)
    count_outcome(metrics, outcome, record)
    for case in (handed, away, outcome.state):
        reply = incoming(replied())
        count_outcome(metrics, made.apply(case, reply), reply)

    assert metrics.value(RETURNS, "true") == 1
    assert [metrics.value(INPUTS, "ReporterReplied", outcome) for outcome in ("republished", "ignored", "rejected")] == [1, 1, 1]
