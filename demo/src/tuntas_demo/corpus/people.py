"""Reporters: names from many regions, phones in the notations people use, e-mails at example domains."""

from dataclasses import dataclass
from datetime import date
from random import Random
from string import digits

from tuntas_demo.corpus.geography import Region
from tuntas_demo.corpus.lexicon import Lexicon

_PREFIXES = ("0811", "0812", "0813", "0821", "0822", "0852", "0853", "0857", "0858", "0856", "0877", "0878", "0838", "0896", "0895", "0882")
_DOMAINS = ("mail.example", "mail.example", "mail.example", "surel.example", "pos.example")
_BANKS = (("BRI", 15), ("BCA", 10), ("Mandiri", 13), ("BNI", 10), ("BSI", 10))


@dataclass(frozen=True, slots=True)
class Person:
    """A person of the corpus; each field may become part of a report."""

    name: str
    phone: str
    email: str
    address: str
    nik: str
    bank: str
    account: str


def draw_person(rng: Random, lexicon: Lexicon, region: Region, village: str) -> Person:
    """Someone who lives in that region; one in four has come from elsewhere."""
    people = rng.choice(sorted(lexicon.people)) if rng.random() < 0.25 else region.people
    names = lexicon.people[people]
    male = rng.random() < 0.55
    given = rng.choice(names.male if male else names.female)
    family = rng.choice(names.family)
    middle = rng.choice(names.family) if rng.random() < 0.3 else ""
    parts = [given, *([middle] if middle and middle != family else []), family]
    born = date(rng.randint(1958, 2004), rng.randint(1, 12), rng.randint(1, 28))
    bank, length = rng.choice(_BANKS)
    return Person(
        name=" ".join(parts),
        phone=mobile(rng),
        email=_email(rng, parts, born),
        address=_address(rng, village),
        nik=_nik(rng, region, born, male),
        bank=bank,
        account=_digits(rng, length),
    )


def mobile(rng: Random) -> str:
    """A mobile number as digits, `08…`."""
    return rng.choice(_PREFIXES) + _digits(rng, rng.choice((7, 8, 8, 8)))


def written_phone(rng: Random, number: str) -> str:
    """A mobile number in one of the notations that people use."""
    head, tail = number[:4], number[4:]
    match rng.randrange(7):
        case 0 | 1:
            return f"{head}-{tail[:4]}-{tail[4:]}"
        case 2 | 3:
            return number
        case 4:
            return f"{head} {tail[:4]} {tail[4:]}"
        case 5:
            return f"+62 {number[1:4]}-{tail[:4]}-{tail[4:]}"
        case _:
            return f"62{number[1:]}"


def _digits(rng: Random, count: int) -> str:
    return "".join(rng.choices(digits[1:], k=1) + rng.choices(digits, k=count - 1))


def _email(rng: Random, parts: list[str], born: date) -> str:
    words = [word.lower().strip(".") for part in (parts[0], parts[-1]) for word in part.split()]
    local = rng.choice((".", "", "_")).join(words)
    tail = rng.choice(("", str(born.year % 100).zfill(2), str(born.year), str(rng.randint(1, 999))))
    return f"{local}{tail}@{rng.choice(_DOMAINS)}"


def _address(rng: Random, village: str) -> str:
    street = rng.choice(
        ("Jl. Flamboyan", "Jl. Anggrek", "Jl. Rajawali", "Gang Kelinci", "Jl. Manggis", "Perum Pesona Blok C", "Jl. Cendana")
    )
    return f"{street} No. {rng.randint(2, 148)} RT {rng.randint(1, 9):02d} RW {rng.randint(1, 12):02d}, {village}"


def _nik(rng: Random, region: Region, born: date, male: bool) -> str:
    day = born.day + (0 if male else 40)
    return f"{region.code.replace('.', '')}{rng.randint(1, 25):02d}{day:02d}{born.month:02d}{born.year % 100:02d}{rng.randint(1, 40):04d}"
