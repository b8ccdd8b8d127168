"""PromQL in the forms that dashboards share. `service` is the label by which every scrape names the service."""

from collections.abc import Sequence

from tuntas_tools.observability.dashboards.model import Query, Threshold

EVERY = "$__rate_interval"
PER_HOUR = 3600
RANGE = "$__range"


def or_zero(expr: str) -> str:
    """The expression, or 0 where it rightly finds nothing, so that quiet looks like quiet and not like a broken panel."""
    return f"({expr}) or on() vector(0)"


def or_all(expr: str) -> str:
    """A share, or 1 where there is nothing of which it could be one: nothing is late where nothing was due."""
    return f"({expr}) or on() vector(1)"


def rate(metric: str, by: Sequence[str] = (), where: str = "", *, over: str = EVERY) -> str:
    """Events per second, summed over replicas."""
    return f"{_sum(by)} (rate({_selected(metric, where)}[{over}]))"


def increase(metric: str, by: Sequence[str] = (), where: str = "", *, over: str = RANGE) -> str:
    """How many in the time shown, summed over replicas."""
    return f"{_sum(by)} (increase({_selected(metric, where)}[{over}]))"


def per_hour(metric: str, by: Sequence[str] = (), where: str = "") -> str:
    """Events per hour, which is how offices count."""
    return f"{rate(metric, by, where)} * {PER_HOUR}"


def measured(metric: str, by: Sequence[str] = (), where: str = "", *, inner: Sequence[str] = ()) -> str:
    """A gauge that every replica reads off the same database: one replica's value of each `inner` label, then their sum."""
    if not inner:
        return f"max{_by(by)} ({_selected(metric, where)})"
    return f"sum{_by(by)} (max{_by(inner)} ({_selected(metric, where)}))"


def quantile(share: float, metric: str, by: Sequence[str] = (), where: str = "") -> str:
    """A quantile of a histogram."""
    return f"histogram_quantile({share}, sum by ({', '.join(('le', *by))}) (rate({_selected(f'{metric}_bucket', where)}[{EVERY}])))"


def quantiles(metric: str, where: str = "") -> list[Query]:
    """Median, 95th and 99th percentile, with example traces."""
    return [Query(quantile(share, metric, (), where), f"p{round(share * 100)}", exemplars=True) for share in (0.5, 0.95, 0.99)]


def waits(yellow: float, red: float) -> tuple[Threshold, Threshold]:
    """Thresholds where more is worse."""
    return Threshold(yellow, "yellow"), Threshold(red, "red")


def wanted(red_below: float, yellow_below: float) -> tuple[Threshold, ...]:
    """Thresholds where less is worse."""
    return Threshold(float("-inf"), "red"), Threshold(red_below, "yellow"), Threshold(yellow_below, "green")


def _selected(metric: str, where: str) -> str:
    return f"{metric}{{{where}}}" if where else metric


def _by(labels: Sequence[str]) -> str:
    return f" by ({', '.join(labels)})" if labels else ""


def _sum(by: Sequence[str]) -> str:
    return f"sum{_by(by)}"
