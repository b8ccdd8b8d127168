"""Statements for many rows come from declared columns: no service writes its arrays by hand."""

import re

import pytest

from tests.architecture.sources import ROOT, SERVICES, code

BY_HAND = re.compile(r"unnest\s*\(\W*CAST\s*\(", re.IGNORECASE)
NOT_YET = {
    f"services/intake/src/intake/{path}"
    for path in (
        "adapters/key_rotation.py",
        "adapters/personal_data.py",
        "adapters/reports.py",
        "adapters/store.py",
        "adapters/undecided.py",
        "adapters/reports_on_file.py",
    )
}


@pytest.mark.parametrize("service", SERVICES)
def test_arrays_are_declared(service: str) -> None:
    found = {str(path.relative_to(ROOT)) for path in code(SERVICES[service]) if BY_HAND.search(path.read_text("utf-8"))}
    assert found - NOT_YET == set(), "use BulkColumns of tuntas_chassis.persistence.bulk"


def test_every_exception_is_one_still() -> None:
    assert {path for path in NOT_YET if (ROOT / path).exists() and not BY_HAND.search((ROOT / path).read_text("utf-8"))} == set()
