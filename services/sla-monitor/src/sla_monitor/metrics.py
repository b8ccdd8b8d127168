"""The SLA monitor's metrics."""

from tuntas_chassis.telemetry.metrics import Metric

ARMED = "tuntas_sla_clocks_started_total"
ENDED = "tuntas_sla_clocks_ended_total"
WARNINGS = "tuntas_sla_warnings_total"
MISSED = "tuntas_sla_deadlines_missed_total"
ELAPSED = "tuntas_sla_windows_elapsed_total"
LAG = "tuntas_sla_watermark_lag_seconds"
UNMARKED = "tuntas_sla_unmarked_partitions"
HELD = "tuntas_sla_due_held_checkpoints"
UNFIRED = "tuntas_sla_oldest_unfired_seconds"
DELAY = "tuntas_sla_firing_delay_seconds"
COMPLETIONS = "tuntas_sla_completion_cases"
FOLLOW_UP = "tuntas_sla_mean_follow_up_working_days"
UPCOMING = "tuntas_sla_upcoming_checkpoints"

METRICS: tuple[Metric, ...] = (
    Metric(
        COMPLETIONS,
        "gauge",
        "Completions (C4) begun in the last 90 days, by how they stand (on_time, late, running)",
        ("agency", "service_class", "standing"),
        "cases",
        "national administrators",
    ),
    Metric(
        FOLLOW_UP,
        "gauge",
        "Mean time from acceptance to the first answer of completions begun in the last 90 days",
        ("agency",),
        "working days",
        "national administrators",
    ),
    Metric(
        UPCOMING,
        "gauge",
        "Warnings and deadlines that fall due within a day unless the case moves on",
        ("clock", "level"),
        "checkpoints",
        "national administrators",
    ),
    Metric(ARMED, "counter", "Clocks started", ("clock",), "clocks", "national administrators"),
    Metric(ENDED, "counter", "Clocks ended, by how (met, met_late, stopped, missed, elapsed)", ("clock", "outcome"), "clocks"),
    Metric(WARNINGS, "counter", "Warnings published", ("clock", "level"), "warnings", "national administrators"),
    Metric(MISSED, "counter", "Deadlines that ran out unmet", ("clock",), "clocks", "national administrators"),
    Metric(ELAPSED, "counter", "Windows that ran out (C6) and were passed to the case's owner", ("clock",), "windows"),
    Metric(
        LAG,
        "gauge",
        "How far a source's lowest watermark is behind the clock; deadlines come that much later",
        ("source",),
        "seconds",
    ),
    Metric(UNMARKED, "gauge", "Partitions on which a source has no watermark yet, so that nothing fires there", ("source",), "partitions"),
    Metric(
        HELD,
        "gauge",
        "Due checkpoints that wait, by reason: for a watermark, for a late agency, behind a dead letter (counted to 1,000 a partition)",
        ("reason",),
        "checkpoints",
    ),
    Metric(UNFIRED, "gauge", "Age of the oldest due checkpoint that nothing holds back and that has not fired", (), "seconds"),
    Metric(
        DELAY,
        "histogram",
        "Time from the moment at which a checkpoint was due (and its report entered) to its publication, by what it was",
        ("notice",),
        "seconds",
        buckets=(0.5, 1, 2, 5, 15, 30, 60, 300, 900, 3_600, 86_400),
    ),
)
