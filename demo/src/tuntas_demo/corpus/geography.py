"""Where reports come from: regions weighted as traffic is, and who answers in each."""

from bisect import bisect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import accumulate
from random import Random

from tuntas_demo.corpus.catalogue import Level, Setting, Situation
from tuntas_demo.corpus.model import CorpusError, RegisteredAgency

# The regions that write most; the others follow in an order that depends on their code alone.
BUSIEST = (
    "kota surabaya", "kabupaten bogor", "kota bandung", "kabupaten bekasi", "kota jakarta timur", "kota semarang", "kota medan",
    "kabupaten tangerang", "kota makassar", "kota depok", "kabupaten bandung", "kota palembang", "kabupaten sidoarjo", "kota denpasar",
    "kabupaten cirebon", "kota bekasi", "kabupaten malang", "kota tangerang selatan", "kabupaten sleman", "kota batam", "kota pekanbaru",
    "kabupaten garut", "kabupaten karawang", "kota samarinda", "kota yogyakarta", "kabupaten jember", "kota padang", "kota banjarmasin",
    "kota manado", "kota kupang", "kota jayapura", "kabupaten lombok timur",
)  # fmt: skip
ZIPF_EXPONENT = 0.9
_TRIES = 50
_REGIONAL = frozenset({"regency", "city", "province"})
_PEOPLES = {
    "11": "malay", "12": "batak", "13": "minang", "14": "malay", "15": "malay", "16": "malay", "17": "malay", "18": "java", "19": "malay",
    "21": "malay", "31": "betawi", "32": "sunda", "33": "java", "34": "java", "35": "java", "36": "sunda", "51": "bali", "52": "lombok",
    "53": "timor", "71": "minahasa", "72": "sulawesi", "73": "sulawesi", "74": "sulawesi", "75": "sulawesi", "76": "sulawesi",
    "81": "maluku", "82": "maluku",
}  # fmt: skip
_PEOPLES_BY_TENS = {"6": "kalimantan", "9": "papua"}
_ISLANDS = {
    "31": "jakarta", "32": "sunda", "33": "java", "34": "java", "35": "java", "36": "sunda", "51": "bali", "52": "nusa-tenggara",
    "53": "nusa-tenggara",
}  # fmt: skip
_ISLANDS_BY_TENS = {"1": "sumatra", "2": "sumatra", "6": "kalimantan", "7": "sulawesi", "8": "maluku", "9": "papua"}
_WIT = frozenset({"81", "82", "91", "92", "93", "94", "95", "96"})
_WITA = frozenset({"51", "52", "53", "63", "64", "65", "71", "72", "73", "74", "75", "76"})


@dataclass(frozen=True, slots=True)
class Region:
    """A regency or city. `name` is what people write (`Kabupaten Bogor`), `province` too."""

    agency: str
    code: str
    name: str
    province: str
    city: bool

    def suits(self, setting: Setting) -> bool:
        """Whether something of that setting can happen there."""
        match setting:
            case Setting.RURAL:
                return not self.city
            case Setting.URBAN:
                return self.city
            case Setting.JAVA:
                return self.code[0] == "3"
            case _:
                return True

    @property
    def short(self) -> str:
        """The name without its kind."""
        return self.name.partition(" ")[2]

    @property
    def people(self) -> str:
        """Whose names and words are at home there."""
        return _PEOPLES.get(self.code[:2]) or _PEOPLES_BY_TENS[self.code[0]]

    @property
    def island(self) -> str:
        """Whose villages it has."""
        return _ISLANDS.get(self.code[:2]) or _ISLANDS_BY_TENS[self.code[0]]

    @property
    def utc_offset(self) -> int:
        """Hours ahead of UTC: WIB 7, WITA 8, WIT 9."""
        province = self.code[:2]
        return 9 if province in _WIT else 8 if province in _WITA else 7


