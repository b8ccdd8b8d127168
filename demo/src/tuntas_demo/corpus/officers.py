"""What officers and reporters write on a case after it was submitted."""

from collections.abc import Mapping
from random import Random

from tuntas_demo.corpus.affinity import closeness, fitting
from tuntas_demo.corpus.catalogue import Situation
from tuntas_demo.corpus.lexicon import Lexicon
from tuntas_demo.corpus.slots import Facts


def officer_facts(facts: Facts, situation: Situation, agency_name: str) -> Mapping[str, str]:
    """The facts with the names that an officer signs with."""
    return {**facts.true, "agency": agency_name, "unit": situation.unit}


def follow_up_texts(situation: Situation, known: Mapping[str, str]) -> tuple[str, ...]:
    """First follow-ups (tindak lanjut), one or more."""
    return tuple(text.format_map(known) for text in situation.followups)


def answer_texts(rng: Random, lexicon: Lexicon, situation: Situation, known: Mapping[str, str], variant: str) -> tuple[str, ...]:
    """Substantive answers in the frame of official letters, the most fitting first."""
    officer = lexicon.phrases.officer
    bodies = _fitting_first(rng, situation.answers, situation, variant)
    return tuple(f"{rng.choice(officer.openers)}\n{body}\n{rng.choice(officer.closers)}".format_map(known) for body in bodies)


def reply_texts(rng: Random, lexicon: Lexicon, situation: Situation, facts: Facts, variant: str) -> tuple[str, ...]:
    """Replies of a reporter who is not satisfied (tanggapan), the most fitting first."""
    own = [text.format_map(facts.reported) for text in _fitting_first(rng, situation.replies, situation, variant)]
    return (*own, rng.choice(lexicon.phrases.officer.replies[situation.classification]))


def return_reasons(rng: Random, lexicon: Lexicon) -> tuple[str, ...]:
    """Why an agency says that it isn't competent (bukan wewenang)."""
    return tuple(rng.sample(lexicon.phrases.officer.returns, 2))


def _fitting_first(rng: Random, texts: tuple[str, ...], situation: Situation, variant: str) -> list[str]:
    variants = situation.short if variant in situation.short else situation.bodies
    fits = fitting(texts, variants, variant)
    shuffled = rng.sample(texts, len(texts))
    return sorted(shuffled, key=lambda text: (text not in fits, -closeness(text, variant)))
