"""Grafana's JSON of a dashboard (schema 39: Grafana 11 and later read it)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tuntas_tools.observability.dashboards.model import WIDTH, Colour, Dashboard, Panel, Query, Row, Variable, uid_of

Json = dict[str, Any]
SOURCE: Json = {"type": "prometheus", "uid": "${datasource}"}
TAG = "tuntas"
_SCHEMA = 39


def dashboard_json(dashboard: Dashboard) -> Json:
    """The whole document, the same for the same dashboard."""
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": dashboard.description,
        "tags": [TAG],
        "schemaVersion": _SCHEMA,
        "editable": False,
        "graphTooltip": 1,  # one cross-hair over all panels
        "time": {"from": dashboard.since, "to": "now"},
        "refresh": dashboard.refresh,
        "timezone": "browser",
        "links": [
            {
                "type": "dashboards",
                "title": "Tuntas",
                "tags": [TAG],
                "asDropdown": True,
                "includeVars": False,
                "keepTime": True,
                "icon": "external link",
                "targetBlank": False,
                "tooltip": "The other dashboards",
                "url": "",
            }
        ],
        "templating": {"list": [_datasource(), *(_variable(variable) for variable in dashboard.variables)]},
        "annotations": {"list": []},
        "panels": list(_laid_out(dashboard.rows)),
    }


def _datasource() -> Json:
    return {"type": "datasource", "name": "datasource", "label": "Prometheus", "query": "prometheus", "hide": 0, "refresh": 1}


def _variable(variable: Variable) -> Json:
    query = f"label_values({variable.metric}, {variable.label})"
    return {
        "type": "query",
        "name": variable.name,
        "label": variable.title,
        "datasource": SOURCE,
        "query": {"query": query, "refId": "variable"},
        "definition": query,
        "refresh": 2,  # whenever the time range changes
        "sort": 1,
        "multi": False,
        "includeAll": False,
    }


def _laid_out(rows: Sequence[Row]) -> Iterator[Json]:
    number, top = 0, 0
    for row in rows:
        number += 1
        place = {"h": 1, "w": WIDTH, "x": 0, "y": top}
        yield {"id": number, "type": "row", "title": row.title, "collapsed": False, "panels": [], "gridPos": place}
        top += 1
        left = tallest = 0
        for panel in row.panels:
            if left + panel.width > WIDTH:
                top, left, tallest = top + tallest, 0, 0
            number += 1
            yield {"id": number, "gridPos": {"h": panel.height, "w": panel.width, "x": left, "y": top}, **panel_json(panel)}
            left, tallest = left + panel.width, max(tallest, panel.height)
        top += tallest


def panel_json(panel: Panel) -> Json:
    """One panel without its place."""
    options, custom = _LOOKS[panel.kind](panel)
    defaults: Json = {
        "unit": panel.unit,
        "color": {"mode": "thresholds" if panel.kind != "timeseries" else "palette-classic"},
        "thresholds": _thresholds(panel.thresholds),
        "custom": custom,
    }
    for name, value in (("min", panel.at_least), ("max", panel.at_most), ("decimals", panel.decimals)):
        if value is not None:
            defaults[name] = value
    if panel.link is not None:
        defaults["links"] = [_link(panel.link, panel.link_variable)]
    told: Json = {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": SOURCE,
        "targets": [_target(query, index, panel) for index, query in enumerate(panel.queries)],
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": options,
    }
    if panel.kind == "table":
        told["transformations"] = [
            {"id": "merge", "options": {}},
            {"id": "organize", "options": {"excludeByName": {"Time": True}, "renameByName": _column_names(panel.queries)}},
        ]
    return told


def _link(file: str, variable: str | None) -> Json:
    handed = f"&var-{variable}=${{__field.labels.{variable}}}" if variable else ""
    return {"title": "More", "url": f"/d/{uid_of(file)}?${{__url_time_range}}{handed}", "targetBlank": False}


def _target(query: Query, index: int, panel: Panel) -> Json:
    instant = panel.kind in ("table", "bargauge")
    return {
        "refId": chr(ord("A") + index),
        "datasource": SOURCE,
        "expr": query.expr,
        "legendFormat": query.legend or "__auto",
        "instant": instant,
        "range": not instant,
        "exemplar": panel.exemplars,
        "editorMode": "code",
        "format": "table" if panel.kind == "table" else "time_series",
    }


def _column_names(queries: Sequence[Query]) -> Json:
    named = {f"Value #{chr(ord('A') + index)}": query.legend for index, query in enumerate(queries)}
    return {**named, "Value": queries[0].legend}


def _thresholds(thresholds: Mapping[Colour, float]) -> Json:
    steps: list[Json] = [{"color": colour, "value": None if value == float("-inf") else value} for colour, value in thresholds.items()]
    if not steps or steps[0]["value"] is not None:
        steps.insert(0, {"color": "green" if thresholds else "text", "value": None})
    return {"mode": "absolute", "steps": steps}


def _calculated() -> Json:
    return {"calcs": ["lastNotNull"], "fields": "", "values": False}


def _stat(panel: Panel) -> tuple[Json, Json]:
    text = "value_and_name" if len(panel.queries) > 1 else "auto"
    return {"reduceOptions": _calculated(), "colorMode": "value", "graphMode": "area", "textMode": text}, {}


def _timeseries(panel: Panel) -> tuple[Json, Json]:
    options = {"legend": {"displayMode": "list", "placement": "bottom", "showLegend": True}, "tooltip": {"mode": "multi", "sort": "desc"}}
    custom: Json = {
        "drawStyle": "line",
        "lineWidth": 1,
        "fillOpacity": 40 if panel.stacked else 8,
        "showPoints": "never",
        "stacking": {"mode": "normal" if panel.stacked else "none", "group": "A"},
        "thresholdsStyle": {"mode": "dashed" if panel.thresholds else "off"},
    }
    return options, custom


def _bargauge(panel: Panel) -> tuple[Json, Json]:
    return {"reduceOptions": _calculated(), "orientation": "horizontal", "displayMode": "basic", "showUnfilled": True}, {}


def _table(panel: Panel) -> tuple[Json, Json]:
    return {"showHeader": True, "cellHeight": "sm"}, {"align": "auto", "filterable": True}


_LOOKS = {"stat": _stat, "timeseries": _timeseries, "bargauge": _bargauge, "table": _table}
