"""Every query of every dashboard against a real Prometheus that watched a real run: each finds what it asks for."""

import asyncio
import math
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from time import time
from typing import Any

import httpx
import pytest
import yaml

from tests.support.dashboard_queries import all_asked, without_fallback
from tests.support.platform import TIMEOUT_S, Platform, Receipt
from tests.support.waiting import until
from tuntas_contracts.vocabulary import Role, Service
from tuntas_embedded.ports import free_port
from tuntas_embedded.processes import Supervisor
from tuntas_embedded.prometheus.server import RULES, PrometheusServer, Target

BANDUNG, BOGOR = "kota-32-73", "kab-32-01"
ADMIN = Role.NATIONAL_ADMINISTRATOR
DATASOURCE_VALUES = {"__rate_interval": "3m", "__range": "1h", "agency": BANDUNG}
NOTHING_OF_THE_KIND = {
    "national: Tertunda: the one query",
    "national: Unfinished cases by bucket: Tertunda",
    "agency: Tertunda: the one query",
    "bus: Trust runs out in: {{authority}}",
    "service-notifier: Perhaps sent twice: possible repeats",
    *(f"service-{service.value}: Longest foreign transaction: {{{{application}}}}" for service in Service),
}
"""What this run rightly has not: asking for data is of a later release, the local broker has no TLS, no mail is in doubt, nobody else
has a transaction open."""


def hurried(rules: Path) -> Path:
    """Our rules, evaluated every second."""
    rules.mkdir()
    for file in RULES.glob("*.yaml"):
        rules_file = yaml.safe_load(file.read_text(encoding="utf-8"))
        for group in rules_file["groups"]:
            group["interval"] = "1s"
        (rules / file.name).write_text(yaml.safe_dump(rules_file), encoding="utf-8")
    return rules


