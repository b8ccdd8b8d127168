"""The category tree (kategori) of reports: its roots are the sectors of UU 25/2009 art. 5 (2)."""

from collections.abc import Iterator
from enum import StrEnum
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Sector(StrEnum):
    """The thirteen sectors that UU 25/2009 art. 5 (2) names, and the other strategic ones."""

    EDUCATION = "education"  # pendidikan
    TEACHING = "teaching"  # pengajaran
    WORK_AND_BUSINESS = "work-and-business"  # pekerjaan dan usaha
    HOUSING = "housing"  # tempat tinggal
    COMMUNICATION_AND_INFORMATION = "communication-and-information"  # komunikasi dan informasi
    ENVIRONMENT = "environment"  # lingkungan hidup
    HEALTH = "health"  # kesehatan
    SOCIAL_SECURITY = "social-security"  # jaminan sosial
    ENERGY = "energy"  # energi
    BANKING = "banking"  # perbankan
    TRANSPORT = "transport"  # perhubungan
    NATURAL_RESOURCES = "natural-resources"  # sumber daya alam
    TOURISM = "tourism"  # pariwisata
    OTHER_STRATEGIC = "other-strategic"  # sektor strategis lainnya


class UnknownCategoryError(LookupError):
    """No category has that code."""

    def __init__(self, code: str) -> None:
        super().__init__(f"no category {code!r}: take a code of the category tree, such as 'health' or 'health.hospitals'")
        self.code = code


class BilingualName(BaseModel):
    """What people read: Indonesian first, English second."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(min_length=1, max_length=2_000)]
    en: Annotated[str, Field(min_length=1, max_length=2_000)]


class Category(BaseModel):
    """A category; the code of a child is its parent's code, a dot, and its own word."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: Annotated[str, Field(pattern=r"^[a-z][a-z-]*(\.[a-z][a-z-]*)*$", max_length=100)]
    name: BilingualName
    children: tuple["Category", ...] = ()

    @model_validator(mode="after")
    def _children_are_named_after_their_parent(self) -> Self:
        for child in self.children:
            if child.code.rpartition(".")[0] != self.code:
                raise ValueError(f"category {child.code!r} stands under {self.code!r}: call it {self.code}.<word>")
        return self

    @property
    def sector(self) -> Sector:
        """The root that this category belongs to."""
        return Sector(self.code.partition(".")[0])

    def walk(self) -> Iterator["Category"]:
        """This category and everything below it, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()


class CategoryTree(BaseModel):
    """All categories of one version. Raises `ValidationError` unless its roots are exactly the sectors."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Annotated[int, Field(ge=1)]
    source: str
    roots: tuple[Category, ...]

    @model_validator(mode="after")
    def _roots_are_the_sectors(self) -> Self:
        if [root.code for root in self.roots] != [sector.value for sector in Sector]:
            raise ValueError(f"the roots must be the sectors, in this order: {', '.join(Sector)}")
        codes = [category.code for category in self.walk()]
        if twice := sorted({code for code in codes if codes.count(code) > 1}):
            raise ValueError(f"categories given twice: {', '.join(twice)}")
        return self

    def walk(self) -> Iterator[Category]:
        """Every category, parents first."""
        for root in self.roots:
            yield from root.walk()

    @cached_property
    def _by_code(self) -> dict[str, Category]:
        return {category.code: category for category in self.walk()}

    def __contains__(self, code: object) -> bool:
        return code in self._by_code

    def get(self, code: str) -> Category:
        """The category of that code. Raises `UnknownCategoryError`."""
        try:
            return self._by_code[code]
        except KeyError:
            raise UnknownCategoryError(code) from None


@lru_cache(maxsize=1)
def load_categories() -> CategoryTree:
    """The category tree that comes with this package."""
    text = files("tuntas_reference").joinpath("data", "categories.json").read_text(encoding="utf-8")
    return CategoryTree.model_validate_json(text)
