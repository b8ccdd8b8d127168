"""A dashboard's YAML becomes Grafana's JSON; what is wrong in it is said with file, panel and field."""

import shutil
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT
from tuntas_tools.observability import generated
from tuntas_tools.observability.__main__ import main
from tuntas_tools.observability.dashboards.grafana import panel_json
from tuntas_tools.observability.dashboards.loader import BadDashboard, read_dashboards
from tuntas_tools.observability.promtool import check_queries

FIRST = """\
title: First
description: What is shown first, and why.
variables:
  - {name: agency, title: Agency, metric: tuntas_open, label: agency}
rows:
  - title: Own
    panels:
      - title: Waiting
        description: What waits, and what to do about it.
        queries:
          now: sum (tuntas_waiting)
          $agency: sum (tuntas_waiting{agency="$agency"})
        unit: s
        thresholds: {yellow: 1, red: 10}
      - title: Late
        description: What is late, and what to do about it.
        query: sum (rate(tuntas_late_total[$__rate_interval]))
        link: second

  - {use: shared, with: {service: intake}, without: [brokers]}
"""
SECOND = """\
title: Second
description: What is shown second, and why.
rows:
  - {use: shared, with: {service: triage}}
"""
SHARED = """\
title: Of $service
panels:
  - title: Skew
    description: How far clocks are from ours.
    kind: stat
    queries:
      database: max (tuntas_skew{service="$service"})
      brokers: max (tuntas_broker_skew{service="$service"})
    if_empty: nothing
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with two dashboards that share a row."""
    rows = tmp_path / "deploy" / "grafana" / "dashboards" / "rows"
    rows.mkdir(parents=True)
    (rows.parent / "first.yaml").write_text(FIRST, encoding="utf-8")
    (rows.parent / "second.yaml").write_text(SECOND, encoding="utf-8")
    (rows / "shared.yaml").write_text(SHARED, encoding="utf-8")
    (tmp_path / "deploy" / "prometheus").mkdir()
    shutil.copy(ROOT / "deploy" / "prometheus" / "slo.yaml", tmp_path / "deploy" / "prometheus")
    return tmp_path


def test_a_shared_row_is_filled_for_each_dashboard_that_uses_it(checkout: Path) -> None:
    first, second = read_dashboards(checkout)
    assert [row.title for row in first.rows] == ["Own", "Of intake"]
    assert [(query.legend, query.expr) for query in first.rows[1].panels[0].queries] == [
        ("database", 'max (tuntas_skew{service="intake"})')
    ]
    assert [query.legend for query in second.panels[0].queries] == ["database", "brokers"]


