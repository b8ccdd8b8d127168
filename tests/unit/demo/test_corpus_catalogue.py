"""The situations as they are written down, and what is refused in them."""

from pathlib import Path

import pytest

from tuntas_contracts.vocabulary import Classification
from tuntas_demo.corpus import CorpusError, load_catalogue
from tuntas_demo.corpus.affinity import fitting, matching
from tuntas_demo.corpus.catalogue import parse_situations
from tuntas_demo.corpus.money import rupiah
from tuntas_reference.categories import Sector

SITUATION = """
sector = "transport"
[[situation]]
code = "a-hole"
classification = "complaint"
category = "transport.roads"
weight = 1
level = "regency"
unit = "Dinas Pekerjaan Umum"
unit_code = "dinas-pupr"
titles = ["Lubang di {road}"]
bodies = ["Ada lubang di {road}, {place}."]
short = ["lubang di {road}"]
details = ["Dalam sekali."]
resolution = ["Ditambal"]
replies = ["Belum."]
followups = ["Disurvei."]
answers = ["Sudah ditambal oleh {unit}."]
"""


def parsed(folder: Path, text: str) -> list[str]:
    file = folder / "transport.toml"
    file.write_text(text, encoding="utf-8")
    return [situation.code for situation in parse_situations(file.name, file)]


def test_seventy_situations_over_thirteen_sectors_and_the_other_strategic_ones() -> None:
    catalogue = load_catalogue()
    assert len(catalogue.actionable) >= 70
    assert {situation.sector for situation in catalogue.actionable} == set(Sector)
    assert {situation.classification for situation in catalogue.actionable} == set(Classification)


def test_every_situation_has_variants() -> None:
    for situation in load_catalogue():
        assert len(situation.titles) >= 2, situation.code
        assert 2 <= len(situation.bodies) <= 4, situation.code
        assert 2 <= len(situation.answers) <= 3, situation.code
        assert len(set(situation.bodies)) == len(situation.bodies), situation.code


def test_a_situation_file_is_read(tmp_path: Path) -> None:
    assert parsed(tmp_path, SITUATION) == ["a-hole"]


@pytest.mark.parametrize(
    ("right", "wrong", "complaint"),
    [
        ("Ada lubang di {road}", "Ada lubang di {raod}", "unknown slot 'raod'"),
        ('titles = ["Lubang di {road}"]', 'titles = ["Lubang kata {agency}"]', "unknown slot 'agency'"),
        ("transport.roads", "transport.rods", "no category"),
        ('level = "regency"', 'level = "national"', "name `agencies`"),
        ('answers = ["Sudah ditambal oleh {unit}."]', "answers = []", "answers"),
        ("weight = 1", "wieght = 1", "weight"),
        ('sector = "transport"', "", "sector"),
        ("[[situation]]", "[[situation", "transport.toml"),
    ],
)
def test_a_faulty_situation_is_refused_by_file_and_fault(tmp_path: Path, right: str, wrong: str, complaint: str) -> None:
    assert right in SITUATION
    with pytest.raises(CorpusError, match=r"transport\.toml") as refused:
        parsed(tmp_path, SITUATION.replace(right, wrong))
    assert complaint in str(refused.value)


def test_texts_about_another_variant_are_left_out() -> None:
    bodies = ("Paket saya tertahan di bea cukai.", "IMEI telepon saya belum aktif.")
    texts = ("Paket tertahan lama", "IMEI belum aktif", "Mohon penjelasan")
    assert fitting(texts, bodies, bodies[1]) == ("IMEI belum aktif", "Mohon penjelasan")
    assert matching(texts, bodies, bodies[1]) == ("IMEI belum aktif",)
    assert matching(("Mohon penjelasan",), bodies, bodies[1]) == ("Mohon penjelasan",)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("Rp 1.250.000", 1_250_000),
        ("Rp150.000 per anak", 150_000),
        ("750 ribu", 750_000),
        ("4,2 juta rupiah", 4_200_000),
        ("5rb", 5_000),
        ("2 bulan honor", None),
        ("Hasil panen turun kira-kira separuh", None),
    ],
)
def test_amounts_are_read_as_they_are_written(text: str, amount: int | None) -> None:
    assert rupiah(text) == amount
