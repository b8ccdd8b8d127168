"""Rows that every service's dashboard has, because the chassis does this in every service: HTTP, reading, writing."""

from tuntas_contracts.topology import WATERMARKS
from tuntas_tools.observability.dashboards.model import Panel, Query, Row
from tuntas_tools.observability.dashboards.queries import increase, measured, or_zero, quantile, quantiles, rate, waits


def health(service: str) -> Row:
    """Whether the processes serve."""
    own = f'service="{service}"'
    return Row(
        "Health",
        [
            Panel(
                title="Ready processes",
                description="Replicas that say they can serve; fewer than the Deployment asks for means /readyz of one says why not.",
                queries=[Query(or_zero(f"sum (tuntas_service_ready{{{own}}})"))],
                kind="stat",
                width=4,
                height=5,
            ),
            Panel(
                title="Messages parked",
                description="Messages that wait for an operator: look at them with `tuntas ops parked list`, then replay or discard.",
                queries=[Query(or_zero(measured("tuntas_parked_messages", (), own, inner=("consumer",))))],
                kind="stat",
                thresholds=waits(1, 100),
                width=4,
                height=5,
            ),
            Panel(
                title="Oldest parked",
                description="How long the oldest parked message has waited; later messages of its case wait behind it.",
                queries=[Query(or_zero(measured("tuntas_parked_oldest_seconds", (), own)))],
                kind="stat",
                unit="s",
                thresholds=waits(3_600, 86_400),
                width=4,
                height=5,
            ),
            Panel(
                title="Schema mismatch",
                description="1 while a process finds a database schema that it does not serve: run the migration or roll the image back.",
                queries=[Query(or_zero(measured("tuntas_migration_mismatch", (), own)))],
                kind="stat",
                thresholds=waits(1, 1),
                width=4,
                height=5,
            ),
            Panel(
                title="Clock skew",
                description="How far the clocks of database and brokers are from ours; above a second business times are in doubt.",
                queries=[
                    Query(or_zero(f"max (abs(tuntas_clock_skew_seconds{{{own}}}))"), "database"),
                    *_brokers_clocks(service, own),
                ],
                kind="stat",
                unit="s",
                thresholds=waits(0.5, 1),
                width=4,
                height=5,
            ),
            Panel(
                title="Loops in trouble",
                description="Background loops that wait for database or broker now, and restarts after an error of ours; the log says why.",
                queries=[
                    Query(or_zero(f"sum (tuntas_background_waiting{{{own}}})"), "waiting"),
                    Query(or_zero(increase("tuntas_background_restarts_total", (), own)), "restarted"),
                ],
                kind="stat",
                thresholds=waits(1, 10),
                decimals=0,
                width=4,
                height=5,
            ),
        ],
    )


def _brokers_clocks(service: str, own: str) -> list[Query]:
    """A broker's clock shows in the append times of the watermarks that a service publishes."""
    if not any(publication.producer == service for publication in WATERMARKS.publications):
        return []
    return [Query(or_zero(f"max (abs(tuntas_broker_clock_skew_seconds{{{own}}}))"), "brokers")]


def http(service: str) -> Row:
    """What is asked of it over HTTP."""
    own = f'service="{service}"'
    seconds = "tuntas_http_request_seconds"
    return Row(
        "HTTP",
        [
            Panel(
                title="Requests by route",
                description="Requests a second, by route, over all replicas. Health checks and scrapes are not counted.",
                queries=[Query(or_zero(rate("tuntas_http_requests_total", ("method", "route"), own)), "{{method}} {{route}}")],
                unit="reqps",
            ),
            Panel(
                title="Answers by status",
                description="Answers a second by status. 4xx is the asker's fault; 5xx is ours, and each leaves a trace.",
                queries=[Query(or_zero(rate("tuntas_http_requests_total", ("status",), own)), "{{status}}")],
                unit="reqps",
                stacked=True,
            ),
            Panel(
                title="Connections closed on their peer",
                description="Closed because their peer sent or read too slowly, or to make room for others, by reason, a second.",
                queries=[Query(or_zero(rate("tuntas_http_connections_closed_total", ("reason",), own)), "{{reason}}")],
                unit="ops",
            ),
            Panel(
                title="Time to answer",
                description="Median, 95th and 99th percentile over all routes; the dots are traces.",
                queries=[Query(or_zero(query.expr), query.legend, exemplars=True) for query in quantiles(seconds, own)],
                unit="s",
                thresholds=waits(0.5, 2),
            ),
        ],
    )


