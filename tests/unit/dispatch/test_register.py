"""Reading the agency register: what it answers, and what it refuses."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dispatch.domain.register import (
    REGISTER_FILES,
    Register,
    RegisterError,
    UnknownAgencyError,
    UnknownUnitError,
    load_register,
    parse_register,
)
from tuntas_contracts.vocabulary import AgencyKind, UnitKind
from tuntas_reference.categories import Sector

HEAD = "code,name,kind,region_code,time_zone,supervised_by,email,sectors"
SMALL = {
    "ministries.csv": f"""{HEAD}
kemenko-pmk,Kemenko PMK,ministry,,Asia/Jakarta,,desk@kemenko-pmk.agency.example,other-strategic
kemenkes,Kementerian Kesehatan,ministry,,Asia/Jakarta,kemenko-pmk,desk@kemenkes.agency.example,health
kemendagri,Kementerian Dalam Negeri,ministry,,Asia/Jakarta,,desk@kemendagri.agency.example,other-strategic
""",
    "bodies.csv": f"{HEAD}\n",
    "enterprises.csv": f"{HEAD}\n",
    "provinces.csv": f"""{HEAD}
prov-32,Pemerintah Provinsi Jawa Barat,province,32,Asia/Jakarta,kemendagri,desk@prov-32.agency.example,health
prov-91,Pemerintah Provinsi Papua,province,91,Asia/Jayapura,kemendagri,desk@prov-91.agency.example,health
""",
    "regencies.csv": f"""{HEAD}
