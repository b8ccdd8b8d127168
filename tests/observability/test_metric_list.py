"""One list: what rules, dashboards and runbooks read is declared, what is declared is looked at, and its labels have few values."""

import pytest

from tests.architecture.sources import ROOT
from tuntas_tools.observability.metric_list import DECLARED, EXTERNAL, LABELS, TARGET_LABELS, base_name, declared_names, who_looks
from tuntas_tools.observability.promql import Selector, buckets, grouped_by, selectors
from tuntas_tools.observability.readers import Reader, readers

EVERYONE = readers(ROOT)
METRICS = {metric.name: metric for metrics in DECLARED.values() for metric in metrics}
RECORDED = {reader.name for reader in EVERYONE if reader.kind == "record"}


def _shown(reader: Reader) -> str:
    return f"{reader.kind} {reader.name}"


def test_nothing_is_read_that_nobody_exposes() -> None:
    names = declared_names()
    unknown = {
        (_shown(reader), selector.name)
        for reader in EVERYONE
        for selector in selectors(reader.expression)
        if base_name(selector.name, names) not in names | EXTERNAL.keys() | RECORDED
    }
    assert unknown == set()


def test_nothing_is_declared_that_nobody_looks_at() -> None:
    looked_at = {name for name, who in who_looks(EVERYONE).items() if who}
    assert declared_names() - looked_at == set()
    assert EXTERNAL.keys() - looked_at == set(), "in the list of what others expose, and not read"


def test_nothing_is_recorded_that_nobody_reads() -> None:
    read = {selector.name for reader in EVERYONE for selector in selectors(reader.expression)}
    for_operators = {"slo:objective:ratio"}  # for boards of one's own
    assert {name for name in RECORDED - read if not name.startswith("slo:events:rate")} - for_operators == set()


def test_series_are_selected_by_labels_that_they_have() -> None:
    names = declared_names()
    wrong = {
        (_shown(reader), selector.name, label)
        for reader in EVERYONE
        for selector in selectors(reader.expression)
        if (metric := METRICS.get(base_name(selector.name, names))) is not None
        for label in selector.labels - {*metric.labels, *TARGET_LABELS, "le"}
    }
    assert wrong == set()


def test_a_histogram_is_read_by_its_endings() -> None:
    names = declared_names()
    bare = {
        (_shown(reader), selector.name)
        for reader in EVERYONE
        for selector in selectors(reader.expression)
        if selector.name in names and METRICS[selector.name].kind == "histogram"
    }
    assert bare == set()


@pytest.mark.parametrize("name", sorted(METRICS))
def test_labels_have_few_values(name: str) -> None:
    for label in METRICS[name].labels:
        assert label in LABELS, f"{name}: say in LABELS why the values of {label} are few, or leave the label out"


def test_the_list_of_labels_holds_only_labels() -> None:
    assert LABELS.keys() - {label for metric in METRICS.values() for label in metric.labels} == set()


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ('sum by (service, le) (rate(a_bucket{le="0.5",x=~"b|c{2}"}[5m])) / on () group_left vector(1)', {"a_bucket"}),
        ('max(a or b{service="x"}) > 12 * 3600 and on () hour() >= 1e3 unless absent(c)', {"a", "b", "c"}),
        ('slo:error_ratio:rate5m{slo="x"} > 14.4 * 0.001', {"slo:error_ratio:rate5m"}),
        ("increase(a[$__rate_interval] offset 5m) / ignoring(x) b", {"a", "b"}),
        ("histogram_quantile(0.95, sum(rate(a_bucket[1h:5m])) by (le))", {"a_bucket"}),
    ],
)
def test_the_names_in_an_expression_are_found(expression: str, names: set[str]) -> None:
    assert {selector.name for selector in selectors(expression)} == names


def test_labels_and_values_are_found() -> None:
    (found,) = selectors('a{b="c",d!~"e|f"}')
    assert found == Selector("a", frozenset({"b", "d"}), frozenset({("b", "c")}))
    assert grouped_by("sum by (a, b) (x) / on (c) y") == {"a", "b", "c"}
    assert buckets('rate(x_bucket{t="u",le="10.0"}[5m])') == {("x", "10.0")}
