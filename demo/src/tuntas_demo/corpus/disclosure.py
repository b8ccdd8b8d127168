"""Personal data that people write into the text of a report, on purpose or without thinking."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from tuntas_contracts.vocabulary import Classification, ServiceKind
from tuntas_demo.corpus.catalogue import Situation
from tuntas_demo.corpus.lexicon import Disclosure, Lexicon
from tuntas_demo.corpus.model import PersonalKind, PersonalString
from tuntas_demo.corpus.people import Person, mobile, written_phone
from tuntas_demo.corpus.text_noise import recase
from tuntas_reference.categories import Sector

_MONEY_SITUATIONS = frozenset(
    {
        "pip-grant-unpaid", "social-aid-deducted", "failed-transfer", "train-service", "migrant-placement-fraud", "fraud-messages",
        "work-insurance-claim", "illegal-online-loan", "teacher-allowance-late",
    }
)  # fmt: skip
_FRAUDS = frozenset({"fraud-messages", "illegal-online-loan", "migrant-placement-fraud", "social-aid-deducted"})
_THIRD = frozenset({"third_phone", "third_account"})


@dataclass(frozen=True, slots=True)
class Disclosed:
    """A sentence to put before or after the matter, with what it gives away, verbatim."""

    sentence: str
    at_start: bool
    personal: tuple[PersonalString, ...]
    third_parties: tuple[str, ...]

    def discloses(self, kind: PersonalKind) -> bool:
        """Whether it gives that kind of the reporter's data away."""
        return any(item.kind is kind for item in self.personal)


def disclose(rng: Random, lexicon: Lexicon, person: Person, other: Person, case: str, situation: Situation) -> Disclosed:
    """One way to give data away, of those that the matter leads to. `case` as of `draw_case`."""
    way = rng.choice([way for way in lexicon.disclosures if _plausible(way, situation)])
    values = {
        "name": person.name,
        "phone": written_phone(rng, person.phone),
        "email": person.email,
        "address": person.address,
        "nik": person.nik if rng.random() < 0.7 else _grouped(person.nik, 4, rng.choice((" ", "."))),
        "account": _written_account(rng, person.account),
        "bank": person.bank,
        "third_phone": written_phone(rng, mobile(rng)),
        "third_account": _written_account(rng, other.account),
    }
    sentence = recase(rng.choice(way.sentences).format_map(values), case)
    return Disclosed(sentence, way.where == "start", _personal(way, values, case), _third(way, values))


def _plausible(way: Disclosure, situation: Situation) -> bool:
    kinds = set(way.kinds)
    if "third_account" in kinds:
        return situation.code in _FRAUDS
    if "account" in kinds:
        return situation.code in _MONEY_SITUATIONS
    if "nik" in kinds:
        return situation.service_kind is ServiceKind.ADMINISTRATIVE or situation.sector is Sector.SOCIAL_SECURITY
    return "third_phone" not in kinds or situation.classification is Classification.COMPLAINT


def _personal(way: Disclosure, values: dict[str, str], case: str) -> tuple[PersonalString, ...]:
    return tuple(PersonalString(PersonalKind(kind), _as_written(values[kind], case), True) for kind in way.kinds if kind not in _THIRD)


def _third(way: Disclosure, values: dict[str, str]) -> tuple[str, ...]:
    return tuple(values[kind] for kind in way.kinds if kind in _THIRD)


def _as_written(value: str, case: str) -> str:
    return value.upper() if case == "upper" else value.lower() if case == "lower" else value


def _written_account(rng: Random, account: str) -> str:
    return account if rng.random() < 0.6 else _grouped(account, 4, rng.choice(("-", " ")))


def _grouped(number: str, size: int, separator: str) -> str:
    groups: Sequence[str] = [number[i : i + size] for i in range(0, len(number), size)]
    return separator.join(groups)
