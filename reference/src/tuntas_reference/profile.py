"""The regulation profile (profil regulasi): the limits, warnings, reasons and fast tracks of one regulation, as data.

Each case carries the name of the profile that it was received under.
"""

import re
from datetime import time
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tuntas_contracts.base import AgencyCode
from tuntas_contracts.vocabulary import ArchiveReason, Clock, Role, ServiceClass, WarningLevel
from tuntas_reference.categories import BilingualName

DEFAULT_PROFILE = "permenpan-62-2018"
FIRST_CLOCKS = tuple(Clock)[:13]
"""The clocks of every profile; a profile that was released before a later clock has no such clock, and its cases none."""

TransitionCode = Annotated[str, Field(pattern=r"^T([1-9]|1\d|2[0-6])$")]
PositiveDays = Annotated[int, Field(ge=1)]


class UnknownProfileError(LookupError):
    """No profile has that name."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(f"no regulation profile {name!r}: the known ones are {', '.join(known)}")
        self.name = name
        self.known = known


class ProfileLookupError(LookupError):
    """The profile was asked for something that it does not hold; the message says what and what it has."""


class ProfileModel(BaseModel):
    """Frozen, and strict about fields: a misspelt limit must not be passed over."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DayUnit(StrEnum):
    """How a clock counts."""

    WORKING_DAYS = "working_days"  # hari kerja
    CALENDAR_DAYS = "calendar_days"  # hari kalender


class Basis(StrEnum):
    """What a rule rests on: a legal text, the practice of SP4N-LAPOR!, or our reading where both are silent."""

    LAW = "law"
    PRACTICE = "practice"
    OURS = "ours"


class Source(ProfileModel):
    """Where a rule comes from."""

    basis: Basis
    text: str


class ServiceClassRule(ProfileModel):
    """The completion limit of C4 and the checkpoint of C5 for one class, in working days."""

    service_class: ServiceClass
    name: BilingualName
    working_days: PositiveDays
    checkpoint_days_before_end: PositiveDays
    source: Source

    @model_validator(mode="after")
    def _checkpoint_lies_within_the_limit(self) -> Self:
        if self.checkpoint_days_before_end >= self.working_days:
            raise ValueError(f"class {self.service_class}: the checkpoint lies before the clock starts")
        return self


class Anchor(StrEnum):
    """What a warning's days are counted from."""

    START = "start"  # day 0 of the clock
    END = "end"  # its deadline


class Moment(StrEnum):
    """When on its local day a warning fires."""

    WARNING_HOUR = "warning_hour"
    END_OF_DAY = "end_of_day"


class WarningRule(ProfileModel):
    """One level of a clock: when it fires and who is notified.

    `days` are the clock's own, after the anchor if positive, before it if negative; "checkpoint" is the H-n of the
    service class. `end`, 0 days, `end_of_day` is the deadline itself. `intervention_by` gets an intervention task.
    `supervisor_tier` says which supervisor is meant: the national one, or the next tier above the agency (berjenjang).
    """

    level: WarningLevel
    anchor: Anchor
    days: int | Literal["checkpoint"]
    moment: Moment
    recipients: Annotated[tuple[Role, ...], Field(min_length=1)]
    supervisor_tier: Literal["national", "next"] | None = None
    intervention_by: Role | None = None
    source: Source | None = None

    @model_validator(mode="after")
    def _supervisor_has_a_tier(self) -> Self:
        if (Role.SUPERVISOR in self.recipients) != (self.supervisor_tier is not None):
            raise ValueError("supervisor_tier is given if, and only if, a supervisor is notified")
        return self

    @property
    def is_deadline(self) -> bool:
        """Whether this is the moment at which the clock runs out."""
        return self.anchor is Anchor.END and self.days == 0 and self.moment is Moment.END_OF_DAY


class ClockKind(StrEnum):
    """What it means that a clock ran out."""

    DUTY = "duty"  # an officer is late
    WINDOW = "window"  # a right or a wait has ended
    CHECKPOINT = "checkpoint"  # nothing: it only warns of C4
    THRESHOLD = "threshold"  # the reporter gains a right


class ClockRule(ProfileModel):
    """One clock. `days` is its length in `unit`; "service_class" is the limit of the case's class.

    `zone`: whose local time ends a day; `agency` is the agency that has the case, Asia/Jakarta while none has.
    """

    code: Clock
    name: Annotated[str, Field(pattern=r"^[a-z_]+$")]
    title: BilingualName
    kind: ClockKind
    zone: Literal["national", "agency"]
    unit: DayUnit
    days: PositiveDays | Literal["service_class"]
    pauses_in: tuple[Literal["awaiting_data", "force_majeure"], ...] = ()
    warnings: tuple[WarningRule, ...] = ()
    source: Source

    @model_validator(mode="after")
    def _each_level_once(self) -> Self:
        levels = [warning.level for warning in self.warnings]
        if len(set(levels)) != len(levels):
            raise ValueError(f"clock {self.code}: a warning is emitted once per level, so give each level once")
        return self


class ArchiveReasonRule(ProfileModel):
    """An archive reason and the transitions that may give it; `links_case`: it names the case that stays open."""

    code: ArchiveReason
    name: BilingualName
    transitions: Annotated[tuple[TransitionCode, ...], Field(min_length=1)]
    links_case: bool = False


