"""Making the regional files of the register from the area package."""

import json
from pathlib import Path

import pytest

from dispatch.domain.register import AGENCY_FILES, bundled_register
from tuntas_tools.regions import (
    Region,
    SourceError,
    check_counts,
    generate,
    read_regions,
    write_register,
)


def package_from_bundled(folder: Path) -> Path:
    """A package folder holding the regions that the register was made from, in another order."""
    (folder / "data").mkdir(parents=True)
    (folder / "package.json").write_text(json.dumps({"name": "idn-area-data", "version": "4.0.1"}))
    for name in ("provinces.csv", "regencies.csv"):
        rows = bundled_register().joinpath(name).read_text(encoding="utf-8").splitlines()[1:]
        cells = [row.split(",") for row in reversed(rows)]
        prefix = "Pemerintah Provinsi " if name == "provinces.csv" else "Pemerintah "
        lines = [f"{cell[3]},{cell[1].removeprefix(prefix)}" for cell in cells]
        (folder / "data" / name).write_text("\n".join(["code,name", *lines]), encoding="utf-8")
    return folder


def test_the_committed_files_are_what_the_generator_makes(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()

    said = generate(package_from_bundled(tmp_path / "package"), out)

    assert said == "idn-area-data 4.0.1: 38 provinces, 514 regencies and cities written"
    for name in AGENCY_FILES[3:]:
        assert (out / name).read_text(encoding="utf-8") == bundled_register().joinpath(name).read_text(encoding="utf-8")


def test_another_package_is_refused(tmp_path: Path) -> None:
    package = package_from_bundled(tmp_path)
    (package / "package.json").write_text('{"name": "left-pad", "version": "1"}')

    with pytest.raises(SourceError, match="left-pad"):
        generate(package, tmp_path)


def test_a_region_too_few_is_refused(tmp_path: Path) -> None:
    package = package_from_bundled(tmp_path)
    lines = (package / "data" / "regencies.csv").read_text(encoding="utf-8").splitlines()
    (package / "data" / "regencies.csv").write_text("\n".join(lines[:-1]), encoding="utf-8")

    with pytest.raises(SourceError, match="officially there are"):
        generate(package, tmp_path)
    assert not (tmp_path / "provinces.csv").exists()


def test_a_new_province_without_a_known_time_zone_is_refused() -> None:
    with pytest.raises(SourceError, match="province 97 has no time zone"):
        Region("97", "Papua Utara").agency()


def test_a_region_that_is_neither_regency_nor_city_is_refused() -> None:
    with pytest.raises(SourceError, match="Distrik Merauke"):
        check_counts(read_regions(["code,name\n", "93.01,Distrik Merauke\n"]))


def test_a_name_with_a_comma_stays_one_cell(tmp_path: Path) -> None:
    write_register(tmp_path / "x.csv", [Region("32.01", "Kabupaten A, B")])

    assert '"Pemerintah Kabupaten A, B"' in (tmp_path / "x.csv").read_text(encoding="utf-8")
