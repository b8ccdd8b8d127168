"""How verifiers, agencies, officers and reporters behave in the demo: pure decisions, the same for the same arguments.

Delays are whole working days (hari kerja) after the moment the player could have acted; 0 is the same day.
"""

from dataclasses import dataclass
from enum import StrEnum
from random import Random

from tuntas_contracts.vocabulary import ArchiveReason, ServiceClass
from tuntas_demo.corpus.chance import pick
from tuntas_demo.corpus.model import Hint

NEUTRAL = Hint()
WRONG_ROUTE_SHARE = 0.061  # of those not archived: 6 % of all
ARCHIVE_SHARE = 0.02
SYSTEM_SHARE = 0.25
LIMITS = {ServiceClass.INFORMATION: 5, ServiceClass.NORMATIVE: 5, ServiceClass.ORDINARY: 14, ServiceClass.SUPERVISORY: 60}
FOLLOW_UP_LIMIT = 5
VERIFICATION_LIMIT = 3
_UNHINTED_REASONS = (ArchiveReason.TOO_GENERAL, ArchiveReason.SPAM, ArchiveReason.NOT_A_PUBLIC_SERVICE_MATTER)


class Pace(StrEnum):
    """How an agency works."""

    DILIGENT = "diligent"
    ORDINARY = "ordinary"
    SLOW = "slow"
    NEGLIGENT = "negligent"


class Act(StrEnum):
    """What a player does with a case."""

    ROUTE = "route"  # T3 to the right agency
    ROUTE_WRONGLY = "route_wrongly"  # T3 to another one
    ACCEPT = "accept"  # T4
    HANDLE = "handle"  # T5
    RETURN = "return"  # T10, bukan wewenang
    ARCHIVE = "archive"  # T13
    CONFIRM = "confirm"  # T18
    REPLY = "reply"  # T16
    STAY_SILENT = "stay_silent"  # until T17


@dataclass(frozen=True, slots=True)
class AgencyCharacter:
    """What an agency is like. `own_system`: it acts through Kafka by its own application, else its officers act over HTTP."""

    pace: Pace
    own_system: bool
    handles_itself: float
    returns_wrongly: float


@dataclass(frozen=True, slots=True)
class VerifierDecision:
    """What the national administrator does, and after how many working days (C1: 3)."""

    act: Act
    working_days: int
    archive_reason: ArchiveReason | None = None


@dataclass(frozen=True, slots=True)
class AgencyDecision:
    """What the agency administrator does, and after how many working days (C2: 3); the flags go with accepting and handling."""

    act: Act
    working_days: int
    normative: bool = False
    supervision_content: bool = False
    field_inspection: bool = False
    archive_reason: ArchiveReason | None = None


@dataclass(frozen=True, slots=True)
class LiaisonDecision:
    """When the officer in charge records a follow-up (C3: 5) and answers (C4), counted from acceptance; None is never.

    `re_answer` is counted from a dissatisfied reply (C8: 5).
    """

    follow_up: int | None
    answer: int | None
    re_answer: int | None


@dataclass(frozen=True, slots=True)
class ReporterDecision:
    """What the reporter does with an answer, and after how many working days (C6: 10). `rating` 1–5 goes with confirming."""

    act: Act
    working_days: int
    rating: int | None = None


def agency_character(seed: int, agency: str) -> AgencyCharacter:
    """What the agency is like, the same in all its cases."""
    rng = Random(f"{seed}:{agency}:character")
    pace = pick(rng, ((Pace.DILIGENT, 34), (Pace.ORDINARY, 42), (Pace.SLOW, 16), (Pace.NEGLIGENT, 8)))
    return AgencyCharacter(
        pace=pace,
        own_system=rng.random() < SYSTEM_SHARE,
        handles_itself=rng.uniform(0.05, 0.3),
        returns_wrongly=0.06 if pace in (Pace.SLOW, Pace.NEGLIGENT) else 0.015,
    )


def verifier_decision(seed: int, case: int, agency: str, hint: Hint = NEUTRAL) -> VerifierDecision:
    """What the verifier does with a report that `agency` ought to get. Without a hint, 2 % deserve the archive."""
    rng = Random(f"{seed}:{case}:{agency}:verifier")
    days = pick(rng, ((0, 38), (1, 34), (2, 18), (3, 6), (4, 2), (6, 2)))
    reason = hint.archive_reason
    if reason is None and hint.right_agency is None and rng.random() < ARCHIVE_SHARE:
        reason = rng.choice(_UNHINTED_REASONS)
    if reason is not None:
        return VerifierDecision(Act.ARCHIVE, days, reason)
    return VerifierDecision(Act.ROUTE_WRONGLY if rng.random() < WRONG_ROUTE_SHARE else Act.ROUTE, days)


