"""Puts a report's text together: greeting, matter, details, a story where it is a long one, thanks."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from random import Random

from tuntas_contracts.vocabulary import Classification
from tuntas_demo.corpus.affinity import fitting, matching
from tuntas_demo.corpus.catalogue import Level, Situation
from tuntas_demo.corpus.lexicon import Lexicon, Phrases
from tuntas_demo.corpus.slots import Facts
from tuntas_demo.corpus.story import long_story
from tuntas_demo.corpus.text_noise import Manner

TITLE_LIMIT = 150
BODY_LIMITS = (20, 8000)
PASTED_TWICE_SHARE = 0.08
# A street already says that it is one, and a matter that begins with a greeting gets no second one.
_STREET_TWICE = re.compile(r"\b[Jj]alan (?=Jl\. |jalan |Gang |gang )")
_NAMES_PLACE = re.compile(r"\{(?:place|road|region|facility|village)\}")
_GREETS = ("Selamat", "Dengan hormat", "Mau ", "Mohon", "Pagi", "Lapor", "Admin", "Tolong", "Woy")


class Length(StrEnum):
    """How much someone writes."""

    SHORT = "short"
    NORMAL = "normal"
    LONG = "long"
    VERY_LONG = "very_long"


@dataclass(frozen=True, slots=True)
class Draft:
    """A report in clean Indonesian, before it is typed. `variant` is the template of its matter; some are pasted twice."""

    title: str
    paragraphs: tuple[str, ...]
    resolution: str
    variant: str
    pasted_twice: bool = False


def compose(rng: Random, lexicon: Lexicon, situation: Situation, facts: Facts, length: Length, manner: Manner, today: date) -> Draft:
    """The text of one report."""
    reported = facts.reported
    variants = situation.short if length is Length.SHORT else situation.bodies
    variant = rng.choice(variants)
    title = _cut(rng.choice(matching(situation.titles, variants, variant)).format_map(facts.in_title))
    resolution = rng.choice(matching(situation.resolution, variants, variant)).format_map(reported)
    if length is Length.SHORT:
        return Draft(title, (_short(rng, lexicon, situation, variant, reported),), resolution, variant)
    details = list(fitting(situation.details, variants, variant))
    rng.shuffle(details)
    kept = {Length.NORMAL: rng.choice((0, 1, 1, 2)), Length.LONG: 2}.get(length, len(details))
    paragraphs = [" ".join(_sentence(text.format_map(reported)) for text in (variant, *details[:kept]))]
    if length in (Length.LONG, Length.VERY_LONG):
        paragraphs += long_story(rng, lexicon.phrases.long, situation, reported, today, very_long=length is Length.VERY_LONG)
    if resolution and situation.archive_reason is None and rng.random() < 0.25:
        ask = rng.choice(lexicon.phrases.asks.get(manner.register, lexicon.phrases.asks["plain"]))
        paragraphs[-1] += " " + ask.format(ask=resolution[0].lower() + resolution[1:])
    pasted_twice = length is Length.VERY_LONG and rng.random() < PASTED_TWICE_SHARE
    return Draft(title, _framed(rng, lexicon.phrases, situation, paragraphs, manner, length), resolution, variant, pasted_twice)


def _short(rng: Random, lexicon: Lexicon, situation: Situation, variant: str, reported: Mapping[str, str]) -> str:
    """A line, now and then with the place or a word of thanks behind it."""
    forms = lexicon.phrases.short
    parts = [variant.format_map(reported)]
    if situation.archive_reason is None:
        if situation.level is Level.REGENCY and not _NAMES_PLACE.search(variant) and rng.random() < 0.55:
            parts.append(rng.choice(forms.places).format_map(reported))
        if rng.random() < 0.35:
            parts.append(rng.choice(forms.tails[situation.classification]).format_map(reported))
    if len(parts) == 1:
        return parts[0]
    end = "?" if situation.classification is Classification.INFORMATION else "."
    return " ".join((_sentence(parts[0], end), *parts[1:]))


def _framed(rng: Random, phrases: Phrases, situation: Situation, paragraphs: list[str], manner: Manner, length: Length) -> tuple[str, ...]:
    long = length in (Length.LONG, Length.VERY_LONG)
    polite = 0.75 if manner is Manner.CAREFUL or long else 0.35
    if rng.random() < polite and not paragraphs[0].startswith(_GREETS):
        opener = rng.choice(phrases.openers[situation.classification][manner.register])
        if long:
            paragraphs.insert(0, opener)
        else:
            paragraphs[0] = f"{opener} {_uncapitalised(paragraphs[0]) if opener.endswith(',') else paragraphs[0]}"
    if rng.random() < polite and situation.archive_reason is None:
        closer = rng.choice(phrases.closers[situation.classification][manner.register])
        if long:
            paragraphs.append(closer)
        else:
            paragraphs[-1] = f"{paragraphs[-1]} {closer}"
    return tuple(paragraphs)


def _uncapitalised(text: str) -> str:
    """As after a comma; abbreviations keep their capitals."""
    return text if text[1:2].isupper() else text[0].lower() + text[1:]


def _sentence(text: str, end: str = ".") -> str:
    stripped = _STREET_TWICE.sub("", text.rstrip())
    return stripped if stripped.endswith((".", "!", "?")) else f"{stripped}{end}"


def _cut(text: str) -> str:
    """Cut at a word where it would be too long, as forms do."""
    title = _STREET_TWICE.sub("", text)
    return title if len(title) <= TITLE_LIMIT else title[:TITLE_LIMIT].rsplit(" ", 1)[0]
