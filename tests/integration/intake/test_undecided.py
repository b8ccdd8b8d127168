"""The oldest report without a decision, on a real PostgreSQL."""

from time import time
from uuid import UUID

import pytest

from intake.adapters import undecided
from intake.adapters.undecided import UndecidedReports, first_id_of
from intake.metrics import UNDECIDED, UNDECIDED_LATE
from tests.integration.intake.harness import IntakeHarness

_ADD = (
    "INSERT INTO report (case_id, tracking_id, reporter_ref, classification, channel, language, anonymous, secret, misconduct, title, "
    "submitted_at) VALUES (:id, :tracking_id, :id, 'complaint', 'web', 'id', false, false, false, 'x', now())"
)
_DECIDE = (
    "INSERT INTO case_history (case_id, version, event, state, owner, occurred_at, detail) "
    "VALUES (:id, :version, 'CaseForwarded', 'at_agency', 'dispatch', now(), '{}')"
)


async def _report(harness: IntakeHarness, age_s: float, *versions: int) -> UUID:
    identifier = first_id_of(time() - age_s)
    await harness.run(_ADD, id=identifier, tracking_id=str(identifier))
    for version in versions:
        await harness.run(_DECIDE, id=identifier, version=version)
    return identifier


async def _age(harness: IntakeHarness, reports: UndecidedReports) -> float:
    await reports.measure()
    age = harness.app.metrics.value(UNDECIDED)
    assert age is not None
    return age


async def test_it_is_as_old_as_the_first_report_that_nobody_has_decided(harness: IntakeHarness) -> None:
    reports = UndecidedReports(harness.app.database, harness.app.metrics)
    assert await _age(harness, reports) == 0
    await _report(harness, 500, 2)
    waiting = await _report(harness, 300, 1)  # read back, but only its submission
    await _report(harness, 200, 2)
    younger = await _report(harness, 100)
    assert 300 <= await _age(harness, reports) < 310
    await harness.run(_DECIDE, id=waiting, version=2)
    assert 100 <= await _age(harness, reports) < 110
    await harness.run(_DECIDE, id=younger, version=2)
    assert await _age(harness, reports) == 0


async def test_what_was_decided_is_not_read_again_and_what_comes_late_is(harness: IntakeHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    for age in range(60, 40, -1):
        await _report(harness, age, 2)
    reports = UndecidedReports(harness.app.database, harness.app.metrics)
    monkeypatch.setattr(undecided, "_PORTION", 7)  # several portions in one pass
    assert await _age(harness, reports) == 0
    assert reports._after.int >> 80 >= int((time() - 45) * 1000)
    await _report(harness, 5)  # committed after a younger one was decided
    assert 5 <= await _age(harness, reports) < 15


async def test_each_report_that_waits_too_long_is_counted_not_only_the_first(harness: IntakeHarness) -> None:
    reports = UndecidedReports(harness.app.database, harness.app.metrics)
    stuck = [await _report(harness, age) for age in (500, 400, 130)]
    await _report(harness, 450, 2)
    await _report(harness, 60)
    assert await _age(harness, reports) >= 500
    assert harness.app.metrics.value(UNDECIDED_LATE) == 3
    await harness.run(_DECIDE, id=stuck[0], version=2)
    assert 400 <= await _age(harness, reports) < 410
    assert harness.app.metrics.value(UNDECIDED_LATE) == 2
