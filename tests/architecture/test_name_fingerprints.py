"""Fingerprints of reporters' names stay on the cases topic: no agency and nobody over HTTP is given one."""

import json

import pytest

from tests.architecture.built_services import built
from tests.architecture.sources import SERVICES
from tuntas_contracts.cases import CaseForwarded, ReportSubmitted
from tuntas_contracts.topology import TOPICS

FIELD = "name_fingerprints"


def test_only_a_report_and_its_hand_over_carry_them() -> None:
    carriers = {(topic.name, kind) for topic in TOPICS for kind in topic.messages() if FIELD in json.dumps(kind.model_json_schema())}
    assert carriers == {("tuntas.cases.v1", ReportSubmitted), ("tuntas.cases.v1", CaseForwarded)}


@pytest.mark.parametrize("service", SERVICES)
def test_no_service_takes_or_gives_one_over_http(service: str) -> None:
    described = json.dumps(built(service).http.openapi())
    assert "paths" in described
    assert "fingerprint" not in described.lower()


@pytest.mark.parametrize("service", SERVICES)
def test_no_service_counts_by_them(service: str) -> None:
    assert [metric.name for metric in built(service).metrics if "fingerprint" in " ".join((metric.name, *metric.labels))] == []
