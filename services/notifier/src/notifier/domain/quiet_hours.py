"""Mails of midnight wait for the morning: deadlines end at midnight, and nobody can act on them before office hours."""

from datetime import datetime, time
from typing import Final

from notifier.domain.delivery import Delivery
from notifier.domain.notices import NoticeKind
from tuntas_reference.deadlines import zone_or_national

MORNING: Final = time(7)
# What time does, not people: whoever just did something is awake and waits for an answer.
_BY_TIME: Final = frozenset({NoticeKind.REMINDER, NoticeKind.OVERDUE, NoticeKind.DEADLINE_WARNING, NoticeKind.DEADLINE_MISSED})


def waits_until(delivery: Delivery, time_zone: str | None, now: datetime) -> datetime | None:
    """Until when a mail waits that would go out now, business time: 07:00 local of a night; None where it goes at once.

    `time_zone` is that of the agency which has the case, or None for the national one.
    """
    by_time = delivery.kind in _BY_TIME or (delivery.kind is NoticeKind.CLOSED and delivery.variables.get("reason") == "no_reply")
    if not by_time:
        return None
    zone = zone_or_national(time_zone)
    local = now.astimezone(zone)
    return datetime.combine(local.date(), MORNING, zone) if local.time() < MORNING else None
