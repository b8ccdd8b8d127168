"""Agencies that are added to a register: checked against the others, with every fault by its line."""

from pathlib import Path

import pytest

from dispatch.domain.register import Agency, RegisterError, load_register
from dispatch.domain.register_additions import read_additions

HEADER = "code,name,kind,region_code,time_zone,supervised_by,email,sectors"
KNOWN = {agency.code: agency for agency in load_register()}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "new.csv"


def read(file: Path, *rows: str, units: Path | None = None) -> list[Agency]:
    file.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return read_additions(file, units, KNOWN)


def faults(file: Path, *rows: str) -> list[str]:
    with pytest.raises(RegisterError) as refused:
        read(file, *rows)
    return [str(fault) for fault in refused.value.faults]


def test_a_new_agency_has_the_units_of_its_kind_and_a_supervisor_in_the_register(file: Path) -> None:
    [agency] = read(file, "pln-anak,PT Anak PLN,state_enterprise,,Asia/Jakarta,pln,aduan@anak.example,energy")
    assert (agency.code, agency.supervised_by, agency.sectors) == ("pln-anak", "pln", ("energy",))
    assert agency.service_desk
    assert agency.inspectorates


def test_the_files_of_the_register_itself_change_nothing(file: Path) -> None:
    kemenkes = KNOWN["kemenkes"]
    row = f"kemenkes,{kemenkes.name},ministry,,Asia/Jakarta,{kemenkes.supervised_by or ''},{kemenkes.email},{';'.join(kemenkes.sectors)}"
    assert read(file, row) == [kemenkes], "with the units that it has beside those of its kind"


def test_every_fault_is_named_by_its_line_and_none_of_the_others(file: Path) -> None:
    lines = faults(
        file,
        "Baru!,Badan Baru,body,,Asia/Jakarta,,aduan@baru.example,health",
        "badan-satu,,body,,Asia/Bangkok,nobody,no-mailbox,magic",
        "badan-dua,Badan Dua,body,,Asia/Jakarta,,dua@baru.example,health",
        "badan-dua,Badan Dua,body,,Asia/Jakarta,,dua@baru.example,health",
    )
    assert all(line.startswith("new.csv:") for line in lines)
    assert [line.split(": ")[0] for line in lines if "no code" in line] == ["new.csv:2"]
    of_the_third = [line for line in lines if line.startswith("new.csv:3")]
    assert len(of_the_third) == 5, of_the_third
    assert [line for line in lines if line.startswith("new.csv:5")] == ["new.csv:5: code 'badan-dua' is already that of new.csv:4"]


def test_supervision_in_a_circle_through_the_register_is_refused(file: Path) -> None:
    pln = KNOWN["pln"]
    row = f"{pln.supervised_by},Kementerian,ministry,,Asia/Jakarta,pln,aduan@k.example,{';'.join(KNOWN[pln.supervised_by or ''].sectors)}"
    assert any("runs in a circle" in line for line in faults(file, row))


def test_units_of_its_own_are_given_in_a_second_file(file: Path, tmp_path: Path) -> None:
    units = tmp_path / "units.csv"
    units.write_text("agency_code,code,parent,name,kind,sectors\nbadan-uji,gizi,,Direktorat Gizi,ordinary,health\n", encoding="utf-8")
    [agency] = read(file, "badan-uji,Badan Uji,body,,Asia/Jakarta,,aduan@uji.example,health", units=units)
    assert agency.unit("gizi").name == "Direktorat Gizi"
    with pytest.raises(RegisterError, match="'badan-uji' is not in the register"):
        read(file, "badan-lain,Badan Lain,body,,Asia/Jakarta,,aduan@lain.example,health", units=units)


@pytest.mark.parametrize(("text", "fault"), [("", "the header must name"), (HEADER + "\n", "no agency below its header")])
def test_a_file_with_nothing_in_it_is_refused(file: Path, text: str, fault: str) -> None:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(RegisterError, match=fault):
        read_additions(file, None, KNOWN)


def test_a_file_that_is_not_there_is_said(file: Path) -> None:
    with pytest.raises(RegisterError, match="can't be read"):
        read_additions(file, None, KNOWN)
