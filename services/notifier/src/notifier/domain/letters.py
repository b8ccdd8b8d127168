"""What a template may say of a delivery: names, dates and the profile's own words, in one language."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from notifier.domain.dates import last_day
from notifier.domain.delivery import Claimed
from notifier.domain.notices import Value
from tuntas_contracts.vocabulary import ArchiveReason, Role, ServiceClass
from tuntas_reference.categories import BilingualName
from tuntas_reference.profile import DEFAULT_PROFILE, RegulationProfile, known_profiles, load_profile

_UNNAMED = {"id": "instansi yang berwenang", "en": "the competent agency"}
_LEVELS = {
    "reminder": {"id": "pengingat", "en": "reminder"},
    "yellow": {"id": "kuning", "en": "yellow"},
    "red": {"id": "merah", "en": "red"},
    "checkpoint": {"id": "pemantauan", "en": "checkpoint"},
    "missed": {"id": "terlampaui", "en": "missed"},
    "escalated": {"id": "eskalasi", "en": "escalated"},
}


def words_of(claimed: Claimed, language: str, *, name: str | None, page: str) -> Mapping[str, object]:
    """The variables of a template in `language` ("id" or "en"): the delivery's own, and codes and dates turned into words.

    Limits come from the profile that the case was received under; of one that this release does not know, from the default.
    """
    delivery = claimed.delivery
    profile = _profile(claimed.profile)
    role = delivery.recipient
    words: dict[str, object] = {
        **delivery.variables,
        "name": name,
        "role": (role.indonesian if language == "id" else role.english) if isinstance(role, Role) else None,
        "tracking_id": claimed.tracking_id,
        "case_id": str(delivery.case_id),
        "page": page,
        "agency": claimed.agency_name or delivery.agency or _UNNAMED[language],
        "agency_known": delivery.agency is not None,
        "days": _days(claimed.profile),
    }
    zone = claimed.agency_time_zone or profile.national_time_zone
    words.update(_deadline_words(delivery.variables, profile, zone, language))
    return words


def _deadline_words(variables: Mapping[str, Value], profile: RegulationProfile, zone: str, language: str) -> dict[str, object]:
    found: dict[str, object] = {}
    clock = variables.get("clock")
    if isinstance(clock, str):
        rule = profile.clock(clock)
        found["stage"] = _in(rule.title, language)
        zone = profile.national_time_zone if rule.zone == "national" else zone
    due_at = variables.get("due_at")
    if isinstance(due_at, str):
        found["due"] = last_day(datetime.fromisoformat(due_at), zone, language)
    level = variables.get("level")
    if isinstance(level, str):
        found["level_name"] = _LEVELS[level][language]
    if "service_class" in variables:
        code = variables["service_class"]
        found["class_name"] = _in(profile.service_class(ServiceClass(code)).name, language) if isinstance(code, str) else None
    reason = variables.get("reason")
    if isinstance(reason, str) and reason in set(ArchiveReason):
        found["reason_name"] = _in(next(r.name for r in profile.archive_reasons if r.code == reason), language)
    return found


@lru_cache(maxsize=64)
def _profile(name: str | None) -> RegulationProfile:
    return load_profile(name if name in known_profiles() else DEFAULT_PROFILE)


@lru_cache(maxsize=64)
def _days(name: str | None) -> Mapping[str, int]:
    """`days.C6` in a template: the length of that clock under the case's profile, in the clock's own unit."""
    return {rule.code: rule.days for rule in _profile(name).clocks if isinstance(rule.days, int)}


def _in(name: BilingualName, language: str) -> str:
    return name.id if language == "id" else name.en
