"""How people really type: abbreviations, typos, no capitals, all capitals, doubled punctuation, emoji."""

import re
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from tuntas_contracts.vocabulary import Classification
from tuntas_demo.corpus.lexicon import Lexicon

_GREETING = 40  # characters up to which a text may be a greeting alone
_WORD = re.compile(r"[A-Za-z]+")
_SENTENCE_START = re.compile(r"(?:^|[.!?]\s+|\n+)([a-z])")
_EMOJI = {
    Classification.COMPLAINT: ("🙏", "😭", "😡", "😢", "🙏🙏", "😤", "🤦", "🥺"),
    Classification.INFORMATION: ("🙏", "🙏🙏", "🤔", "😊"),
    Classification.ASPIRATION: ("🙏", "👍", "😊", "🙏🙏"),
}
_STOP = re.compile(r"(?<=[a-z]{4})\. (?=[A-Za-z])")
_NEIGHBOURS = {
    "a": "s", "b": "v", "c": "x", "d": "s", "e": "r", "f": "g", "g": "h", "h": "j", "i": "u", "j": "k", "k": "l", "l": "k",
    "m": "n", "n": "m", "o": "i", "p": "o", "r": "t", "s": "a", "t": "y", "u": "i", "w": "e", "y": "t",
}  # fmt: skip


class Manner(StrEnum):
    """How someone types; the word lists know formal, plain and chatty."""

    CAREFUL = "careful"
    PLAIN = "plain"
    HURRIED = "hurried"
    SMS = "sms"
    CHATTY = "chatty"
    SHOUTING = "shouting"

    @property
    def register(self) -> str:
        """Which greetings and thanks go with it."""
        return {Manner.CAREFUL: "formal", Manner.CHATTY: "chatty"}.get(self, "plain")


CASUAL = frozenset({Manner.PLAIN, Manner.HURRIED, Manner.CHATTY})


@dataclass(frozen=True, slots=True)
class _Habits:
    abbreviate: float
    speak: float
    typo: float
    lower: float
    emoji: float
    punctuate: float


_HABITS = {
    Manner.CAREFUL: _Habits(0.0, 0.0, 0.002, 0.0, 0.0, 0.0),
    Manner.PLAIN: _Habits(0.06, 0.12, 0.010, 0.1, 0.04, 0.08),
    Manner.HURRIED: _Habits(0.45, 0.2, 0.028, 0.75, 0.08, 0.35),
    Manner.SMS: _Habits(0.85, 0.1, 0.015, 0.8, 0.0, 0.15),
    Manner.CHATTY: _Habits(0.2, 0.6, 0.015, 0.5, 0.55, 0.4),
    Manner.SHOUTING: _Habits(0.2, 0.25, 0.015, 0.0, 0.25, 0.9),
}


def add_noise(rng: Random, text: str, manner: Manner, lexicon: Lexicon) -> str:
    """The text as that kind of person types it. Digits stay as they are; the case is left to `recase`."""
    habits = _HABITS[manner]

    def typed(match: re.Match[str]) -> str:
        word = match[0]
        if word[0].isupper() and text[max(0, match.start() - 2) : match.start()].strip(" \n") not in ("", ".", "!", "?"):
            return word  # part of a name
        spoken = lexicon.colloquial.spoken.get(word.lower())
        if spoken and rng.random() < habits.speak:
            return _cased(word, rng.choice(spoken))
        short = lexicon.colloquial.abbreviations.get(word.lower())
        if short and rng.random() < habits.abbreviate:
            return _cased(word, rng.choice(short))
        return _typo(rng, word) if len(word) > 4 and rng.random() < habits.typo else word

    typed_text = _WORD.sub(typed, text)
    if len(text) > _GREETING and rng.random() < habits.punctuate:
        typed_text = _punctuated(rng, typed_text)
    return typed_text


def with_emoji(rng: Random, text: str, manner: Manner, classification: Classification) -> str:
    """The text, perhaps with an emoji at its end."""
    return f"{text.rstrip()} {rng.choice(_EMOJI[classification])}" if rng.random() < _HABITS[manner].emoji else text


def draw_case(rng: Random, manner: Manner) -> str:
    """How that person uses capitals all through a report: `upper`, `lower` or `sentence`."""
    if manner is Manner.SHOUTING:
        return "upper"
    return "lower" if rng.random() < _HABITS[manner].lower else "sentence"


def recase(text: str, case: str) -> str:
    """The text in those capitals."""
    if case == "upper":
        return text.upper()
    if case == "lower":
        return text.lower()
    return _SENTENCE_START.sub(lambda m: m[0][:-1] + m[1].upper(), text)


def _cased(model: str, word: str) -> str:
    return word[0].upper() + word[1:] if model[0].isupper() else word


def _typo(rng: Random, word: str) -> str:
    place = rng.randrange(1, len(word) - 1)
    match rng.randrange(4):
        case 0:
            return word[:place] + word[place + 1] + word[place] + word[place + 2 :]
        case 1:
            return word[:place] + word[place + 1 :]
        case 2:
            return word[:place] + word[place] + word[place:]
        case _:
            return word[:place] + _NEIGHBOURS.get(word[place], word[place]) + word[place + 1 :]


def _punctuated(rng: Random, text: str) -> str:
    match rng.randrange(4):
        case 0:
            return text.rstrip(". ") + rng.choice(("!!", "!!!", "...", "...."))
        case 1:
            return _STOP.sub("... ", text.replace("? ", "??? "), count=2)
        case 2:
            return text.replace(", ", ",")
        case _:
            return _STOP.sub(", ", text).rstrip(".")