@pytest.fixture
async def prometheus(platform: Platform, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A Prometheus that scrapes the platform every second."""
    server = PrometheusServer(tmp_path / "prometheus", free_port(), tmp_path / "log", rules=hurried(tmp_path / "rules"), scrape_s=1)
    targets = [Target(part.name, part.name, part.address) for part in platform.stack.state.parts if part.kind == "service"]
    supervisor = Supervisor()
    try:
        await asyncio.to_thread(supervisor.start, server.prepare(targets))
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
            yield client
    finally:
        await asyncio.to_thread(supervisor.stop_all)


async def found(prometheus: httpx.AsyncClient, expression: str) -> list[tuple[Mapping[str, str], float]]:
    """The series that an expression has now."""
    answer = await prometheus.post("/api/v1/query", data={"query": expression})
    assert answer.status_code == 200, f"{expression}: {answer.text}"
    return [(series["metric"], float(series["value"][1])) for series in answer.json()["data"]["result"]]


async def scraped(prometheus: httpx.AsyncClient, platform: Platform) -> None:
    """Wait until every service has been scraped after now."""
    now, services = time(), sum(part.kind == "service" for part in platform.stack.state.parts)

    async def all_later() -> bool:
        return len([at for _, at in await found(prometheus, "timestamp(up == 1)") if at > now]) == services

    await until(all_later, "every service is scraped", TIMEOUT_S)


async def to_the_very_end(platform: Platform) -> None:
    receipt = await platform.submit(category="transport")
    await platform.until_state(receipt, "received", version=2)
    await platform.forward(receipt, BANDUNG)
    await platform.accept(receipt, BANDUNG, "dinas-perhubungan", normative=True)
    await platform.follow_up(receipt, BANDUNG)
    await platform.answer(receipt, BANDUNG)
    await platform.until_state(receipt, "responded")
    await platform.reply(receipt, "Padam lagi, hubungi 0812-3456-7890.")
    await platform.until_state(receipt, "in_progress", version=7)
    await platform.answer(receipt, BANDUNG, "Kabel telah diganti.")
    await platform.until_state(receipt, "responded", version=8)
    await platform.confirm(receipt, 5)
    await platform.until_state(receipt, "closed")


async def answered_and_left(platform: Platform) -> None:
    receipt = await platform.submit(addressed_agency=BANDUNG, body="Lampu padam, hubungi 0812-3456-7890.")
    await platform.handle(receipt, BANDUNG, "layanan")
    await platform.answer(receipt, BANDUNG)
    await platform.until_state(receipt, "responded")


async def accepted_and_left(platform: Platform) -> None:
    receipt = await platform.submit(addressed_agency=BANDUNG)
    await platform.accept(receipt, BANDUNG, "dinas-perhubungan", normative=True)


async def passed_to_and_fro(platform: Platform) -> None:
    receipt = await platform.submit(addressed_agency=BANDUNG)
    await platform.return_case(receipt, BANDUNG)
    await platform.until_state(receipt, "received", version=3)
    await platform.forward(receipt, BOGOR)


async def archived(platform: Platform) -> None:
    receipt = await platform.submit(title="Tolong diperbaiki", body="Tolong semuanya diperbaiki segera.")
    await platform.until_state(receipt, "received", version=2)
    await platform.archive(receipt, "too_general")


async def disaster(platform: Platform) -> None:
    receipt = await platform.submit(
        category="other-strategic.disasters", title="Tanah longsor menutup jalan", body="Warga terisolasi longsor."
    )
    await platform.until_state(receipt, "dispatched")


async def waits_and_is_asked_about(platform: Platform) -> None:
    receipt = await platform.submit(addressed_agency=BANDUNG, key=f"once-{id(platform)}")
    await platform.until_state(receipt, "at_agency")
    await platform.submit()
    wrong = await platform.call("intake", "GET", f"/v1/reports/{receipt.tracking_id}", headers={"X-Access-Code": "0000-0000-0000-0000"})
    assert wrong.status_code == 404
    refused = await platform.call_until_known(
        "dispatch",
        "POST",
        f"/v1/cases/{receipt.case_id}/answer",
        role=Role.AGENCY_ADMINISTRATOR,
        agency=BANDUNG,
        json={"answer": "Terlalu dini."},
    )
    assert refused.status_code == 409, refused.text
    await looked_at(platform, receipt)


async def looked_at(platform: Platform, receipt: Receipt) -> None:
    for service, path in (
        ("triage", "/v1/queue"),
        ("sla-monitor", f"/v1/cases/{receipt.case_id}/clocks"),
        ("notifier", f"/v1/cases/{receipt.case_id}/notices"),
    ):
        assert (await platform.call_until_known(service, "GET", path, role=ADMIN)).status_code == 200


STORIES = (to_the_very_end, answered_and_left, accepted_and_left, passed_to_and_fro, archived, disaster, waits_and_is_asked_about)


async def some_reports(platform: Platform) -> None:
    """Three of each story: two dozen reports, some in every state."""
    await asyncio.gather(*(story(platform) for story in STORIES for _ in range(3)))


async def an_hour_before_a_deadline(platform: Platform) -> None:
    """Let a deadline (C2) stand before the door, so that something is due within a day."""
    receipt = await platform.submit(addressed_agency=BANDUNG)
    path = f"/v1/cases/{receipt.case_id}/clocks"

    async def due() -> datetime | None:
        answer = await platform.call_until_known("sla-monitor", "GET", path, role=ADMIN)
        return next((datetime.fromisoformat(c["due_at"]) for c in answer.json()["clocks"] if c["clock"] == "C2"), None)

    await platform.move_clock(await until(due, "C2 runs", TIMEOUT_S) - timedelta(hours=1))


async def nothing_found(prometheus: httpx.AsyncClient) -> list[str]:
    """The queries whose own expression, without what is shown in its place, has no number."""
    empty = []
    for asked in all_asked():
        own = without_fallback(asked.with_values(**DATASOURCE_VALUES))
        if not any(math.isfinite(value) for _, value in await found(prometheus, own)) and str(asked) not in NOTHING_OF_THE_KIND:
            empty.append(f"{asked}: {own}")
    return empty


async def test_every_query_of_every_panel_finds_what_it_asks_for(platform: Platform, prometheus: httpx.AsyncClient) -> None:
    # a counter begins with its first event, which no rate shows: what happened once must happen again
    await some_reports(platform)
    await scraped(prometheus, platform)
    await platform.pass_time(timedelta(days=32))
    await some_reports(platform)
    await platform.pass_time(timedelta(days=32))
    await an_hour_before_a_deadline(platform)

    empty: list[str] = []

    async def all_answered() -> bool:
        empty[:] = await nothing_found(prometheus)
        return not empty

    try:
        await until(all_answered, "every query has data", TIMEOUT_S)
    except AssertionError as error:
        raise AssertionError("without data:\n" + "\n".join(empty)) from error
    for asked in all_asked():
        assert await found(prometheus, asked.with_values(**DATASOURCE_VALUES)), f"{asked} shows «no data»"

    await figures_are_true(platform, prometheus)


async def figures_are_true(platform: Platform, prometheus: httpx.AsyncClient) -> None:
    """The buckets of the overview are what the databases hold, once gauges were brought up to date."""
    await platform.until_idle()
    shown = {str(asked): asked.with_values(**DATASOURCE_VALUES) for asked in all_asked()}
    states = 'SELECT count(*) FROM "case" WHERE state = ANY($1)'
    expected = {
        "national: Belum Terverifikasi – pusat: the one query": await count(
            platform, "triage", "SELECT count(*) FROM case_file WHERE state = 'received' AND owner = 'triage'"
        ),
        "national: Belum Terverifikasi – instansi: the one query": await count(platform, "dispatch", states, ["at_agency"]),
        "national: Terdisposisi – Belum Ditindaklanjuti: the one query": await count(platform, "dispatch", states, ["dispatched"]),
        "national: Terdisposisi – Sedang Diproses: the one query": await count(platform, "dispatch", states, ["in_progress", "responded"]),
        "agency: Belum Terverifikasi: the one query": await count(
            platform, "dispatch", "SELECT count(*) FROM \"case\" WHERE state = 'at_agency' AND agency = $1", BANDUNG
        ),
        "agency: Completions: in time": await count(
            platform,
            "sla-monitor",
            "SELECT count(*) FROM clock_run WHERE clock = 'C4' AND outcome = 'met' AND agency = $1 AND started_at >= $2",
            BANDUNG,
            platform.clock.now() - timedelta(days=90),
        ),
    }

    async def as_in_the_databases() -> bool:
        return all([[value for _, value in await found(prometheus, shown[name])] == [number] for name, number in expected.items()])

    await until(as_in_the_databases, f"the dashboards show {expected}", TIMEOUT_S)


async def count(platform: Platform, service: str, sql: str, *arguments: Any) -> int:
    [row] = await platform.query(service, sql, *arguments)
    return int(row["count"])
