"""Statements for many rows come from declared columns: no service writes its arrays by hand."""

import re

import pytest

from tests.architecture.sources import ROOT, SERVICES, code

BY_HAND = re.compile(r"unnest\s*\(\W*CAST\s*\(", re.IGNORECASE)


@pytest.mark.parametrize("service", SERVICES)
def test_arrays_are_declared(service: str) -> None:
    found = {str(path.relative_to(ROOT)) for path in code(SERVICES[service]) if BY_HAND.search(path.read_text("utf-8"))}
    assert found == set(), "use BulkColumns of tuntas_chassis.persistence.bulk"