kab-32-01,Pemerintah Kabupaten Bogor,regency,32.01,Asia/Jakarta,prov-32,desk@kab-32-01.agency.example,health
kota-32-73,Pemerintah Kota Bandung,city,32.73,Asia/Jakarta,prov-32,desk@kota-32-73.agency.example,health
""",
    "units.csv": "agency_kind,code,parent,name,kind,sectors\n"
    + "".join(
        f"{kind},dinas,,Dinas,ordinary,*\n{kind},layanan,dinas,Layanan,service_desk,\n{kind},inspektorat,,Inspektorat,inspectorate,\n"
        for kind in ("ministry", "province", "regency", "city")
    ),
    "agency_units.csv": "agency_code,code,parent,name,kind,sectors\nkemenkes,p2,,Ditjen P2,ordinary,health\n",
}


def parse(files: dict[str, str]) -> Register:
    return parse_register({name: text.splitlines(keepends=True) for name, text in files.items()})


def faults_after(file: str, old: str, new: str) -> list[str]:
    assert old in SMALL[file], "the corruption must hit something"
    with pytest.raises(RegisterError) as caught:
        parse({**SMALL, file: SMALL[file].replace(old, new, 1)})
    return [str(fault) for fault in caught.value.faults]


def test_an_agency_is_found_with_what_the_files_say_of_it() -> None:
    bogor = parse(SMALL).get("kab-32-01")

    assert bogor.kind is AgencyKind.REGENCY
    assert (bogor.place, bogor.region_code, bogor.time_zone) == ("Kabupaten Bogor", "32.01", "Asia/Jakarta")
    assert bogor.sectors == (Sector.HEALTH,)
    assert bogor.service_desk.code == "layanan"
    assert [unit.code for unit in bogor.inspectorates] == ["inspektorat"]
    assert [unit.code for unit in bogor.units_for(Sector.HEALTH)] == ["dinas"]
    assert [unit.code for unit in bogor.units_below("dinas")] == ["layanan"]


def test_an_agency_has_its_own_units_beside_those_of_its_kind() -> None:
    register = parse(SMALL)

    assert register.get("kemenkes").unit("p2").kind is UnitKind.ORDINARY
    assert register.get("kemenkes").unit("inspektorat").kind is UnitKind.INSPECTORATE
    with pytest.raises(UnknownUnitError, match="its units are dinas, layanan, inspektorat"):
        register.get("kemendagri").unit("p2")


def test_tiers_run_upwards_and_leave_the_agency_itself_out() -> None:
    register = parse(SMALL)

    assert [agency.code for agency in register.tiers("kota-32-73")] == ["prov-32", "kemendagri"]
    assert register.tiers("kemendagri") == ()


def test_an_unknown_agency_is_named() -> None:
    register = parse(SMALL)

    assert "kemenangin" not in register
    with pytest.raises(UnknownAgencyError, match="kemenangin"):
        register.get("kemenangin")
    with pytest.raises(UnknownAgencyError):
        register.tiers("kemenangin")


@pytest.mark.parametrize(
    ("file", "old", "new", "place", "says"),
    [
        ("regencies.csv", "kota-32-73,", "kab-32-01,", "regencies.csv:3", "already that of regencies.csv:2"),
        ("regencies.csv", "kab-32-01,P", "Kab-32-01,P", "regencies.csv:2", "is no code"),
        ("regencies.csv", "kab-32-01,P", "kab-32-02,P", "regencies.csv:2", "must be 'kab-32-01'"),
        ("regencies.csv", "32.01,", "3201,", "regencies.csv:2", "must be a Kemendagri code"),
        ("regencies.csv", ",city,32.73", ",city,32.13", "regencies.csv:3", "is not the code of a city"),
        ("regencies.csv", "prov-32", "prov-91", "regencies.csv:2", "answers to its own province, 'prov-32'"),
        ("provinces.csv", "kemendagri", "", "provinces.csv:2", "supervised_by is empty"),
        ("provinces.csv", "Asia/Jayapura", "Asia/Tokyo", "provinces.csv:3", "time_zone 'Asia/Tokyo'"),
        ("provinces.csv", "desk@prov-91.agency.example", "desk", "provinces.csv:3", "'desk' is no mailbox"),
        ("ministries.csv", ",ministry,", ",ministri,", "ministries.csv:2", "kind 'ministri' is unknown"),
        ("ministries.csv", "kemenkes,K", "kemenkes,,K", "ministries.csv:3", "9 cells, the header has 8"),
        ("ministries.csv", "Kementerian Kesehatan", "", "ministries.csv:3", "name is empty"),
        ("ministries.csv", "kemenko-pmk,desk", "kemenko-mars,desk", "ministries.csv:3", "'kemenko-mars' is not in"),
        ("ministries.csv", "example,health", "example,helth", "ministries.csv:3", "sector 'helth' is unknown"),
        ("ministries.csv", "example,health", "example,health;health", "ministries.csv:3", "given twice"),
        ("ministries.csv", "example,health", "example,", "ministries.csv:3", "sectors is empty"),
        ("ministries.csv", "supervised_by", "supervisor", "ministries.csv:1", "the header must name the columns"),
        ("units.csv", "city,inspektorat,,Inspektorat,inspectorate,\n", "", "regencies.csv:3", "kind inspectorate"),
        ("units.csv", "city,layanan,dinas,Layanan,service_desk,\n", "", "regencies.csv:3", "kind service_desk"),
        ("units.csv", "city,dinas,,Dinas,ordinary,*", "city,dinas,,Dinas,ordinary,", "units.csv:11", "no sector"),
        ("units.csv", "city,layanan,dinas", "city,layanan,setda", "units.csv:12", "no unit of the same agency"),
        ("units.csv", "city,layanan,", "city,dinas,", "units.csv:12", "given twice"),
        ("units.csv", "city,dinas,,", "city,dinas,layanan,", "units.csv:11", "stands above itself"),
        ("agency_units.csv", "kemenkes", "kemenangin", "agency_units.csv:2", "'kemenangin' is not in the register"),
        ("agency_units.csv", ",health", ",energy", "ministries.csv:3", "answer for energy, which the agency does not"),
        ("agency_units.csv", "kemenkes,p2", "kemenkes,dinas", "agency_units.csv:2", "given twice"),
        ("agency_units.csv", "Ditjen P2", '"Ditjen P2', "agency_units.csv:2", "not CSV"),
    ],
)
def test_a_fault_is_reported_with_file_and_line(file: str, old: str, new: str, place: str, says: str) -> None:
    faults = faults_after(file, old, new)

    assert any(fault.startswith(f"{place}: ") and says in fault for fault in faults), faults


def test_a_circle_of_supervisors_is_refused_once() -> None:
    faults = faults_after("ministries.csv", "Jakarta,,desk@kemenko-pmk", "Jakarta,kemenkes,desk@kemenko-pmk")

    assert faults == ["ministries.csv:2: supervision runs in a circle: kemenko-pmk -> kemenkes -> kemenko-pmk"]


def test_every_fault_is_listed_at_once() -> None:
    text = SMALL["provinces.csv"].replace("Asia/Jayapura", "Mars").replace("desk@prov-32.agency.example", "nobody")

    with pytest.raises(RegisterError) as caught:
        parse({**SMALL, "provinces.csv": text})

    assert [(fault.file, fault.line) for fault in caught.value.faults] == [("provinces.csv", 2), ("provinces.csv", 3)]
    assert "2 fault(s)" in str(caught.value)
    assert "provinces.csv:3: time_zone 'Mars'" in str(caught.value)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in SMALL.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_a_register_is_read_from_any_folder(folder: Path) -> None:
    assert [agency.code for agency in load_register(folder)][:2] == ["kemenko-pmk", "kemenkes"]


def test_a_file_saved_by_a_spreadsheet_with_a_byte_order_mark_is_read(folder: Path) -> None:
    (folder / "bodies.csv").write_text(f"{HEAD}\r\n", encoding="utf-8-sig", newline="")

    assert len(load_register(folder)) == 7


@pytest.mark.parametrize("file", REGISTER_FILES)
@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"\xff\xfe\x00")])
def test_an_unreadable_file_is_named(folder: Path, file: str, damage: Callable[[Path], object]) -> None:
    damage(folder / file)

    with pytest.raises(RegisterError, match=f"{file}: can't be read"):
        load_register(folder)
