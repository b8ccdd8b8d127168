"""What is masked in the texts of reporters, and what is left because a verifier needs it."""

from time import process_time

import pytest

from intake.domain.masking import Masker, OwnData
from tuntas_contracts.texts.spans import Identifier

SITI = OwnData(
    name="Siti Indah Nurhaliza binti Ahmad",
    email="siti@contoh.id",
    phone="+6281234567890",
    nik="3201014501900001",
    address="Jl. Melati No. 12, RT 03/RW 05, Kel. Sukamaju, Bandung",
)
NOBODY = OwnData()


def masked(text: str, own: OwnData = NOBODY) -> str:
    return Masker(own).mask(text).text


@pytest.mark.parametrize(
    "number",
    [
        "081234567890",
        "0812-3456-7890",
        "0812 3456 7890",
        "0812.3456.7890",
        "08 12 34 56 78 90",
        "+6281234567890",
        "+62 812 3456 7890",
        "+62 (0)812-3456-7890",
        "(+62) 812 3456 7890",
        "62812 3456 7890",
        "62.812.345.678.90",
        "0062 812 3456 7890",
        "(0812) 3456 7890",
        "0812\u20133456\u20137890",
        "(021) 555 1234",
        "021-5551234",
        "0274 512345",
        "+62-21-5551234",
    ],
)
def test_a_phone_number_is_masked_in_every_notation(number: str) -> None:
    assert masked(f"Hubungi {number} ya") == "Hubungi [telepon] ya"
    assert masked(f"wa:{number}") == "wa:[telepon]"


@pytest.mark.parametrize("number", ["3201014501900001", "3201 0145 0190 0001", "3201.0145.0190.0001", "32 01 01 450190 0001"])
def test_a_nik_is_masked(number: str) -> None:
    assert masked(f"NIK saya {number}.") == "NIK saya [NIK]."


@pytest.mark.parametrize(
    "text", ["rekening BCA 1234567890", "norek: 123-456-7890-12", "No. Rek 0098765432109", "rek. Mandiri a.n. saya 1370012345678"]
)
def test_a_bank_account_is_masked_near_its_word(text: str) -> None:
    assert masked(text).endswith("[rekening]")


def test_an_email_address_is_masked() -> None:
    assert masked("surel: Budi.S+lapor@dinas.go.id, segera") == "surel: [email], segera"


@pytest.mark.parametrize(
    "text",
    [
        "Anggarannya Rp 1.500.000 pada tahun 2024",
        "Rp62.812.345.678 hilang",
        "Rp. 1.500.000.000,00",
        "IDR 0812345678",
        "1.500.000.000 rupiah",
        "tanggal 12-05-2024 pukul 10.30",
        "02-03-2024 10.30 sampai 05-03-2024",
        "02/05/24 10.30 WIB",
        "2024-05-12 10:30",
        "02-03-2024 - 05-03-2024",
        "tahun 2019/2020 2021/2022",
        "kode wilayah 32.01.01.2001 dan 62.01.05.1003",
        "jam 08.00-16.00 WIB",
        "07.30-09.15 / 10.00-12.00",
        "ID pelanggan 532110987654",
        "surat No 0231/2024/1122",
        "lat 0.50706771, 101.4477",
        "kode pos 40123",
        "RT 03 RW 05",
        "akun @dinaspu di media sosial",
    ],
)
def test_money_dates_times_and_codes_are_left(text: str) -> None:
    assert masked(text) == text


def test_a_phone_beside_a_date_or_another_phone_is_masked_alone() -> None:
    assert masked("02-03-2024 0812-3456-7890") == "02-03-2024 [telepon]"
    assert masked("0812-3456-7890/0813-2222-3333") == "[telepon]/[telepon]"
    assert masked("08123456789 15 menit") == "[telepon] 15 menit"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Saya Siti Indah Nurhaliza binti Ahmad, warga", "Saya [nama], warga"),
        ("SITI  NURHALIZA melapor", "[nama] melapor"),
        ("kata bu siti kemarin", "kata bu [nama] kemarin"),
        ("Siti-nya pergi", "[nama]-nya pergi"),
        ("lihat @sitiindah di sana", "lihat @[nama] di sana"),
        ("nama saya indah", "nama saya [nama]"),
    ],
)
def test_the_own_name_is_masked_whole_and_in_parts(text: str, left: str) -> None:
    assert masked(text, SITI) == left


def test_a_name_that_is_a_word_of_every_day_does_not_ruin_the_text() -> None:
    assert masked("pemandangan yang indah di taman", SITI) == "pemandangan yang indah di taman"


def test_parts_of_other_words_are_left() -> None:
    assert masked("Situs itu, sitinya, Ahmadi", SITI) == "Situs itu, sitinya, Ahmadi"


@pytest.mark.parametrize(
    "text", ["Jl. Melati No. 12", "jalan melati nomor 12", "JL MELATI 12", "Jl. Melati No. 12, RT 03/RW 05, Kel. Sukamaju, Bandung"]
)
def test_the_own_address_is_masked_as_people_write_it(text: str) -> None:
    assert masked(f"Rumah di {text}, dekat pasar", SITI) == "Rumah di [alamat], dekat pasar"


def test_the_own_village_and_city_are_left_as_the_place_of_the_matter() -> None:
    assert masked("Jalan rusak di Sukamaju, Bandung, depan Melati", SITI) == "Jalan rusak di Sukamaju, Bandung, depan Melati"


def test_own_numbers_are_found_however_they_are_grouped() -> None:
    assert masked("hubungi 81234567890", SITI) == "hubungi [telepon]"
    assert masked("nik 320101-450190 0001", SITI) == "nik [NIK]"


def test_what_was_masked_is_reported() -> None:
    found = Masker(SITI).mask("Siti, 0812-3456-7890 atau 0813-1111-2222, siti@contoh.id")
    assert found.counts() == {Identifier.NAME: 1, Identifier.PHONE: 2, Identifier.EMAIL: 1}


def test_masks_that_stand_in_the_text_stay() -> None:
    assert masked("[nama] dan [NIK]", OwnData(name="Nik Nama Email")) == "[nama] dan [NIK]"


def test_letters_that_grow_when_made_small_do_not_shift_the_masks() -> None:
    assert masked("İİİ kata Siti", SITI) == "İİİ kata [nama]"


def test_a_typical_body_costs_less_than_a_tenth_of_a_millisecond() -> None:
    body = (
        "Saya Siti melaporkan jalan berlubang di Jalan Sudirman sejak 12 Mei 2024 pukul 08.30. Sudah dilaporkan ke kelurahan tetapi "
        "belum ditanggapi, padahal anggarannya Rp 150.000.000. Mohon hubungi saya di 0812-3456-7890 atau siti@contoh.id. "
        + "Warga sangat terganggu karena jalan itu jalur utama ke sekolah dan pasar. "
        * 5
    )[:600]

    def best(rounds: int = 10, calls: int = 100) -> float:
        times = []
        for _ in range(rounds):
            started = process_time()
            for _ in range(calls):
                Masker(SITI).mask(body)
            times.append((process_time() - started) / calls)
        return min(times)

    assert best() < 300e-6  # the target is 100 µs on an idle machine; three times that on a crowded one still finds a slow pattern
