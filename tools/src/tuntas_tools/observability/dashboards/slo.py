"""The service level objectives of `deploy/prometheus/slo.yaml`, by the series that its recording rules make."""

from tuntas_embedded.prometheus.programs import REPOSITORY
from tuntas_tools.observability.dashboards.model import Dashboard, Panel, Query, Row, Threshold
from tuntas_tools.observability.dashboards.queries import or_all, or_zero
from tuntas_tools.observability.slo import BURNS, Objective, Objectives, read_objectives
from tuntas_tools.observability.slo_rules import error_ratio, event_rate

_FILE = REPOSITORY / "deploy" / "prometheus" / "slo.yaml"
_NO_EVENTS = "Without events nothing burns."


def _ratio(window: str, slo: Objective) -> str:
    """The share of bad events; nothing where there were none."""
    return f'{error_ratio(window)}{{slo="{slo.name}"}} >= 0'


def _row(slo: Objective, window: str) -> Row:
    budget = f'slo:error_budget_remaining:ratio{{slo="{slo.name}"}}'
    return Row(
        slo.title,
        [
            Panel(
                title="Kept",
                description=f"{slo.promise} Share of good events over {window}; the objective is {slo.objective * 100:g} %.",
                queries=[Query(f"1 - ({or_zero(_ratio(window, slo))})")],
                kind="stat",
                unit="percentunit",
                decimals=3,
                thresholds=(Threshold(float("-inf"), "red"), Threshold(slo.objective, "green")),
                width=4,
                height=7,
            ),
            Panel(
                title="Budget left",
                description=f"What is left of the errors that {window} allow ({slo.budget * 100:g} % of events). {_NO_EVENTS}",
                queries=[Query(or_all(f"{budget} <= 1"))],
                kind="stat",
                unit="percentunit",
                at_least=None,
                decimals=1,
                thresholds=(Threshold(float("-inf"), "red"), Threshold(0.1, "yellow"), Threshold(0.5, "green")),
                width=4,
                height=7,
            ),
            Panel(
                title="How fast it burns",
                description=(
                    "Bad events as a multiple of what the objective allows, over the windows of the alert "
                    f"{slo.alert}: it pages at {BURNS[0].rate:g} over {BURNS[0].long} or {BURNS[1].rate:g} over {BURNS[1].long}. "
                    f"{_NO_EVENTS}"
                ),
                queries=[Query(or_zero(f"({_ratio(burn.long, slo)}) / {slo.budget:g}"), burn.long) for burn in BURNS],
                thresholds=(Threshold(BURNS[-1].rate, "yellow"), Threshold(BURNS[0].rate, "red")),
                width=10,
                height=7,
            ),
            Panel(
                title="Events",
                description="Events a second that the objective counts.",
                queries=[Query(or_zero(f'{event_rate("5m")}{{slo="{slo.name}"}}'), "events")],
                unit="ops",
                width=6,
                height=7,
            ),
        ],
    )


def _dashboard(told: Objectives) -> Dashboard:
    return Dashboard(
        file="slo",
        title="Tuntas: service level objectives",
        description=f"What the platform promises, over {told.window}, and how fast the errors that this allows are used up.",
        rows=[_row(slo, told.window) for slo in told.slos],
        since="now-24h",
        refresh="1m",
    )


SLO = _dashboard(read_objectives(_FILE))