def test_what_is_not_stated_has_a_default(checkout: Path) -> None:
    waiting, late, skew = read_dashboards(checkout)[0].panels
    assert waiting.queries[0].expr == "(sum (tuntas_waiting)) or on() vector(0)", "quiet looks like quiet"
    assert (late.kind, late.unit, late.width, late.height) == ("timeseries", "short", 8, 8)
    assert (skew.width, skew.height) == (4, 5)
    steps = panel_json(waiting)["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert steps == [{"color": "green", "value": None}, {"color": "yellow", "value": 1}, {"color": "red", "value": 10}]


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("first", "unit: s\n", "units: s\n", "first.yaml: row 'Own': panel 'Waiting': units: Extra inputs are not permitted"),
        ("first", "unit: s\n", "unit: furlong\n", "first.yaml: row 'Own': panel 'Waiting': unit: Input should be 'short', 's'"),
        ("first", "title: Late", "title: Waiting", "first.yaml: row 'Own': panel 'Waiting': title: stands there twice"),
        ("second", "title: Second", "title: First", "dashboard 'First': title: stands there twice"),
        ("first", "title: Own", "title: Of intake", "first.yaml: row 'Of intake': title: stands there twice"),
        ("first", "$agency: sum", "now: sum", "'now' stands there twice"),
        ("first", "What is late, and what to do about it.", "Late.", "panel 'Late': description: String should have at least 20"),
        ("first", "title: Late", f"title: {'late' * 30}", "title: String should have at most 80"),
        ("first", "query: sum (rate", "query: sum (rate" + "x" * 1_000, "panel 'Late': query: String should have at most 1000"),
        (
            "first",
            "        query: sum (rate(tuntas_late_total[$__rate_interval]))\n",
            "",
            "panel 'Late': Value error, give either query or queries",
        ),
        ("first", "yellow: 1, red: 10", "yellow: 10, red: 1", "panel 'Waiting': thresholds: Value error, values rise"),
        ("first", "yellow: 1, red: 10", "pink: 1", "panel 'Waiting': thresholds: pink"),
        ("first", '{agency="$agency"}', '{agency="$office"}', "panel 'Waiting': $office has no value; known are $__range"),
        ("first", "link: second", "link: third", "panel 'Late': link: there is no dashboard 'third'; there are first, second"),
        ("first", "link: second", "link: second\n        link_variable: agency", "link_variable: the dashboard 'second' has no variable"),
        ("first", "use: shared", "use: other", "row from rows/other.yaml: use: there is no such file; there are shared"),
        ("first", "without: [brokers]", "without: [broker]", "without: no query of the row has the legend 'broker'"),
        ("first", "without: [brokers]", "without: [brokers, database]", "without: leaves the panel 'Skew' no query"),
        ("first", "with: {service: intake}", "with: {service: intake, agency: x}", "with: the row has no $agency"),
        ("second", "with: {service: triage}", "with: {}", "panel 'Skew': $service has no value"),
        (
            "rows/shared",
            "kind: stat",
            "kind: pie",
            "rows/shared.yaml: row 'Of intake': panel 'Skew': kind: Input should be",
        ),
        ("second", "rows:", "since: yesterday\nrows:", "second.yaml: since: String should match pattern"),
        ("second", "title: Second", "title: [", "second.yaml: not YAML"),
        ("second", "rows:\n  - {use: shared, with: {service: triage}}\n", "", "second.yaml: rows: Input should be a valid list"),
    ],
)
def test_what_is_wrong_is_said_with_file_panel_and_field(checkout: Path, file: str, old: str, new: str, said: str) -> None:
    path = checkout / "deploy" / "grafana" / "dashboards" / f"{file}.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(BadDashboard) as raised:
        read_dashboards(checkout)
    assert said in str(raised.value)


def test_a_query_that_does_not_parse_is_said_with_file_and_panel(checkout: Path) -> None:
    assert check_queries(read_dashboards(checkout)) is None
    path = checkout / "deploy" / "grafana" / "dashboards" / "first.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("sum (rate(", "sum ((rate("), encoding="utf-8")
    fault = check_queries(read_dashboards(checkout))
    assert fault is not None
    assert "first.yaml: row 'Own': panel 'Late'" in fault


def test_every_query_of_every_panel_parses() -> None:
    assert check_queries(read_dashboards(ROOT)) is None


def test_generating_writes_what_differs_and_removes_what_is_no_dashboard(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in ("deploy/prometheus", "deploy/grafana", "docs/runbooks", "deploy/k8s/components/alerts"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts" / "pyproject.toml").write_text("", encoding="utf-8")
    shutil.copy(ROOT / "docs" / "metrics.md", tmp_path / "docs")
    assert generated.differences(tmp_path) == []
    grafana = tmp_path / "deploy" / "grafana"
    (grafana / "bus.json").write_text("{}", encoding="utf-8")
    (grafana / "gone.json").write_text("{}", encoding="utf-8")
    assert main(["check", "--root", str(tmp_path)]) == 1
    errors = capsys.readouterr().err
    assert "deploy/grafana/bus.json is out of date" in errors
    assert "deploy/grafana/gone.json is out of date" in errors
    assert main(["generate", "--root", str(tmp_path)]) == 0
    assert not (grafana / "gone.json").exists()
    assert (grafana / "bus.json").read_bytes() == (ROOT / "deploy" / "grafana" / "bus.json").read_bytes()
    assert main(["check", "--root", str(tmp_path)]) == 0
