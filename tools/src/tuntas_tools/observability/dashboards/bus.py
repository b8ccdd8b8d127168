"""Bus and outbox over all services: is anything late, stuck, parked or refused?"""

from tuntas_tools.observability.dashboards.model import Dashboard, Panel, Query, Row
from tuntas_tools.observability.dashboards.queries import increase, measured, or_zero, quantile, rate, waits, wanted

_EXPIRY = "tuntas_trusted_certificate_expiry_timestamp_seconds"

_WAITING = Row(
    "What waits",
    [
        Panel(
            title="Age of outboxes",
            description="Age of the oldest message that a service has written and not published. Over a minute: broker or relay is away.",
            queries=[Query(measured("tuntas_outbox_age_seconds", ("service",)), "{{service}}")],
            unit="s",
            thresholds=waits(10, 60),
        ),
        Panel(
            title="Messages in outboxes",
            description="Messages written and not yet published, by service.",
            queries=[Query(measured("tuntas_outbox_messages", ("service",)), "{{service}}")],
            stacked=True,
        ),
        Panel(
            title="Lag as age",
            description="Age of the oldest record that a consumer has not processed.",
            queries=[Query("max by (consumer) (tuntas_consumer_lag_seconds)", "{{consumer}}")],
            unit="s",
            thresholds=waits(10, 60),
        ),
        Panel(
            title="Lag in records",
            description="Records not yet processed, over the partitions of all replicas; autoscaling goes by this.",
            queries=[Query("sum by (consumer) (tuntas_consumer_lag_messages)", "{{consumer}}")],
        ),
        Panel(
            title="Parked messages",
            description="Messages that wait for an operator, with those behind them: `tuntas ops parked list`.",
            queries=[Query(or_zero(measured("tuntas_parked_messages", ("consumer",))), "{{consumer}}")],
            thresholds=waits(1, 100),
        ),
        Panel(
            title="Rows set aside",
            description="Due warnings and mails that this release can't handle: `GET /v1/set-aside` of the service shows them.",
            queries=[
                Query(or_zero(measured("tuntas_set_aside_rows", ("kind",))), "{{kind}} now"),
                Query(or_zero(increase("tuntas_rows_set_aside_total", ("kind",))), "{{kind}} in the time shown"),
            ],
            thresholds=waits(1, 100),
        ),
        Panel(
            title="Oldest parked message",
            description="How long the oldest message has waited for an operator, by consumer; its case stands still as long.",
            queries=[Query(or_zero(measured("tuntas_parked_oldest_seconds", ("consumer",))), "{{consumer}}")],
            unit="s",
            thresholds=waits(3_600, 86_400),
        ),
    ],
)

_FLOW = Row(
    "What flows",
    [
        Panel(
            title="Published by topic",
            description="Messages a second over all services. The agencies' topics are counted as one.",
            queries=[Query(rate("tuntas_outbox_published_total", ("topic",)), "{{topic}}")],
            unit="ops",
        ),
        Panel(
            title="Processed by consumer",
            description="Records applied, a second.",
            queries=[Query(rate("tuntas_consumer_events_total", ("consumer",), 'outcome="applied"'), "{{consumer}}")],
            unit="ops",
        ),
        Panel(
            title="Not applied",
            description="Records a second that were repeats, refused, parked or waiting. Repeats are normal after a restart.",
            queries=[
                Query(
                    or_zero(rate("tuntas_consumer_events_total", ("outcome",), 'outcome!~"applied|skipped"')),
                    "{{outcome}}",
                )
            ],
            unit="ops",
        ),
        Panel(
            title="Delivered to agencies within",
            description="95th percentile of the time from what caused a message for an agency to its receipt by the broker, by type.",
            queries=[Query(or_zero(quantile(0.95, "tuntas_agency_delivery_seconds", ("type",))), "{{type}}")],
            unit="s",
            thresholds=waits(5, 10),
        ),
        Panel(
            title="Age of records when processed",
            description="95th percentile of the time from append to commit, by consumer; the dots are traces.",
            queries=[Query(or_zero(quantile(0.95, "tuntas_consumer_event_age_seconds", ("consumer",))), "{{consumer}}", exemplars=True)],
            unit="s",
            thresholds=waits(5, 30),
        ),
        Panel(
            title="Time of a batch",
            description="95th percentile from fetch to commit, by consumer.",
            queries=[Query(or_zero(quantile(0.95, "tuntas_consumer_batch_seconds", ("consumer",))), "{{consumer}}")],
            unit="s",
            thresholds=waits(1, 5),
        ),
    ],
)

_FAULTS = Row(
    "What goes wrong",
    [
        Panel(
            title="Retries",
            description="Batches tried again after a transient fault of database or broker, a second.",
            queries=[Query(rate("tuntas_consumer_retries_total", ("consumer",)), "{{consumer}}")],
            thresholds=waits(0.1, 1),
            width=6,
        ),
        Panel(
            title="Halted partitions",
            description="Partitions paused because too much was parked too fast: find the cause, then resume.",
            queries=[Query("sum by (consumer) (tuntas_consumer_halted_partitions)", "{{consumer}}")],
            thresholds=waits(1, 1),
            width=6,
        ),
        Panel(
            title="Topics that refuse us",
            description="Topics that refuse a relay as a whole or in a partition: no right, missing, no leader, too few replicas.",
            queries=[Query(or_zero("sum by (service) (tuntas_outbox_blocked_topics)"), "{{service}}")],
            thresholds=waits(1, 1),
            width=6,
        ),
        Panel(
            title="Shards with a relay",
            description="Outbox shards that some process relays, by service; fewer than partitions of the cases topic: one is missing.",
            queries=[Query("sum by (service) (tuntas_outbox_shards_owned)", "{{service}}")],
            width=6,
        ),
        Panel(
            title="Messages set aside",
            description="Messages that wait because their topic or partition refuses them; all others pass them by.",
            queries=[Query("max by (service) (tuntas_outbox_set_aside_messages)", "{{service}}")],
            thresholds=waits(1, 10_000),
            width=8,
        ),
        Panel(
            title="Relays that share an outbox",
            description="Processes that share the shards of an outbox, as each sees it; they agree within seconds.",
            queries=[Query("max by (service) (tuntas_outbox_relay_members)", "{{service}}")],
            width=8,
        ),
        Panel(
            title="Producers renewed",
            description="Producers given up after a failed send, a second; a few an hour are a broker that was restarted.",
            queries=[Query(rate("tuntas_outbox_producer_renewals_total", ("service",)), "{{service}}")],
            width=8,
        ),
        Panel(
            title="Trust runs out in",
            description="Time until the certificate runs out by which broker (kafka) or database is recognised; endless without TLS.",
            queries=[Query(f"min by (authority) ({_EXPIRY} - time()) or on() vector(Inf)", "{{authority}}")],
            kind="stat",
            unit="s",
            at_least=None,
            thresholds=wanted(7 * 86_400, 30 * 86_400),
            width=24,
            height=4,
        ),
    ],
)

BUS = Dashboard(
    file="bus",
    title="Tuntas: bus and outbox",
    description="Everything between a committed decision and the moment at which the next service, or the agency, has it.",
    rows=[_WAITING, _FLOW, _FAULTS],
)
