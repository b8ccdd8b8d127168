"""The queries of dashboards as a test runs them: with variables put in, and without the zero that means no data."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tuntas_chassis.telemetry.metrics import CHASSIS_METRICS, Metric
from tuntas_embedded.prometheus.programs import REPOSITORY
from tuntas_tools.observability.dashboards.loader import read_dashboards
from tuntas_tools.observability.dashboards.model import Dashboard, Panel, Query

DASHBOARDS = read_dashboards(REPOSITORY)
_FALLBACK = re.compile(r" or on\(\) vector\((?:0|1|Inf)\)")
_METRIC = re.compile(r"\b(?:tuntas|slo)(?:_[a-z_]+|:[a-z0-9_:]+)\b")
_VARIABLE = re.compile(r"\$\{?\w+")


@dataclass(frozen=True, slots=True)
class Asked:
    """One query of one panel."""

    dashboard: Dashboard
    panel: Panel
    query: Query

    def __str__(self) -> str:
        """As the reader of a failure finds it."""
        return f"{self.dashboard.file}: {self.panel.title}: {self.query.legend or 'the one query'}"

    @property
    def metrics(self) -> set[str]:
        """The series that it names: metrics, and what our rules record."""
        return set(_METRIC.findall(self.query.expr))

    def with_values(self, **values: str) -> str:
        """The expression with every variable's value in its place."""
        expression = self.query.expr
        for name, value in sorted(values.items(), key=lambda item: -len(item[0])):
            expression = expression.replace(f"${name}", value)
        assert not _VARIABLE.search(expression), f"{self} has a variable that the dashboard does not: {expression}"
        return expression


def without_fallback(expression: str) -> str:
    """The expression with nothing in the place of what it shows when there is nothing."""
    return _FALLBACK.sub("", expression)


def all_asked() -> Iterator[Asked]:
    """Every query of every panel of every dashboard."""
    for dashboard in DASHBOARDS:
        for panel in dashboard.panels:
            for query in panel.queries:
                yield Asked(dashboard, panel, query)


def series_of(metric: Metric) -> set[str]:
    """The names under which a metric is scraped."""
    if metric.kind == "histogram":
        return {f"{metric.name}_bucket", f"{metric.name}_sum", f"{metric.name}_count"}
    return {metric.name}


def chassis_series() -> set[str]:
    """Everything that every service shows."""
    return {series for metric in CHASSIS_METRICS for series in series_of(metric)}
