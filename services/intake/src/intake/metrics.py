"""Intake's metrics."""

from tuntas_chassis.telemetry.metrics import Metric

ACCEPTED = "tuntas_intake_reports_total"
MASKED = "tuntas_intake_masked_identifiers_total"
REPLAYED = "tuntas_intake_idempotent_replays_total"
ACCESS_FAILURES = "tuntas_intake_access_failures_total"
INPUTS = "tuntas_intake_reporter_inputs_total"
READS = "tuntas_intake_personal_data_reads_total"
UNDECIDED = "tuntas_intake_oldest_undecided_report_seconds"
UNDECIDED_LATE = "tuntas_intake_late_undecided_reports"

METRICS: tuple[Metric, ...] = (
    Metric(ACCEPTED, "counter", "Reports accepted", ("classification", "channel"), "reports", "national administrators"),
    Metric(MASKED, "counter", "Identifiers masked in texts of reporters", ("kind",), "identifiers"),
    Metric(REPLAYED, "counter", "Submissions answered with the receipt of an earlier one", (), "requests"),
    Metric(ACCESS_FAILURES, "counter", "Tracking id and access code that do not go together", ("outcome",), "requests", "security"),
    Metric(INPUTS, "counter", "What reporters sent after submitting", ("kind",), "inputs"),
    Metric(READS, "counter", "Reads of one reporter's personal data, each in the access log", ("by",), "reads", "auditors"),
    Metric(UNDECIDED, "gauge", "Age of the oldest report that triage has neither forwarded nor queued, as read back here", (), "seconds"),
    Metric(UNDECIDED_LATE, "gauge", "Reports that triage has neither forwarded nor queued for more than two minutes", (), "reports"),
)
