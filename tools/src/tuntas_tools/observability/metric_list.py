"""The one list of metrics: everything that is declared, what else rules and dashboards may read, and docs/metrics.md."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Final

from dispatch.metrics import METRICS as DISPATCH
from intake.metrics import METRICS as INTAKE
from notifier.metrics import METRICS as NOTIFIER
from sla_monitor.metrics import METRICS as SLA_MONITOR
from triage.metrics import METRICS as TRIAGE
from tuntas_chassis.telemetry.metrics import CHASSIS_METRICS, Metric
from tuntas_operations.reconcile_metrics import RECONCILE_METRICS
from tuntas_tools.observability.readers import Reader, read_by, readers

DECLARED: Final[dict[str, tuple[Metric, ...]]] = {
    "every service": CHASSIS_METRICS,
    "intake": INTAKE,
    "triage": TRIAGE,
    "dispatch": DISPATCH,
    "sla-monitor": SLA_MONITOR,
    "notifier": NOTIFIER,
    "reconcile": RECONCILE_METRICS,
}
TARGET_LABELS: Final = frozenset({"job", "instance", "service", "namespace", "pod", "container", "endpoint"})
"""Labels that the scraping adds to every series of ours."""

EXTERNAL: Final[dict[str, str]] = {
    "up": "Prometheus: whether a target could be scraped",
    "ALERTS": "Prometheus: which alerts are pending or firing",
    "kubelet_volume_stats_available_bytes": "kubelet: what is left of a volume",
    "kubelet_volume_stats_capacity_bytes": "kubelet: the size of a volume",
    "kube_job_status_failed": "kube-state-metrics: pods of a Job that failed",
    "certmanager_certificate_expiration_timestamp_seconds": "cert-manager: when a certificate ends",
}
"""What rules and dashboards read that is not ours, and who exposes it."""

LABELS: Final[dict[str, str]] = {
    "agency": "codes of the register: some 700, of which each service shows those that have cases",
    "application": "names under which programs open a database: ours are few, others are an operator's tools",
    "arbitrated": "true, false",
    "broker": "the cluster's brokers by number",
    "arbitration": "true, false",
    "audience": "reporters, officers",
    "authority": "kafka, database",
    "by": "service, officer",
    "cause": "contacts, relay",
    "channel": "the ten channels of the contract's vocabulary",
    "classification": "complaint, information request, aspiration",
    "clock": "the clocks of the contract's vocabulary",
    "code": "codes of refusals, each a literal in the code",
    "command": "types of agencies' commands in the topology",
    "consumer": "a service's subscriptions, named in its code",
    "kind": "kinds of identifiers, inputs, notices, queues, differences: each an enumeration in the code",
    "level": "levels of warnings in the vocabulary",
    "loop": "background loops, named in the service's wiring",
    "method": "methods of HTTP; those that no route has share one",
    "notice": "warning, missed, elapsed",
    "outcome": "outcomes of one decision, each a literal in the code",
    "reason": "reasons of the profile, its fast-track rules, or literals in the code",
    "route": "templates of the paths that a service has; everything else is `unmatched`",
    "service_class": "information, normative, ordinary, supervisory",
    "source": "http, topic",
    "standing": "on_time, late, running",
    "state": "the eight states of a case",
    "status": "status codes of HTTP that we answer with",
    "step": "the five steps from acceptance to agency",
    "topic": "topics of the topology; all topics of agencies share two names",
    "transition": "transitions T1 to T26 of the domain",
    "type": "message types of the topology; any other is `other`",
}
"""Every label name that a metric of ours may have, and why its values are few. No case, person, text or agency."""

PAGE: Final = "docs/metrics.md"
_HEAD = """# Metrics

Made by `{command}` from the lists in the code (`metrics.py` of the chassis and of each service), and from the rules,
dashboards and runbooks that read them. A test says that nothing is read that is not declared, and nothing declared that nobody reads.

Every series of a service also has the labels `service` and `instance`; `job` ends in `tuntas`. A histogram has the endings
`_bucket`, `_sum` and `_count`.

**How this page is kept**: declare the metric, use it, read it in a rule or a dashboard, run the command above.
"""


def base_name(series: str, names: frozenset[str]) -> str:
    """The declared name behind a series, which of a histogram has an ending."""
    for ending in ("_bucket", "_sum", "_count"):
        if series.removesuffix(ending) in names and series not in names:
            return series.removesuffix(ending)
    return series


def declared_names() -> frozenset[str]:
    """Every declared name."""
    return frozenset(metric.name for metrics in DECLARED.values() for metric in metrics)


def who_looks(everyone: list[Reader]) -> dict[str, set[tuple[str, str]]]:
    """(kind, name) of the alerts, dashboards and runbooks that read each declared metric."""
    names = declared_names()
    found: dict[str, set[tuple[str, str]]] = {}
    for series, who in read_by(everyone).items():
        found.setdefault(base_name(series, names), set()).update(who)
    return found


def page(root: Path, command: str) -> str:
    """docs/metrics.md of a checkout."""
    return "\n".join(_lines(root, command)) + "\n"


def _lines(root: Path, command: str) -> Iterator[str]:
    yield _HEAD.format(command=command)
    looked_at = who_looks(readers(root))
    for place, metrics in DECLARED.items():
        yield f"## {place[0].upper()}{place[1:]}\n"
        yield "| name | kind | labels | unit | meaning | who looks at it |"
        yield "|---|---|---|---|---|---|"
        for metric in metrics:
            labels = ", ".join(metric.labels) or "–"
            unit = metric.unit or "–"
            yield f"| {metric.name} | {metric.kind} | {labels} | {unit} | {metric.help} | {_shown(metric, looked_at)} |"
        yield ""
    yield "## Labels\n\n| label | why its values are few |\n|---|---|"
    yield from (f"| {label} | {why} |" for label, why in sorted(LABELS.items()))
    yield "\n## Read, and not ours\n\n| series | whose |\n|---|---|"
    yield from (f"| {series} | {whose} |" for series, whose in sorted(EXTERNAL.items()))


def _shown(metric: Metric, looked_at: dict[str, set[tuple[str, str]]]) -> str:
    found = sorted(looked_at.get(metric.name, ()))
    parts = []
    for kind, group in groupby(found, key=lambda who: who[0]):
        names = [name for _, name in group]
        linked = kind in ("alert", "runbook")
        parts.append(f"{kind} " + ", ".join(f"[{name}](runbooks/{name}.md)" if linked else name for name in names))
    return f"{metric.audience}: " + "; ".join(parts)
