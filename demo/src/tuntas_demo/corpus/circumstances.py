"""How a report comes about before its words: what of, where, by which channel, how complete."""

from dataclasses import dataclass
from random import Random
from typing import Final

from tuntas_contracts.vocabulary import Channel, Classification
from tuntas_demo.corpus.catalogue import Situation
from tuntas_demo.corpus.chance import pick
from tuntas_demo.corpus.composition import Length
from tuntas_demo.corpus.drawing import Draw
from tuntas_demo.corpus.geography import Region
from tuntas_demo.corpus.text_noise import Manner

INCOMPLETE_SHARE: Final = 0.40
BY_HAND: Final = frozenset(Channel) - {Channel.WEB, Channel.MOBILE}  # a clerk or a gateway enters these
_CHANNELS = (
    (Channel.WEB, 44), (Channel.MOBILE, 41), (Channel.SMS, 8), (Channel.WALK_IN, 2), (Channel.TELEPHONE, 2), (Channel.LETTER, 1),
    (Channel.EMAIL, 1), (Channel.SOCIAL_MEDIA, 1), (Channel.COMPLAINT_BOX, 1),
)  # fmt: skip
_MANNERS = ((Manner.CAREFUL, 27), (Manner.PLAIN, 34), (Manner.HURRIED, 24), (Manner.CHATTY, 10), (Manner.SHOUTING, 5))
_CLERKS = ((Manner.CAREFUL, 3), (Manner.PLAIN, 1))
_SHORT = 16
_LENGTHS = ((Length.SHORT, _SHORT), (Length.NORMAL, 64), (Length.LONG, 15), (Length.VERY_LONG, 5))


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is decided about a report before it is written. `missing` is of "place", "date" and "details"."""

    situation: Situation
    region: Region
    missing: frozenset[str]
    region_known: bool
    channel: Channel
    manner: Manner
    length: Length


def draw_circumstances(rng: Random, draw: Draw, classification: Classification) -> Circumstances:
    """The circumstances of one report of that class."""
    situation = draw.situation(rng, classification)
    region = draw.region(rng, situation)
    channel = pick(rng, _CHANNELS)
    missing = _missing(rng, classification)
    length = Length.SHORT if "details" in missing else pick(rng, _LENGTHS)
    if length is not Length.SHORT and (channel is Channel.SMS or situation.archive_reason is not None):
        length = Length.NORMAL
    if length is Length.SHORT and classification is Classification.COMPLAINT:
        missing |= {"details"}
    return Circumstances(
        situation=situation,
        region=region,
        missing=missing,
        region_known="place" not in missing or rng.random() < 0.55,
        channel=channel,
        manner=_manner(rng, channel, length),
        length=length,
    )


def _manner(rng: Random, channel: Channel, length: Length) -> Manner:
    if channel is Channel.SMS:
        return Manner.SMS
    if channel in BY_HAND:
        return pick(rng, _CLERKS)
    manner = pick(rng, _MANNERS)
    return Manner.PLAIN if manner is Manner.SHOUTING and length is Length.VERY_LONG else manner


def _missing(rng: Random, classification: Classification) -> frozenset[str]:
    """What an incomplete report leaves out; a short complaint lacks details besides, so fewer complaints are drawn here."""
    if classification is not Classification.COMPLAINT:
        return frozenset({"place"}) if rng.random() < INCOMPLETE_SHARE else frozenset()
    short = _SHORT / sum(weight for _, weight in _LENGTHS)
    if rng.random() >= (INCOMPLETE_SHARE - short) / (1 - short):
        return frozenset()
    first = rng.choice(("place", "place", "date", "date", "details"))
    return frozenset({first, rng.choice(("place", "date"))}) if rng.random() < 0.3 else frozenset({first})
