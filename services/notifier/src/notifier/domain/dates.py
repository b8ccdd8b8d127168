"""Dates as people read them, in Indonesian and in English."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

_DAYS = {
    "id": ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
_MONTHS = {
    "id": ("Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September", "Oktober", "November", "Desember"),
    "en": ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"),
}
_ZONE_NAMES = {"Asia/Jakarta": "WIB", "Asia/Makassar": "WITA", "Asia/Jayapura": "WIT"}


def long_date(moment: datetime, zone: str, language: str) -> str:
    """The local day of `moment`: "Selasa, 24 November 2026". `language` is "id" or "en"."""
    local = moment.astimezone(ZoneInfo(zone))
    return f"{_DAYS[language][local.weekday()]}, {local.day} {_MONTHS[language][local.month - 1]} {local.year}"


def last_day(due_at: datetime, zone: str, language: str) -> str:
    """The last day on which a deadline is still met, with the zone's abbreviation where Indonesia has one.

    A deadline is the end of a day: midnight belongs to the day that it ends.
    """
    day = long_date(due_at - timedelta(microseconds=1), zone, language)
    abbreviation = _ZONE_NAMES.get(zone)
    return f"{day} ({abbreviation})" if abbreviation else day
