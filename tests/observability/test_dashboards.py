"""Dashboards are as generated, explain themselves, lead to each other, and ask only for what is declared, of which all is shown."""

import json
import re
from importlib import import_module
from typing import Any

import pytest
import yaml

from tests.support.dashboard_queries import DASHBOARDS, all_asked, chassis_series, series_of
from tuntas_chassis.telemetry.metrics import CHASSIS_METRICS
from tuntas_contracts.topology import WATERMARKS
from tuntas_contracts.vocabulary import Service
from tuntas_embedded.prometheus.programs import REPOSITORY
from tuntas_tools.observability.dashboards.model import Dashboard
from tuntas_tools.observability.slo import BURNS

each_dashboard = pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.file)


def document(dashboard: Dashboard) -> dict[str, Any]:
    written: dict[str, Any] = json.loads((REPOSITORY / "deploy" / "grafana" / f"{dashboard.file}.json").read_text(encoding="utf-8"))
    return written


def declared() -> set[str]:
    lists = [CHASSIS_METRICS, *(import_module(f"{service.value.replace('-', '_')}.metrics").METRICS for service in Service)]
    return {series for metrics in lists for metric in metrics for series in series_of(metric)}


def recorded() -> set[str]:
    files = (REPOSITORY / "deploy" / "prometheus" / "rules").glob("*.yaml")
    groups = [group for file in files for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]]
    return {rule["record"] for group in groups for rule in group["rules"] if "record" in rule}


def test_there_is_one_for_the_nation_one_for_an_agency_and_one_for_each_service() -> None:
    files = {dashboard.file for dashboard in DASHBOARDS}
    assert files == {"national", "agency", "bus", "clocks", "slo", *(f"service-{service.value}" for service in Service)}


def test_no_two_share_a_uid_or_a_title() -> None:
    for names in ([dashboard.uid for dashboard in DASHBOARDS], [dashboard.title for dashboard in DASHBOARDS]):
        assert len(names) == len(set(names))
    assert all(len(dashboard.uid) <= 40 for dashboard in DASHBOARDS), "Grafana's limit"


@each_dashboard
def test_panels_lie_side_by_side_on_the_grid(dashboard: Dashboard) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in document(dashboard)["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert all(x < 24 for x, _ in cells), panel["title"]
        assert not cells & taken, f"{panel['title']} lies over another panel"
        taken |= cells
    assert len({panel["id"] for panel in document(dashboard)["panels"]}) == len(document(dashboard)["panels"])


@each_dashboard
def test_thresholds_rise_from_a_colour_for_everything(dashboard: Dashboard) -> None:
    for panel in document(dashboard)["panels"]:
        if panel["type"] == "row":
            continue
        values = [step["value"] for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]]
        assert values[0] is None, panel["title"]
        assert values[1:] == sorted(values[1:]), panel["title"]


@each_dashboard
def test_links_lead_to_dashboards_that_exist_with_variables_that_they_have(dashboard: Dashboard) -> None:
    known = {other.file: {variable.name for variable in other.variables} for other in DASHBOARDS}
    for panel in dashboard.panels:
        if panel.link is None:
            continue
        assert panel.link in known, panel.title
        if panel.link_variable is not None:
            assert panel.link_variable in known[panel.link], panel.title
            assert all(f"{{{{{panel.link_variable}}}}}" in query.legend for query in panel.queries), f"{panel.title} has no such label"
    (link,) = document(dashboard)["links"]
    assert link["tags"] == document(dashboard)["tags"]


@each_dashboard
def test_the_reader_chooses_the_data_source(dashboard: Dashboard) -> None:
    written = document(dashboard)
    assert written["templating"]["list"][0]["type"] == "datasource"
    text = json.dumps(written["panels"])
    assert set(re.findall(r'"uid": "([^"]*)"', text)) == {"${datasource}"}


def test_only_what_is_declared_or_recorded_is_asked_for() -> None:
    known = declared() | recorded()
    assert {str(asked): asked.metrics - known for asked in all_asked() if asked.metrics - known} == {}


def test_every_query_asks_for_something() -> None:
    assert [str(asked) for asked in all_asked() if not asked.metrics] == []


def test_everything_declared_is_shown_somewhere() -> None:
    shown = {name for asked in all_asked() for name in asked.metrics}
    lists = [CHASSIS_METRICS, *(import_module(f"{service.value.replace('-', '_')}.metrics").METRICS for service in Service)]
    assert [metric.name for metrics in lists for metric in metrics if not series_of(metric) & shown] == []


@pytest.mark.parametrize("service", list(Service), ids=lambda service: str(service.value))
def test_a_services_dashboard_shows_what_that_service_alone_does(service: Service) -> None:
    own = {series for metric in import_module(f"{service.value.replace('-', '_')}.metrics").METRICS for series in series_of(metric)}
    for asked in all_asked():
        if asked.dashboard.file != f"service-{service.value}":
            continue
        of_chassis = asked.metrics & chassis_series()
        assert of_chassis == set() or f'service="{service.value}"' in asked.query.expr, asked
        assert asked.metrics <= own | of_chassis, asked


def test_brokers_clocks_are_shown_for_the_services_that_publish_watermarks() -> None:
    shown = {asked.dashboard.file for asked in all_asked() if "tuntas_broker_clock_skew_seconds" in asked.metrics}
    assert shown == {f"service-{Service(publication.producer).value}" for publication in WATERMARKS.publications}


def test_every_objective_is_shown_over_the_windows_and_limits_of_its_alert() -> None:
    (slo,) = (dashboard for dashboard in DASHBOARDS if dashboard.file == "slo")
    burning = [panel for panel in slo.panels if panel.title == "How fast it burns"]
    assert len(burning) == len(slo.rows)
    for panel in burning:
        assert [query.legend for query in panel.queries] == [burn.long for burn in BURNS]
        assert panel.thresholds == {"yellow": BURNS[-1].rate, "red": BURNS[0].rate}
        assert f"pages at {BURNS[0].rate:g} over {BURNS[0].long} or {BURNS[1].rate:g} over {BURNS[1].long}." in panel.description
