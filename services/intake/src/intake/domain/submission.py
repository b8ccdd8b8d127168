"""Rules for a report at the door: who may hand it in over which channel, and how old its matter is."""

from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from tuntas_contracts.vocabulary import Channel, Classification
from tuntas_reference.deadlines import NATIONAL_TIME_ZONE

PUBLIC_CHANNELS: Final = frozenset({Channel.WEB, Channel.MOBILE})
LATE_ENTRY_DAYS: Final = 366
_NATIONAL: Final = ZoneInfo(NATIONAL_TIME_ZONE)
_EASTERNMOST: Final = ZoneInfo("Asia/Jayapura")


def is_manual(channel: Channel) -> bool:
    """Whether reports of this channel are entered by an officer or a gateway, never by the reporter."""
    return channel not in PUBLIC_CHANNELS


def is_stale(classification: Classification, incident: date | None, received_at: datetime, limit_days: int) -> bool:
    """Whether a complaint came more than `limit_days` calendar days after the service (UU 25/2009 art. 42, read softly: flagged only)."""
    if classification is not Classification.COMPLAINT or incident is None:
        return False
    return received_at.astimezone(_NATIONAL).date() - incident > timedelta(days=limit_days)


def is_future(incident: date, now: datetime) -> bool:
    """Whether that day has not begun anywhere in Indonesia."""
    return incident > now.astimezone(_EASTERNMOST).date()


def is_too_old(received_at: datetime, now: datetime) -> bool:
    """Whether a report was received by hand so long ago that it can't be entered any more."""
    return received_at < now - timedelta(days=LATE_ENTRY_DAYS)