def reading(service: str) -> Row:
    """What it reads from Kafka."""
    own = f'service="{service}"'
    return Row(
        "Reading from Kafka",
        [
            Panel(
                title="Lag",
                description="Age of the oldest record not yet processed, by consumer: how far behind the world this service is.",
                queries=[Query(f"max by (consumer) (tuntas_consumer_lag_seconds{{{own}}})", "{{consumer}}")],
                unit="s",
                thresholds=waits(10, 60),
            ),
            Panel(
                title="Records by outcome",
                description="Records a second, by what became of them: applied, skipped, known (a repeat), refused, parked, waiting.",
                queries=[Query(or_zero(rate("tuntas_consumer_events_total", ("outcome",), own)), "{{outcome}}")],
                unit="ops",
                stacked=True,
            ),
            Panel(
                title="Age when processed",
                description="Time from append to commit, 95th percentile by consumer: what a case waits here.",
                queries=[
                    Query(or_zero(quantile(0.95, "tuntas_consumer_event_age_seconds", ("consumer",), own)), "{{consumer}}", exemplars=True)
                ],
                unit="s",
                thresholds=waits(5, 30),
            ),
            Panel(
                title="Time of a batch",
                description="From fetch to commit, 95th percentile by consumer; it grows with the database's trouble.",
                queries=[Query(or_zero(quantile(0.95, "tuntas_consumer_batch_seconds", ("consumer",), own)), "{{consumer}}")],
                unit="s",
                thresholds=waits(1, 5),
            ),
            Panel(
                title="Records in a batch",
                description="Mean size of a transaction. Large under load is good: it is the whole of the speed.",
                queries=[
                    Query(
                        or_zero(
                            f"{rate('tuntas_consumer_batch_size_sum', ('consumer',), own)} / "
                            f"({rate('tuntas_consumer_batch_size_count', ('consumer',), own)} > 0)"
                        ),
                        "{{consumer}}",
                    )
                ],
            ),
            Panel(
                title="Retries and halts",
                description="Batches tried again after a transient fault, a second, and partitions paused because too much was parked.",
                queries=[
                    Query(or_zero(rate("tuntas_consumer_retries_total", (), own)), "retries a second"),
                    Query(or_zero(f"sum (tuntas_consumer_halted_partitions{{{own}}})"), "halted partitions"),
                ],
                thresholds=waits(1, 10),
            ),
            Panel(
                title="Records that can't be read",
                description="Batches an hour that can't be decoded, returns behind records not handled, and partitions the broker refuses.",
                queries=[
                    Query(or_zero(f"{rate('tuntas_consumer_unreadable_batches_total', (), own)} * 3600"), "unreadable an hour"),
                    Query(or_zero(f"{rate('tuntas_consumer_gaps_total', (), own)} * 3600"), "gaps an hour"),
                    Query(or_zero(f"sum (tuntas_consumer_refused_partitions{{{own}}})"), "refused partitions"),
                ],
                thresholds=waits(1, 10),
            ),
        ],
    )


def writing(service: str) -> Row:
    """What it publishes."""
    own = f'service="{service}"'
    return Row(
        "Publishing",
        [
            Panel(
                title="Outbox",
                description="Messages written and not yet published. It drains within seconds while the broker answers.",
                queries=[Query(or_zero(measured("tuntas_outbox_messages", (), own)), "messages")],
                thresholds=waits(5_000, 50_000),
                link="bus",
            ),
            Panel(
                title="Longest foreign transaction",
                description="Oldest transaction of a session that is not ours, by program: what a person or a tool left open.",
                queries=[Query(or_zero(measured("tuntas_foreign_transaction_seconds", ("application",), own)), "{{application}}")],
                unit="s",
                thresholds=waits(60, 300),
            ),
            Panel(
                title="Age of the outbox",
                description="Age of the oldest message not yet published: how late everybody else hears of it.",
                queries=[Query(or_zero(measured("tuntas_outbox_age_seconds", (), own)), "oldest")],
                unit="s",
                thresholds=waits(10, 60),
                link="bus",
            ),
            Panel(
                title="Published by topic",
                description="Messages a second. The agencies' topics are counted as one.",
                queries=[Query(or_zero(rate("tuntas_outbox_published_total", ("topic",), own)), "{{topic}}")],
                unit="ops",
            ),
        ],
    )
