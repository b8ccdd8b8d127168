"""The long form of a report: what was tried, what it led to, step by step."""

from collections.abc import Mapping
from datetime import date, timedelta
from random import Random

from tuntas_contracts.vocabulary import Classification, ServiceKind
from tuntas_demo.corpus.catalogue import Level, Situation
from tuntas_demo.corpus.lexicon import LongForms
from tuntas_reference.categories import Sector

_PERSONAL_SECTORS = frozenset({Sector.HEALTH, Sector.EDUCATION, Sector.TEACHING, Sector.WORK_AND_BUSINESS})


def long_story(
    rng: Random, forms: LongForms, situation: Situation, reported: Mapping[str, str], today: date, *, very_long: bool
) -> list[str]:
    """Further paragraphs of a long report."""
    if situation.classification is Classification.INFORMATION:
        return [" ".join(rng.sample(forms.questions, 2 if very_long else 1))]
    if situation.classification is Classification.ASPIRATION:
        return [" ".join(rng.sample(forms.reasons, 3 if very_long else 1))]
    personal = _personal(situation)
    attempts = forms.attempts + (forms.attempts_personal if personal else forms.attempts_local)
    impacts = forms.impacts + (forms.impacts_personal if personal else forms.impacts_local)
    if not very_long:
        return [f"{rng.choice(attempts)} {rng.choice(impacts)}", *rng.sample(forms.hopes, rng.choice((0, 1)))]
    return [
        _chronology(rng, forms, forms.steps + (forms.steps_personal if personal else forms.steps_local), reported, today),
        " ".join(rng.sample(attempts, rng.randint(2, 4))),
        *rng.sample(forms.asides, rng.randint(2, len(forms.asides))),
        " ".join(rng.sample(impacts, rng.randint(2, 4))),
        " ".join(rng.sample(forms.hopes, rng.randint(1, 3))),
    ]


def _personal(situation: Situation) -> bool:
    """Whether it is one's own affair with an office rather than a trouble of the whole street."""
    return (
        situation.level is not Level.REGENCY
        or situation.service_kind is ServiceKind.ADMINISTRATIVE
        or situation.sector in _PERSONAL_SECTORS
    )


def _chronology(rng: Random, forms: LongForms, steps: tuple[str, ...], reported: Mapping[str, str], today: date) -> str:
    taken = rng.sample(steps, rng.randint(4, 7))
    gaps = [rng.randint(1, 6) for _ in taken]
    day = today - timedelta(days=sum(gaps) + rng.randint(1, 5))
    lines = [rng.choice(forms.chronology)]
    for number, (step, gap) in enumerate(zip(taken, gaps, strict=True), 1):
        lines.append(f"{number}. Tanggal {day.day}/{day.month}, {step.format_map(reported)}.")
        day += timedelta(days=gap)
    return "\n".join(lines)