def agency_decision(seed: int, case: int, agency: str, hint: Hint = NEUTRAL) -> AgencyDecision:
    """What the administrator of `agency` does with a case that has come to it. One that isn't competent returns nine in ten."""
    character = agency_character(seed, agency)
    rng = Random(f"{seed}:{case}:{agency}:agency")
    days = _delay(rng, character.pace, VERIFICATION_LIMIT)
    if hint.archive_reason is not None:
        return AgencyDecision(Act.ARCHIVE, days, archive_reason=hint.archive_reason)
    competent = hint.right_agency in (None, agency)
    if rng.random() < (character.returns_wrongly if competent else 0.9):
        return AgencyDecision(Act.RETURN, days)
    service_class = hint.service_class
    return AgencyDecision(
        act=Act.HANDLE if rng.random() < character.handles_itself else Act.ACCEPT,
        working_days=days,
        normative=service_class is ServiceClass.NORMATIVE,
        supervision_content=service_class is ServiceClass.SUPERVISORY or (service_class is ServiceClass.ORDINARY and rng.random() < 0.04),
        field_inspection=service_class is ServiceClass.SUPERVISORY,
    )


def liaison_decision(seed: int, case: int, agency: str, hint: Hint = NEUTRAL) -> LiaisonDecision:
    """When the officer in charge of the case acts. A negligent agency leaves a third unanswered."""
    pace = agency_character(seed, agency).pace
    rng = Random(f"{seed}:{case}:{agency}:liaison")
    if pace is Pace.NEGLIGENT and rng.random() < 0.33:
        return LiaisonDecision(follow_up=_delay(rng, pace, FOLLOW_UP_LIMIT) if rng.random() < 0.5 else None, answer=None, re_answer=None)
    answer = _delay(rng, pace, LIMITS[hint.service_class])
    follow_up = min(_delay(rng, pace, FOLLOW_UP_LIMIT), answer)
    return LiaisonDecision(follow_up, answer, _delay(rng, pace, FOLLOW_UP_LIMIT))


def reporter_decision(seed: int, case: int, agency: str, hint: Hint = NEUTRAL, *, answers: int = 1) -> ReporterDecision:
    """What the reporter does with the answer number `answers`. Most stay silent; after a second answer few go on."""
    pace = agency_character(seed, agency).pace
    rng = Random(f"{seed}:{case}:{agency}:reporter:{answers}")
    dissatisfied = {Pace.DILIGENT: 8, Pace.ORDINARY: 13, Pace.SLOW: 20, Pace.NEGLIGENT: 26}[pace]
    if hint.service_class is ServiceClass.INFORMATION:
        dissatisfied //= 2
    if answers > 1:
        dissatisfied //= 4
    act = pick(rng, ((Act.STAY_SILENT, 64), (Act.CONFIRM, 24 if pace is Pace.DILIGENT else 17), (Act.REPLY, dissatisfied)))
    days = pick(rng, ((0, 30), (1, 25), (2, 15), (3, 10), (5, 10), (8, 6), (9, 4)))
    if act is not Act.CONFIRM:
        return ReporterDecision(act, days)
    stars = (2, 3, 10, 35, 50) if pace in (Pace.DILIGENT, Pace.ORDINARY) else (14, 16, 28, 27, 15)
    return ReporterDecision(act, days, rating=pick(rng, tuple(zip((1, 2, 3, 4, 5), stars, strict=True))))


def _delay(rng: Random, pace: Pace, limit: int) -> int:
    """Working days of `limit` that an agency of that pace takes; the tail of each goes beyond the limit, a diligent one's hardly ever."""
    low, mode, high = {
        Pace.DILIGENT: (0.0, 0.25, 0.9),
        Pace.ORDINARY: (0.05, 0.5, 1.2),
        Pace.SLOW: (0.3, 0.9, 1.8),
        Pace.NEGLIGENT: (0.6, 1.3, 3.0),
    }[pace]
    return int(rng.triangular(low, high, mode) * limit)
