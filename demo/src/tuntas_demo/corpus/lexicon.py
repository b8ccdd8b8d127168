"""The word lists of the corpus, read once: names, places, phrases, disclosures, colloquial spellings."""

import tomllib
from functools import lru_cache
from importlib.resources import files
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tuntas_contracts.vocabulary import Classification
from tuntas_demo.corpus.model import CorpusError

Words = Annotated[tuple[str, ...], Field(min_length=1)]


class _Lexicon(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Names(_Lexicon):
    """Names of one region; a full name is a given name and a family name."""

    male: Words
    female: Words
    family: Words


class Places(_Lexicon):
    """Streets and villages; the vague ones are what people write who don't say where."""

    roads: Words
    vague_roads: Words
    vague_places: Words
    vague_villages: Words
    vague_districts: Words
    vague_regions: Words
    villages: dict[str, Words]


class LongForms(_Lexicon):
    """What a long report is made of beside its matter: for troubles of a whole street (`local`) or one's own affairs (`personal`)."""

    attempts: Words
    attempts_local: Words
    attempts_personal: Words
    impacts: Words
    impacts_local: Words
    impacts_personal: Words
    hopes: Words
    chronology: Words
    steps: Words
    steps_local: Words
    steps_personal: Words
    asides: Words
    questions: Words
    reasons: Words


class OfficerForms(_Lexicon):
    """The frame of an officer's text, and what is said where a situation has no text of its own."""

    openers: Words
    closers: Words
    replies: dict[Classification, Words]
    defaults: Words
    returns: Words


class ShortForms(_Lexicon):
    """What may follow a report of one line."""

    places: Words
    tails: dict[Classification, Words]


class Phrases(_Lexicon):
    """The sentences around the matter, by classification and manner (formal, plain, chatty); `regional` by people."""

    openers: dict[Classification, dict[str, Words]]
    closers: dict[Classification, dict[str, Words]]
    asks: dict[str, Words]
    short: ShortForms
    long: LongForms
    regional: dict[str, Words]
    officer: OfficerForms


class Disclosure(_Lexicon):
    """A way to give personal data away in a text."""

    kinds: Words
    where: Literal["start", "end"]
    sentences: Words


class Colloquial(_Lexicon):
    """Spellings by standard word: typed in a hurry, and as spoken."""

    abbreviations: dict[str, Words]
    spoken: dict[str, Words]


class Lexicon(_Lexicon):
    """All word lists together."""

    people: dict[str, Names]
    places: Places
    phrases: Phrases
    disclosures: tuple[Disclosure, ...]
    colloquial: Colloquial


@lru_cache(maxsize=1)
def load_lexicon() -> Lexicon:
    """The word lists that come with this package. Raises `CorpusError`."""
    try:
        return Lexicon.model_validate(
            {
                "people": _read("people.toml"),
                "places": _read("places.toml"),
                "phrases": _read("phrases.toml"),
                "disclosures": _read("disclosures.toml")["disclosure"],
                "colloquial": _read("colloquial.toml"),
            }
        )
    except (tomllib.TOMLDecodeError, KeyError, ValidationError) as error:
        raise CorpusError(f"the word lists in lexicon/ can't be read: {error}") from error


def _read(name: str) -> dict[str, object]:
    return tomllib.loads(files("tuntas_demo.corpus").joinpath("lexicon", name).read_text(encoding="utf-8"))
