"""Reads the dashboards of a checkout; what is wrong is said with file, row, panel and field."""

import re
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from tuntas_operations.errors import StackError
from tuntas_tools.observability.dashboards.model import Dashboard, Panel, Row, Use
from tuntas_tools.observability.slo import Objectives, read_objectives

FOLDER = Path("deploy/grafana/dashboards")
_SLO = Path("deploy/prometheus/slo.yaml")
_NAME = re.compile(r"\$(\w+)")
_GRAFANA = frozenset({"__rate_interval", "__range"})

Values = Mapping[str, str | float]
Model = TypeVar("Model", bound=BaseModel)


class BadDashboard(StackError):
    """A dashboard's YAML states something that can't be one."""


class _Loader(yaml.SafeLoader):
    """A key that stands twice in a mapping is an error, not the last one's."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value!r} stands there twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_dashboards(root: Path) -> list[Dashboard]:
    """Every dashboard of a checkout, in the order of their files. Raises BadDashboard, BadObjective."""
    objectives = read_objectives(root / _SLO)
    dashboards = [_dashboard(file, objectives) for file in sorted((root / FOLDER).glob("*.yaml"))]
    _titles_differ(str(FOLDER), "dashboard", [dashboard.title for dashboard in dashboards])
    for dashboard in dashboards:
        _links_lead_somewhere(dashboard, {other.file: other for other in dashboards})
    return dashboards


def _dashboard(file: Path, objectives: Objectives) -> Dashboard:
    stated = _read(file)
    entries = stated.get("rows")
    rows: list[Row] = []
    for number, entry in enumerate(entries if isinstance(entries, list) else ()):
        if isinstance(entry, dict) and "use" in entry:
            rows += _used(_valid(Use, entry, f"{file.name}: row {number + 1}"), file, objectives)
        else:
            rows.append(_valid(Row, entry, f"{file.name}: {_called('row', entry, number)}"))
    dashboard = _valid(Dashboard, {**stated, "file": file.stem, "rows": rows if isinstance(entries, list) else entries}, file.name)
    known = _GRAFANA | {variable.name for variable in dashboard.variables}
    _titles_differ(file.name, "row", [row.title for row in rows])
    for row in rows:
        _titles_differ(f"{file.name}: row {row.title!r}", "panel", [panel.title for panel in row.panels])
        for panel in row.panels:
            for text in (row.title, panel.title, panel.description, *(f"{query.expr} {query.legend}" for query in panel.queries)):
                if unknown := set(_NAME.findall(text)) - known:
                    raise BadDashboard(
                        f"{file.name}: row {row.title!r}: panel {panel.title!r}: ${min(unknown)} has no value; "
                        f"known are {', '.join(f'${name}' for name in sorted(known))}"
                    )
    return dashboard


def _used(use: Use, file: Path, objectives: Objectives) -> list[Row]:
    source = file.parent / "rows" / f"{use.use}.yaml"
    where = f"{file.name}: row from rows/{source.name}"
    if not source.exists():
        there = ", ".join(sorted(other.stem for other in source.parent.glob("*.yaml")))
        raise BadDashboard(f"{where}: use: there is no such file; there are {there}")
    stated = _read(source)
    if unused := use.values.keys() - set(_NAME.findall(source.read_text(encoding="utf-8"))):
        raise BadDashboard(f"{where}: with: the row has no ${min(unused)}")
    each: Sequence[Values] = [use.values] if use.for_each is None else [{**use.values, **values} for values in _of_objectives(objectives)]
    rows = []
    for values in each:
        filled = _filled(stated, values)
        row = _valid(Row, filled, f"{where}: {_called('row', filled, 0)}")
        rows.append(_without(row, use.without, where))
    return rows


def _of_objectives(objectives: Objectives) -> list[Values]:
    return [
        {
            "name": slo.name,
            "title": slo.title,
            "promise": slo.promise,
            "alert": slo.alert,
            "window": objectives.window,
            "objective": slo.objective,
            "objective_percent": f"{slo.objective * 100:g}",
            "budget": f"{slo.budget:g}",
            "budget_percent": f"{slo.budget * 100:g}",
        }
        for slo in objectives.slos
    ]


def _filled(node: Any, values: Values) -> Any:
    """The node with values in the place of `$names`; a text that is only a name becomes the value itself."""
    if isinstance(node, dict):
        return {_filled(key, values): _filled(value, values) for key, value in node.items()}
    if isinstance(node, list):
        return [_filled(value, values) for value in node]
    if not isinstance(node, str):
        return node
    if (whole := _NAME.fullmatch(node)) and whole[1] in values:
        return values[whole[1]]
    return _NAME.sub(lambda found: str(values.get(found[1], found[0])), node)


def _without(row: Row, legends: Sequence[str], where: str) -> Row:
    stated = {legend for panel in row.panels for legend in panel.by_legend or ()}
    if unknown := set(legends) - stated:
        raise BadDashboard(f"{where}: without: no query of the row has the legend {min(unknown)!r}")
    return row.model_copy(update={"panels": [_leaving_out(panel, legends, where) for panel in row.panels]})


def _leaving_out(panel: Panel, legends: Sequence[str], where: str) -> Panel:
    if panel.by_legend is None:
        return panel
    kept = {legend: expr for legend, expr in panel.by_legend.items() if legend not in legends}
    if not kept:
        raise BadDashboard(f"{where}: without: leaves the panel {panel.title!r} no query")
    return panel.model_copy(update={"by_legend": kept})


def _links_lead_somewhere(dashboard: Dashboard, known: Mapping[str, Dashboard]) -> None:
    for panel in dashboard.panels:
        where = f"{dashboard.file}.yaml: panel {panel.title!r}"
        if panel.link is not None and panel.link not in known:
            raise BadDashboard(f"{where}: link: there is no dashboard {panel.link!r}; there are {', '.join(known)}")
        if panel.link_variable and (panel.link is None or panel.link_variable not in {v.name for v in known[panel.link].variables}):
            raise BadDashboard(f"{where}: link_variable: the dashboard {panel.link!r} has no variable {panel.link_variable!r}")


def _titles_differ(where: str, what: str, titles: Sequence[str]) -> None:
    twice = [title for number, title in enumerate(titles) if title in titles[:number]]
    if twice:
        raise BadDashboard(f"{where}: {what} {twice[0]!r}: title: stands there twice; give each {what} a title of its own")


def _read(file: Path) -> dict[str, Any]:
    try:
        stated = yaml.load(file.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506  # a SafeLoader
    except yaml.YAMLError as error:
        raise BadDashboard(f"{file.name}: not YAML: {error}") from error
    if not isinstance(stated, dict):
        raise BadDashboard(f"{file.name}: give title, description and rows")
    return stated


def _valid(model: type[Model], stated: object, where: str) -> Model:
    try:
        return model.model_validate(stated)
    except ValidationError as error:
        raise BadDashboard("\n".join(f"{where}{_place(fault['loc'], stated)}: {fault['msg']}" for fault in error.errors())) from error


def _place(location: Sequence[str | int], stated: object) -> str:
    """Where in a row or dashboard a fault is, a panel by its title."""
    place, node = "", stated
    for part in location:
        above, node = node, _inside(node, part)
        place += f": {_called('panel', node, part)}" if isinstance(part, int) and isinstance(above, list) else f": {part}"
    return place.replace(": panels: ", ": ")


def _inside(node: object, part: str | int) -> object:
    if isinstance(node, dict):
        return node.get(part)
    return node[part] if isinstance(node, list) and isinstance(part, int) and part < len(node) else None


def _called(what: str, node: object, number: int) -> str:
    title = node.get("title") if isinstance(node, dict) else None
    return f"{what} {title!r}" if title else f"{what} {number + 1}"
