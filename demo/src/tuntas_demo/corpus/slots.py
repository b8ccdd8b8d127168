"""What fills the slots of a situation's texts: the same facts as the officer knows them and as the reporter writes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from tuntas_demo.corpus.catalogue import Situation
from tuntas_demo.corpus.geography import Region
from tuntas_demo.corpus.lexicon import Lexicon

_MONTHS = ("Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September", "Oktober", "November", "Desember")
_WEEKDAYS = ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu")
_DURATIONS = ("dua minggu", "3 minggu", "sebulan", "dua bulan", "3 bulan", "hampir setengah tahun", "6 bulan", "10 hari", "setahun lebih")
_VAGUE_DATES = ("kemarin", "beberapa hari lalu", "belum lama ini", "minggu lalu", "tempo hari")
_VAGUE_SINCE = ("dari dulu", "sejak lama", "sudah lama", "entah sejak kapan")


@dataclass(frozen=True, slots=True)
class Facts:
    """Where and when it happened. `reported` and `in_title` are what the reporter writes, `true` what the officer knows."""

    region: Region
    village: str
    place_text: str
    incident: date
    reported: Mapping[str, str]
    in_title: Mapping[str, str]
    true: Mapping[str, str]


def draw_facts(
    rng: Random,
    lexicon: Lexicon,
    situation: Situation,
    region: Region,
    today: date,
    missing: frozenset[str],
    region_known: bool,
) -> Facts:
    """The facts of one report of that situation, of which the reporter leaves out what is `missing`."""
    places = lexicon.places
    village, neighbour, district = rng.sample(places.villages[region.island], 3)
    incident = today - timedelta(days=min(int(rng.expovariate(0.12)), 60))
    true = {
        "village": village,
        "neighbour": neighbour,
        "district": district,
        "region": region.name,
        "region_short": region.short,
        "province": region.province,
        "place": _place(rng, region, village, district),
        "road": rng.choice(places.roads).format(village=village, neighbour=neighbour),
        "date": _date_words(rng, incident, today),
        "since": f"sejak {_plain_date(rng, incident - timedelta(days=rng.randint(5, 80)))}",
        "duration": rng.choice(_DURATIONS),
        "count": str(rng.choice((5, 7, 8, 10, 12, 15, 18, 20, 25, 30, 40, 60))),
        "time": f"pukul {rng.randint(7, 21):02d}.{rng.choice(('00', '15', '30', '45'))}",
        "officer_title": rng.choice(lexicon.phrases.officer.defaults),
        "year": str(today.year),
    }
    reported = dict(true)
    reported["region"] = reported["region"] if rng.random() < 0.6 else rng.choice((region.short, region.name.replace("Kabupaten", "Kab.")))
    if "place" in missing:
        reported |= {
            "place": rng.choice(places.vague_places),
            "road": rng.choice(places.vague_roads),
            "village": rng.choice(places.vague_villages),
            "neighbour": "sebelah",
            "district": rng.choice(places.vague_districts),
        }
        if not region_known:
            reported |= {"region": rng.choice(places.vague_regions), "region_short": "kota kami", "province": "provinsi kami"}
    if "date" in missing:
        reported |= {"date": rng.choice(_VAGUE_DATES), "since": rng.choice(_VAGUE_SINCE)}
    for slot in situation.slots:
        value = rng.choice(situation.slots[slot])
        true[slot], reported[slot] = value.format_map(true), value.format_map(reported)
    in_title = reported | (
        {} if "place" in missing else {"place": rng.choice((f"{village}, {reported['region']}", village, reported["region"]))}
    )
    return Facts(region, village, true["place"], incident, reported, in_title, true)


def _place(rng: Random, region: Region, village: str, district: str) -> str:
    if region.city:
        forms: tuple[str, ...] = (
            f"Kelurahan {village}, Kecamatan {district}, {region.name}",
            f"Kel. {village}, {region.name}",
            f"{village}, {region.name}",
        )
    else:
        forms = (
            f"Desa {village}, Kecamatan {district}, {region.name}",
            f"Desa {village}, Kec. {district}",
            f"Dusun {rng.randint(1, 5)} Desa {village}, {region.name}",
            f"{village}, {district}, {region.name}",
        )
    return rng.choice(forms)


def _plain_date(rng: Random, day: date) -> str:
    month = _MONTHS[day.month - 1]
    return rng.choice(
        (f"tanggal {day.day} {month} {day.year}", f"{day.day} {month}", f"tanggal {day.day}/{day.month}/{day.year}", f"bulan {month}")
    )


def _date_words(rng: Random, day: date, today: date) -> str:
    month, age = _MONTHS[day.month - 1], (today - day).days
    forms = [
        f"tanggal {day.day} {month} {day.year}",
        f"pada hari {_WEEKDAYS[day.weekday()]} tanggal {day.day} {month}",
        f"tgl {day.day}/{day.month}/{day.year}",
    ]
    if age == 0:
        forms += ["hari ini", "tadi pagi", "barusan"]
    elif age == 1:
        forms += ["kemarin", f"kemarin ({day.day} {month})"]
    elif age < 7:
        forms += [f"hari {_WEEKDAYS[day.weekday()]} kemarin", f"{age} hari yang lalu"]
    return rng.choice(forms)
