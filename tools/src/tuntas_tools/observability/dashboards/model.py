"""What a dashboard is made of, as its YAML states it: strict, every text bounded."""

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, field_validator, model_validator

WIDTH = 24
"""Columns of Grafana's grid."""

Colour = Literal["green", "yellow", "orange", "red", "blue", "text"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$", max_length=40)]
Title = Annotated[str, Field(min_length=1, max_length=80)]
Description = Annotated[str, Field(min_length=20, max_length=400, pattern=r"\.$")]
Expression = Annotated[str, Field(min_length=1, max_length=1_000)]
Legend = Annotated[str, Field(min_length=1, max_length=60)]
Span = Annotated[str, Field(pattern=r"^\d+[smhd]$", max_length=8)]
Number = int | FiniteFloat

_SIZES = {"stat": (4, 5)}
_SIZE = (8, 8)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Query(_Strict):
    """One PromQL expression as Grafana sends it; `legend` names each series by its labels in `{{…}}`."""

    expr: str
    legend: str = ""


class Panel(_Strict):
    """One picture: `query`, or `queries` by legend, with what is shown in place of an empty answer.

    `description` says what is seen and what to do about it. `thresholds` are the colours from a value on, in the panel's unit, `-.inf`
    for everything. `link` names the dashboard that shows more; with `link_variable` the value of that label is its variable of the
    same name. Width and height are cells of Grafana's grid, by default 8 and 8, for a `stat` 4 and 5.
    """

    title: Title
    description: Description
    kind: Literal["stat", "timeseries", "bargauge", "table"] = "timeseries"
    query: Expression | None = None
    by_legend: dict[Legend, Expression] | None = Field(default=None, alias="queries", min_length=1, max_length=26)
    if_empty: Literal[0, 1, "nothing"] = 0
    exemplars: bool = False
    unit: Literal["short", "s", "ops", "reqps", "percentunit"] = "short"
    decimals: Annotated[int, Field(ge=0, le=6)] | None = None
    at_least: Number | None = 0
    at_most: Number | None = None
    stacked: bool = False
    thresholds: dict[Colour, int | float] = Field(default={}, max_length=6)
    width: Annotated[int, Field(ge=2, le=WIDTH)] = _SIZE[0]
    height: Annotated[int, Field(ge=2, le=20)] = _SIZE[1]
    link: Name | None = None
    link_variable: Name | None = None

    @model_validator(mode="before")
    @classmethod
    def _sized(cls, stated: object) -> object:
        if not isinstance(stated, dict):
            return stated
        width, height = _SIZES.get(str(stated.get("kind")), _SIZE)
        return {"width": width, "height": height, **stated}

    @field_validator("thresholds")
    @classmethod
    def _rising(cls, thresholds: dict[Colour, int | float]) -> dict[Colour, int | float]:
        values = list(thresholds.values())
        if values != sorted(values) or not all(value < float("inf") for value in values):
            raise ValueError("values rise from left to right")
        return thresholds

    @model_validator(mode="after")
    def _asks_once(self) -> Self:
        if (self.query is None) == (self.by_legend is None):
            raise ValueError("give either query or queries")
        return self

    @property
    def queries(self) -> Sequence[Query]:
        """The expressions, each with its fallback, in order."""
        stated = {"": self.query} if self.query is not None else self.by_legend or {}
        fallback = "" if self.if_empty == "nothing" else f" or on() vector({self.if_empty})"
        return [Query(expr=f"({expr}){fallback}" if fallback else expr, legend=legend) for legend, expr in stated.items()]


class Row(_Strict):
    """Panels under one heading, from left to right."""

    title: Title
    panels: Annotated[list[Panel], Field(min_length=1, max_length=30)]


class Use(_Strict):
    """A row of `rows/`, with values for its `$names`, without the queries of some legends; `for_each` repeats it."""

    use: Name
    values: dict[Name, Title] = Field(default={}, alias="with", max_length=10)
    without: Annotated[list[Legend], Field(max_length=10)] = []
    for_each: Literal["objectives"] | None = None


class Variable(_Strict):
    """What the reader chooses: one value of a label of a metric."""

    name: Name
    title: Title
    metric: Name
    label: Name


class Dashboard(_Strict):
    """One page. `file` is the name of its YAML and JSON files and, after `tuntas-`, its uid."""

    file: Annotated[str, Field(pattern=r"^[a-z][a-z-]*$", max_length=33)]
    title: Title
    description: Description
    since: Annotated[str, Field(pattern=r"^now-\d+[mhd]$", max_length=12)] = "now-6h"
    refresh: Span = "30s"
    variables: Annotated[list[Variable], Field(max_length=8)] = []
    rows: Annotated[list[Row], Field(min_length=1, max_length=30)]

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