class Geography:
    """The register as the corpus sees it. Raises `CorpusError` if it has no regency or city."""

    def __init__(self, register: Iterable[RegisteredAgency]) -> None:
        agencies = list(register)
        self._provinces = {a.region_code[:2]: a for a in agencies if a.kind == "province" and a.region_code}
        self._national = [a for a in agencies if a.kind not in _REGIONAL]
        regions = [self._region(a) for a in agencies if a.kind in ("regency", "city") and a.region_code and _known(a.region_code)]
        if not regions:
            raise CorpusError("the register has no regency or city with a region code: load the whole register first")
        rank = {name: place for place, name in enumerate(BUSIEST)}
        self.regions: Sequence[Region] = sorted(
            regions, key=lambda r: (rank.get(r.name.lower(), len(rank)), sha256(r.code.encode()).digest())
        )
        self._cumulative = list(accumulate(_weight(place) for place in range(len(regions))))
        self._siblings: dict[str, list[Region]] = {}
        for region in self.regions:
            self._siblings.setdefault(region.code[:2], []).append(region)

    def _region(self, agency: RegisteredAgency) -> Region:
        name = agency.name.removeprefix("Pemerintah ").replace("Administrasi ", "")
        code = agency.region_code or ""
        province = self._provinces.get(code[:2])
        return Region(agency.code, code, name, _province_name(province.name) if province else "provinsi", agency.kind == "city")

    def share(self, place: int) -> float:
        """The part of all reports that comes from the region at that place of the order."""
        return _weight(place) / self._cumulative[-1]

    def draw(self, rng: Random, setting: Setting = Setting.ANY) -> Region:
        """A region, as often as people there write; one that suits the setting if there is any."""
        for _ in range(_TRIES):
            region = self.regions[bisect(self._cumulative, rng.random() * self._cumulative[-1])]
            if region.suits(setting):
                return region
        return next((region for region in self.regions if region.suits(setting)), self.regions[0])

    def answerable(self, situation: Situation) -> bool:
        """Whether the register has anyone who answers it."""
        return situation.level is Level.REGENCY or bool(self._provinces if situation.level is Level.PROVINCE else self._matching(situation))

    def answerer(self, situation: Situation, region: Region) -> str:
        """The code of the agency that must answer (instansi berwenang)."""
        if situation.level is Level.REGENCY:
            return region.agency
        if situation.level is Level.PROVINCE:
            province = self._provinces.get(region.code[:2])
            return province.code if province else region.agency
        return self._matching(situation)[0]

    def names(self) -> Mapping[str, str]:
        """By agency code, what an officer signs with."""
        regional = {region.agency: region.name for region in self.regions}
        provinces = {a.code: _province_name(a.name) for a in self._provinces.values()}
        return {a.code: a.name for a in self._national} | provinces | regional

    def plausible_wrong(self, right: str, region: Region, rng: Random) -> str:
        """An agency that one may take for competent and that is not."""
        candidates = [region.agency, *(sibling.agency for sibling in self._siblings[region.code[:2]][:6])]
        if province := self._provinces.get(region.code[:2]):
            candidates += [province.code] * 3
        if self._national:
            candidates.append(rng.choice(self._national).code)
        wrong = [code for code in candidates if code != right]
        return rng.choice(wrong) if wrong else right

    def _matching(self, situation: Situation) -> list[str]:
        for part in situation.agencies:
            found = [a for a in self._national if part.lower() in a.name.lower()]
            if found:
                return [a.code for a in sorted(found, key=lambda a: (len(a.name), a.code))]
        return []


def _weight(place: int) -> float:
    return float((place + 1) ** -ZIPF_EXPONENT)


def _known(region_code: str) -> bool:
    return region_code[:2] in _PEOPLES or region_code[0] in _PEOPLES_BY_TENS


def _province_name(name: str) -> str:
    plain = name.removeprefix("Pemerintah ")
    return plain.replace("Provinsi Daerah Khusus Ibukota", "Provinsi DKI").replace("Provinsi Daerah Istimewa", "Provinsi DI")
