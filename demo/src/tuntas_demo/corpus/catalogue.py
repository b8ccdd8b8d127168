"""The catalogue of situations: what people report, who must answer, and in which words."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tuntas_contracts.vocabulary import ArchiveReason, Classification, ServiceClass, ServiceKind
from tuntas_demo.corpus.model import CorpusError
from tuntas_reference.categories import Sector, load_categories

OFFICER_SLOTS = frozenset({"agency", "unit"})
GENERIC_SLOTS = OFFICER_SLOTS | {
    "place", "road", "region", "region_short", "province", "village", "neighbour", "district", "date", "since", "duration", "count",
    "time", "officer_title", "year",
}  # fmt: skip
_SLOT = re.compile(r"\{(\w+)\}")
Texts = Annotated[tuple[str, ...], Field(min_length=1)]
Share = Annotated[float, Field(ge=0, le=1)]


class Level(StrEnum):
    """Which level of government must answer."""

    REGENCY = "regency"  # kabupaten/kota
    PROVINCE = "province"
    NATIONAL = "national"


class Setting(StrEnum):
    """Where such a thing happens at all."""

    ANY = "any"
    RURAL = "rural"
    URBAN = "urban"
    JAVA = "java"


class Situation(BaseModel):
    """One thing people report, with its variants. `agencies` are parts of names, the best first, for the national level."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    sector: Sector
    classification: Classification
    category: str
    weight: Annotated[int, Field(ge=1)]
    level: Level
    setting: Setting = Setting.ANY
    agencies: tuple[str, ...] = ()
    unit: str
    unit_code: str
    unit_sector: Sector | None = None
    service_kind: ServiceKind | None = None
    service_class: ServiceClass = ServiceClass.ORDINARY
    archive_reason: ArchiveReason | None = None
    misconduct: Share = 0.01
    anonymous: Share = 0.05
    secret: Share = 0.02
    titles: Texts
    bodies: Texts
    short: Texts
    details: Texts
    resolution: Texts
    loss: tuple[str, ...] = ()
    replies: Texts
    followups: Texts
    answers: Texts
    slots: Mapping[str, Texts] = {}

    @model_validator(mode="after")
    def _only_known_slots(self) -> Self:
        own = frozenset(self.slots)
        from_reporter = (*self.titles, *self.bodies, *self.short, *self.details, *self.resolution, *self.loss, *self.replies)
        nested = tuple(value for values in self.slots.values() for value in values)
        for texts, known in (
            (from_reporter, (GENERIC_SLOTS - OFFICER_SLOTS) | own),
            ((*self.followups, *self.answers), GENERIC_SLOTS | own),
            (nested, GENERIC_SLOTS - OFFICER_SLOTS),
        ):
            for text in texts:
                if unknown := sorted(set(_SLOT.findall(text)) - known):
                    raise ValueError(f"{self.code}: unknown slot {unknown[0]!r} in {text!r}")
        return self

    @model_validator(mode="after")
    def _answerable(self) -> Self:
        if self.category not in load_categories():
            raise ValueError(f"{self.code}: no category {self.category!r}")
        if (self.level is Level.NATIONAL) != bool(self.agencies):
            raise ValueError(f"{self.code}: name `agencies` for the national level, and for it only")
        return self


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All situations: those that an agency answers, and those that deserve no answer (spam, too general, …)."""

    actionable: tuple[Situation, ...]
    unactionable: tuple[Situation, ...]

    def __iter__(self) -> Iterator[Situation]:
        return iter((*self.actionable, *self.unactionable))


@lru_cache(maxsize=1)
def load_catalogue() -> Catalogue:
    """The situations that come with this package. Raises `CorpusError`."""
    folder = files("tuntas_demo.corpus").joinpath("situations")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".toml"))
    situations = [situation for name in names for situation in parse_situations(name, folder.joinpath(name))]
    codes = [situation.code for situation in situations]
    if twice := sorted({code for code in codes if codes.count(code) > 1}):
        raise CorpusError(f"situations given twice: {', '.join(twice)}; rename one of each")
    return Catalogue(
        tuple(s for s in situations if s.archive_reason is None),
        tuple(s for s in situations if s.archive_reason is not None),
    )


def parse_situations(name: str, file: Traversable) -> list[Situation]:
    """The situations of one file. Raises `CorpusError` that names the file and what is wrong in it."""
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
        return [Situation.model_validate({"sector": content["sector"], **table}) for table in content["situation"]]
    except (tomllib.TOMLDecodeError, KeyError, ValidationError) as error:
        raise CorpusError(f"situations/{name} can't be read: {error}") from error
