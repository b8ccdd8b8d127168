"""What a dashboard is made of, before it becomes Grafana's JSON."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["stat", "timeseries", "bargauge", "table"]
Colour = Literal["green", "yellow", "orange", "red", "blue", "text"]

WIDTH = 24
"""Columns of Grafana's grid."""


@dataclass(frozen=True, slots=True)
class Query:
    """One PromQL expression; `legend` names each series by its labels in `{{…}}`. `instant`: only as things stand now."""

    expr: str
    legend: str = ""
    instant: bool = False
    exemplars: bool = False


@dataclass(frozen=True, slots=True)
class Threshold:
    """From this value on, in the panel's unit, the colour is this."""

    value: float
    colour: Colour


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One picture. `unit` is Grafana's name of a unit; `description` says what is seen and what to do about it.

    `link` is the uid of the dashboard that shows more; with `link_variable` the value of that label is handed on as the variable of
    the same name.
    """

    title: str
    description: str
    queries: Sequence[Query]
    kind: Kind = "timeseries"
    unit: str = "short"
    thresholds: Sequence[Threshold] = ()
    width: int = 8
    height: int = 8
    stacked: bool = False
    at_least: float | None = 0
    at_most: float | None = None
    decimals: int | None = None
    link: str | None = None
    link_variable: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under one heading, from left to right."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True, slots=True)
class Variable:
    """What the reader chooses: one value of a label of a metric."""

    name: str
    title: str
    metric: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """One page. `file` names its JSON file in `deploy/grafana` and, after `tuntas-`, its uid."""

    file: str
    title: str
    description: str
    rows: Sequence[Row]
    variables: Sequence[Variable] = field(default_factory=tuple)
    since: str = "now-6h"
    refresh: str = "30s"

    @property
    def uid(self) -> str:
        """By which other dashboards link to it."""
        return uid_of(self.file)

    @property
    def panels(self) -> Sequence[Panel]:
        """All panels, in order."""
        return [panel for row in self.rows for panel in row.panels]


def uid_of(file: str) -> str:
    """The uid of the dashboard in that file."""
    return f"tuntas-{file}"
