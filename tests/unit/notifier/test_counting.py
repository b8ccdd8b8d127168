"""Every kind of notice is shown from the start: the first failure of a kind must be seen as an increase."""

from notifier.application.delivery_events import count_from_zero
from notifier.domain.notices import NoticeKind
from notifier.metrics import DEFERRED, FAILED, METRICS, SENT
from tuntas_chassis.telemetry.metrics import MetricSet


def test_counters_of_all_kinds_begin_at_zero() -> None:
    metrics = MetricSet(METRICS)
    count_from_zero(metrics)
    assert {metrics.value(name, kind.value) for name in (SENT, FAILED, DEFERRED) for kind in NoticeKind} == {0}