class FastTrackRule(ProfileModel):
    """T21: a report in one of the categories (or below), with one of the keywords, goes straight to a unit.

    The limits are in working days and no looser than the profile's.
    """

    code: Annotated[str, Field(pattern=r"^[a-z][a-z-]*$")]
    name: BilingualName
    enabled: bool
    categories: Annotated[tuple[str, ...], Field(min_length=1)]
    keywords: Annotated[tuple[str, ...], Field(min_length=1)]
    agency: AgencyCode
    unit: str
    service_class: ServiceClass
    first_follow_up_working_days: PositiveDays
    completion_working_days: PositiveDays
    source: Source

    def matches(self, category: str | None, title: str, body: str) -> bool:
        """Whether a report falls under this rule; a report without a category never does."""
        if not self.enabled or category is None:
            return False
        if not any(category == root or category.startswith(f"{root}.") for root in self.categories):
            return False
        return _any_keyword(self.keywords).search(f"{title}\n{body}") is not None


class CaseLimits(ProfileModel):
    """How often, and for how long in all, something may happen to one case."""

    bounces_before_arbitration: PositiveDays
    pause_calendar_days: PositiveDays
    reopens: PositiveDays
    appeals: PositiveDays
    reclassifications_to_supervisory: PositiveDays
    stale_complaint_calendar_days: PositiveDays
    supplements_a_day: PositiveDays


class RegulationProfile(ProfileModel):
    """One regulation as data. Raises `ValidationError` unless every class, clock and archive reason is there once."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    version: PositiveDays
    title: BilingualName
    national_time_zone: str
    warning_hour: time
    service_classes: tuple[ServiceClassRule, ...]
    clocks: tuple[ClockRule, ...]
    archive_reasons: tuple[ArchiveReasonRule, ...]
    limits: CaseLimits
    fast_tracks: tuple[FastTrackRule, ...]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for what, given, wanted in (
            ("service classes", [rule.service_class for rule in self.service_classes], list(ServiceClass)),
            ("clocks", [rule.code for rule in self.clocks], [c for c in Clock if c in FIRST_CLOCKS or self.has_clock(c)]),
            ("archive reasons", [rule.code for rule in self.archive_reasons], list(ArchiveReason)),
        ):
            if sorted(given) != sorted(wanted):
                raise ValueError(f"the {what} must be {', '.join(wanted)}, each once; given: {', '.join(given)}")
        codes = [rule.code for rule in self.fast_tracks]
        if len(set(codes)) != len(codes):
            raise ValueError("two fast tracks have the same code")
        for rule in self.fast_tracks:
            if rule.completion_working_days > self.service_class(rule.service_class).working_days:
                raise ValueError(f"fast track {rule.code}: completion is looser than class {rule.service_class}")
            if rule.first_follow_up_working_days > self.days("C3"):
                raise ValueError(f"fast track {rule.code}: first follow-up is looser than C3")
        return self

    def service_class(self, code: ServiceClass) -> ServiceClassRule:
        """The rule of a service class."""
        return next(rule for rule in self.service_classes if rule.service_class == code)

    def has_clock(self, code: str) -> bool:
        """Whether cases under this profile have that clock."""
        return any(rule.code == code for rule in self.clocks)

    def clock(self, code: str) -> ClockRule:
        """The rule of a clock, such as "C1". Raises `ProfileLookupError`."""
        for rule in self.clocks:
            if rule.code == code:
                return rule
        raise ProfileLookupError(f"no clock {code!r} in {self.name}: its clocks are {', '.join(rule.code for rule in self.clocks)}")

    def days(self, code: str, service_class: ServiceClass | None = None) -> int:
        """The length of a clock in its own unit. Raises `ProfileLookupError`, for C4 and C5 without a class too."""
        rule = self.clock(code)
        if rule.days != "service_class":
            return rule.days
        return self._class_of(code, service_class).working_days

    def warning_days(self, code: str, warning: WarningRule, service_class: ServiceClass | None = None) -> int:
        """The days of a warning of that clock from its anchor. Raises `ProfileLookupError`."""
        if warning.days != "checkpoint":
            return warning.days
        return -self._class_of(code, service_class).checkpoint_days_before_end

    def _class_of(self, code: str, service_class: ServiceClass | None) -> ServiceClassRule:
        if service_class is None:
            raise ProfileLookupError(f"clock {code} depends on the service class: give the class of the case")
        return self.service_class(service_class)

    def archive_reasons_for(self, transition: str) -> tuple[ArchiveReason, ...]:
        """The reasons that a transition may give, such as those of "T13"; none for one that does not archive."""
        return tuple(rule.code for rule in self.archive_reasons if transition in rule.transitions)

    def fast_track(self, category: str | None, title: str, body: str) -> FastTrackRule | None:
        """The first fast-track rule that a report falls under, if any (T21)."""
        return next((rule for rule in self.fast_tracks if rule.matches(category, title, body)), None)


def known_profiles() -> tuple[str, ...]:
    """The names of the profiles that come with this package."""
    folder = files("tuntas_reference").joinpath("data", "profiles")
    return tuple(sorted(item.name.removesuffix(".json") for item in folder.iterdir() if item.name.endswith(".json")))


@lru_cache(maxsize=16)
def load_profile(name: str = DEFAULT_PROFILE) -> RegulationProfile:
    """The profile of that name, read once. Raises `UnknownProfileError`, and `ValidationError` for a faulty file."""
    known = known_profiles()
    if name not in known:
        raise UnknownProfileError(name, known)
    text = files("tuntas_reference").joinpath("data", "profiles", f"{name}.json").read_text(encoding="utf-8")
    return RegulationProfile.model_validate_json(text)


@lru_cache(maxsize=256)
def _any_keyword(keywords: tuple[str, ...]) -> re.Pattern[str]:
    """Whole words only, in any case, over any white space: "flu" must not be found in "influencer"."""
    words = "|".join(r"\s+".join(re.escape(part) for part in keyword.split()) for keyword in keywords)
    return re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE)
