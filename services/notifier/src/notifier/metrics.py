"""The notifier's metrics."""

from tuntas_chassis.telemetry.metrics import Metric

QUEUED = "tuntas_notices_queued_total"
SENT = "tuntas_notices_sent_total"
FAILED = "tuntas_notices_failed_total"
NO_CHANNEL = "tuntas_notices_no_channel_total"
DEFERRED = "tuntas_notices_deferred_total"
REPEATS = "tuntas_notices_possible_repeats_total"
TOO_OLD = "tuntas_notices_too_old_total"
LOST = "tuntas_notices_lost_leases_total"
DELAY = "tuntas_notice_delay_seconds"
LOOKUPS_FAILED = "tuntas_contact_lookups_failed_total"
PAUSED = "tuntas_notice_sending_paused"
QUEUE = "tuntas_notice_queue_deliveries"
QUEUE_AGE = "tuntas_notice_queue_age_seconds"

METRICS: tuple[Metric, ...] = (
    Metric(QUEUED, "counter", "Notices queued; a batch that is tried again is counted again", ("kind",), "notices"),
    Metric(SENT, "counter", "Notices that the relay took", ("kind",), "notices"),
    Metric(FAILED, "counter", "Notices given up", ("kind",), "notices"),
    Metric(NO_CHANNEL, "counter", "Notices whose reader has no e-mail address: no failure, nobody to write to", ("kind",), "notices"),
    Metric(DEFERRED, "counter", "Attempts that failed for now", ("kind",), "attempts"),
    Metric(REPEATS, "counter", "Notices sent although an earlier attempt may have arrived", ("kind",), "notices"),
    Metric(TOO_OLD, "counter", "Notices not queued because their event is too old for a notice", ("kind",), "notices"),
    Metric(LOST, "counter", "Notices sent after their lease had run out and somebody else had taken them", (), "notices"),
    Metric(
        DELAY,
        "histogram",
        "Time from queueing to the relay's receipt",
        ("audience",),
        "seconds",
        buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14400, 86400),
    ),
    Metric(LOOKUPS_FAILED, "counter", "Contact look-ups that intake did not answer", (), "requests"),
    Metric(PAUSED, "gauge", "1 while nothing is sent for want of contacts or of the relay", ("cause",), ""),
    Metric(QUEUE, "gauge", "Deliveries that wait, by who is to read them", ("audience",), "notices"),
    Metric(QUEUE_AGE, "gauge", "How long the most overdue delivery has been due", ("audience",), "seconds"),
)
