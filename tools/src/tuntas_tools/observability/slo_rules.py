"""Recording rules and burn-rate alerts of the objectives."""

from collections.abc import Iterator, Sequence
from typing import Any

from tuntas_tools.observability.slo import BURNS, Burn, Objective, Objectives, seconds

Rule = dict[str, Any]
Group = dict[str, Any]
RUNBOOKS = "docs/runbooks"
# windows by how often they are worth computing
_PACES = {"30s": ("5m", "30m", "1h"), "1m": ("2h", "6h"), "5m": ("1d", "3d")}


def error_ratio(window: str) -> str:
    """The recorded share of bad events over a window, with the label `slo`; without events it is NaN."""
    return f"slo:error_ratio:rate{window}"


def event_rate(window: str) -> str:
    """The recorded number of events a second over a window, with the label `slo`."""
    return f"slo:events:rate{window}"


def groups(told: Objectives) -> list[Group]:
    """The groups of rules/slo.yaml."""
    recorded: list[Group] = [
        {"name": f"slo-every-{pace}", "interval": pace, "rules": [rule for slo in told.slos for rule in _records(slo, windows)]}
        for pace, windows in _PACES.items()
    ]
    recorded[-1]["rules"] += [rule for slo in told.slos for rule in (*_records(slo, (told.window,)), *_budget(slo, told.window))]
    return [*recorded, {"name": "slo-alerts", "rules": [_alert(slo, burn) for slo in told.slos for burn in BURNS]}]


def _records(slo: Objective, windows: Sequence[str]) -> Iterator[Rule]:
    for window in windows:
        good, total = slo.good_over(window), slo.total_over(window)
        # where nothing is good there may be no series of what is good
        yield _record(slo, error_ratio(window), f"1 - (({good}) or 0 * ({total})) / ({total})")
        yield _record(slo, event_rate(window), total)


def _budget(slo: Objective, window: str) -> Iterator[Rule]:
    yield _record(slo, "slo:objective:ratio", f"vector({slo.objective})")
    left = f'1 - {error_ratio(window)}{{slo="{slo.name}"}} / {slo.budget}'
    yield _record(slo, "slo:error_budget_remaining:ratio", left)


def _record(slo: Objective, name: str, expression: str) -> Rule:
    return {"record": name, "expr": expression, "labels": {"slo": slo.name}}


def _alert(slo: Objective, burn: Burn) -> Rule:
    selector = f'{{slo="{slo.name}"}}'
    limit = f"{burn.rate:g} * {slo.budget:g}"
    expression = (
        f"{error_ratio(burn.long)}{selector} > {limit} and {error_ratio(burn.short)}{selector} > {limit} "
        f"and {error_ratio(burn.long)}{selector} * {event_rate(burn.long)}{selector} * {seconds(burn.long)} > {slo.few}"
    )
    return {
        "alert": slo.alert,
        "expr": expression,
        "for": burn.hold,
        "labels": {"severity": burn.severity, "team": slo.owner, "slo": slo.name, "burn_rate": f"{burn.rate:g}"},
        "annotations": {
            "summary": f"{slo.title}: the error budget burns {burn.rate:g} times too fast",
            "description": f"{{{{ $value | humanize }}}} bad events in {burn.long}. {slo.promise}",
            "runbook_url": f"{RUNBOOKS}/{slo.alert}.md",
        },
    }
