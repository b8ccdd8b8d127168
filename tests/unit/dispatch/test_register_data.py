"""The register that comes with the service is complete and agrees with the regulation profile."""

import re
import time
from collections import Counter

import pytest

from dispatch.domain.register import Register, load_register
from tuntas_reference.categories import Sector
from tuntas_reference.profile import FastTrackRule, load_profile


@pytest.fixture(scope="module")
def register() -> Register:
    return load_register()


def test_there_are_as_many_agencies_as_officially_exist(register: Register) -> None:
    kinds = Counter(agency.kind for agency in register)

    assert (kinds["province"], kinds["regency"], kinds["city"]) == (38, 416, 98)
    assert kinds["ministry"] == 48
    assert kinds["body"] + kinds["independent_body"] == 74
    assert kinds["state_enterprise"] == 15
    assert len(register) == kinds.total() == 689


def test_every_code_makes_a_topic_name(register: Register) -> None:
    assert [agency.code for agency in register if not re.fullmatch(r"[a-z0-9][a-z0-9-]{1,38}", agency.code)] == []


@pytest.mark.parametrize(
    ("province", "zone"),
    [
        ("11", "Asia/Jakarta"),  # Aceh
        ("31", "Asia/Jakarta"),  # Jakarta
        ("61", "Asia/Jakarta"),  # Kalimantan Barat
        ("62", "Asia/Jakarta"),  # Kalimantan Tengah
        ("63", "Asia/Makassar"),  # Kalimantan Selatan
        ("64", "Asia/Makassar"),  # Kalimantan Timur
        ("65", "Asia/Makassar"),  # Kalimantan Utara
        ("51", "Asia/Makassar"),  # Bali
        ("71", "Asia/Makassar"),  # Sulawesi Utara
        ("81", "Asia/Jayapura"),  # Maluku
        ("92", "Asia/Jayapura"),  # Papua Barat
        ("93", "Asia/Jayapura"),  # Papua Selatan
        ("94", "Asia/Jayapura"),  # Papua Tengah
        ("95", "Asia/Jayapura"),  # Papua Pegunungan
        ("96", "Asia/Jayapura"),  # Papua Barat Daya
    ],
)
def test_a_province_and_all_in_it_keep_their_legal_time(register: Register, province: str, zone: str) -> None:
    zones = {agency.time_zone for agency in register if (agency.region_code or "")[:2] == province}

    assert zones == {zone}


def test_provinces_by_time_zone(register: Register) -> None:
    zones = Counter(agency.time_zone for agency in register if agency.kind == "province")

    assert zones == {"Asia/Jakarta": 18, "Asia/Makassar": 12, "Asia/Jayapura": 8}


def test_each_region_answers_to_its_province_and_through_it_to_home_affairs(register: Register) -> None:
    for agency in register:
        if agency.kind in ("regency", "city"):
            assert agency.region_code is not None
            above = [tier.code for tier in register.tiers(agency.code)]
            assert above[:2] == [f"prov-{agency.region_code[:2]}", "kemendagri"], agency.code


def test_the_ministries_stand_below_seven_coordinating_ones(register: Register) -> None:
    ministries = [agency for agency in register if agency.kind == "ministry"]
    coordinating = {agency.code for agency in ministries if agency.code.startswith("kemenko-")}
    below = Counter(agency.supervised_by for agency in ministries if agency.code not in coordinating)

    assert len(coordinating) == 7
    assert set(below) == coordinating | {None}
    assert below[None] == 4  # state secretariat, finance, planning, apparatus: the President's own


def test_no_mailbox_can_be_real(register: Register) -> None:
    mailboxes = [agency.email for agency in register]

    assert [email for email in mailboxes if not email.endswith(".agency.example")] == []
    assert len(set(mailboxes)) == len(mailboxes)


def test_every_sector_finds_an_agency_in_every_province_or_at_the_centre(register: Register) -> None:
    for sector in Sector:
        central = [agency for agency in register if agency.region_code is None and sector in agency.sectors]
        assert central, sector
    for province in register:
        if province.kind == "province":
            assert set(Sector) - set(province.sectors) == {Sector.BANKING}


@pytest.mark.parametrize("rule", load_profile().fast_tracks, ids=lambda rule: rule.code)
def test_a_fast_track_ends_at_a_unit_of_the_register(register: Register, rule: FastTrackRule) -> None:
    unit = register.get(rule.agency).unit(rule.unit)

    assert {category.partition(".")[0] for category in rule.categories} <= {sector.value for sector in unit.sectors}


def test_the_register_loads_in_a_fifth_of_a_second() -> None:
    load_register()  # imports and caches warm
    start = time.process_time()
    load_register()

    assert time.process_time() - start < 0.2
