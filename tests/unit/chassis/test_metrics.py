"""Metrics exist only as they are declared, and every process can declare its own beside the chassis'."""

import re
from importlib import import_module

import pytest
from prometheus_client import generate_latest

from tuntas_chassis.telemetry.metrics import CHASSIS_METRICS, Metric, MetricSet
from tuntas_contracts.vocabulary import Service

SERVICES = [service.value.replace("-", "_") for service in Service]
DECLARED = (
    Metric("things_total", "counter", "Things", ("colour", "size")),
    Metric("depth", "gauge", "Depth", ("well",)),
    Metric("plain", "gauge", "Plain"),
    Metric("wait_seconds", "histogram", "Wait", buckets=(1, 10)),
)


@pytest.fixture
def metrics() -> MetricSet:
    return MetricSet(DECLARED)


def test_labels_are_given_in_the_order_in_which_they_are_declared(metrics: MetricSet) -> None:
    metrics.inc("things_total", "red", "large", by=3)
    metrics.inc("things_total", "red", "large")
    assert 'things_total{colour="red",size="large"} 4.0' in generate_latest(metrics.registry).decode()
    assert metrics.value("things_total", "red", "large") == 4
    assert metrics.value("things_total", "large", "red") is None


def test_values_are_what_a_scrape_shows(metrics: MetricSet) -> None:
    metrics.set("depth", 7, "north")
    metrics.inc("plain", by=-2)
    metrics.observe("wait_seconds", 5, trace_id="ab" * 16)
    assert (metrics.value("depth", "north"), metrics.value("plain"), metrics.value("wait_seconds")) == (7, -2, 1)
    scraped = generate_latest(metrics.registry).decode()
    assert 'wait_seconds_bucket{le="1.0"} 0.0' in scraped
    assert 'wait_seconds_bucket{le="10.0"} 1.0' in scraped


def test_an_undeclared_name_is_an_error_and_not_a_new_metric(metrics: MetricSet) -> None:
    with pytest.raises(KeyError):
        metrics.inc("other")
    with pytest.raises(KeyError):
        metrics.set("other", 1)
    with pytest.raises(KeyError):
        metrics.observe("other", 1)
    assert "other" not in generate_latest(metrics.registry).decode()


def test_the_wrong_number_of_labels_is_an_error(metrics: MetricSet) -> None:
    with pytest.raises(ValueError, match="label"):
        metrics.inc("things_total", "red")


def test_each_kind_takes_only_its_own_use(metrics: MetricSet) -> None:
    with pytest.raises(TypeError, match="use observe"):
        metrics.inc("wait_seconds")
    with pytest.raises(TypeError, match="not a gauge"):
        metrics.set("things_total", 1, "red", "large")
    with pytest.raises(TypeError, match="not a histogram"):
        metrics.observe("plain", 1)


def test_a_name_declared_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="Duplicated"):
        MetricSet((*DECLARED, Metric("plain", "gauge", "Again")))


@pytest.mark.parametrize("service", SERVICES)
def test_chassis_and_service_together_declare_every_metric_once_and_well(service: str) -> None:
    made = MetricSet((*CHASSIS_METRICS, *import_module(f"{service}.metrics").METRICS))
    for metric in made:
        assert re.fullmatch(r"tuntas_[a-z_]+", metric.name), metric.name
        assert (metric.kind == "counter") == metric.name.endswith("_total"), f"{metric.name}: counters, and only they, end in _total"
        assert metric.help
        assert metric.audience
        assert not {"case_id", "tracking_id", "key", "path", "subject"} & set(metric.labels), f"{metric.name} has an unbounded label"
        if metric.kind == "histogram":
            assert list(metric.buckets) == sorted(set(metric.buckets))


def test_no_two_services_mean_different_things_by_one_name() -> None:
    declared = [m.name for service in SERVICES for m in import_module(f"{service}.metrics").METRICS] + [m.name for m in CHASSIS_METRICS]
    assert len(declared) == len(set(declared))
