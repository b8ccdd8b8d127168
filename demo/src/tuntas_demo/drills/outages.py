"""The database refuses to write, is put back, or holds a forgotten transaction; mails are put off; clients are slow."""

import asyncio
from time import monotonic

import httpx

from tuntas_contracts.vocabulary import Service
from tuntas_demo.drills.faults import database_read_only, foreign_transaction, mail_refused, slow_requests
from tuntas_demo.drills.killed import replicas_of
from tuntas_demo.drills.model import Drill, DrillFailed, Setting
from tuntas_demo.drills.scene import Scene
from tuntas_embedded.threads import in_thread

_READ_ONLY_S = 20.0
_FLOWS_WITHIN_S = 60.0
_FIRED_WITHIN_S = 60.0
_ANSWERED_WITHIN_S = 5.0
_SLOW_CLIENTS = 300
_CLOSED_BECAUSE = "header_timeout"
_SLOW_CLOSED_WITHIN_S = 30.0  # the headers' limit of 10 s, and time to connect and to see it
_OTHER = "kota-32-73"


async def read_only_database(scene: Scene) -> None:
    """Each service's database in turn refuses all writing for a while, as every failover makes it do."""
    names = ["intake", scene.rng.choice(["triage", "dispatch"])]
    for name in names:
        begun = len(scene.clients.filed)
        scene.say(f"the database of {name} is read-only for {_READ_ONLY_S:.0f} s")
        async with scene.load(min(scene.reports, 30)), database_read_only(scene.stack, name):
            await asyncio.sleep(_READ_ONLY_S)
        filed = list(scene.clients.filed.values())[begun:]
        await scene.delivered(filed, _FLOWS_WITHIN_S, f"flows again after, {name}")
    scene.clients.no_errors_of_ours()


async def database_put_back(scene: Scene) -> None:
    """Dispatch's database is put back to a copy from before what happened since."""
    await scene.file(10)
    await scene.wait_until_idle()
    parts = replicas_of(scene, Service.DISPATCH)
    scene.say("dispatch's database is copied")
    for part in parts:
        await asyncio.to_thread(scene.stack.stop_part, part)
    await scene.databases.execute("CREATE DATABASE dispatch_backup TEMPLATE dispatch", "ALTER DATABASE dispatch_backup OWNER TO dispatch")
    await _back(scene, parts)
    filed = await scene.file(min(scene.reports, 40))
    await scene.delivered(filed, _FLOWS_WITHIN_S)
    for report in filed[:10]:
        await scene.clients.accept(report)
        await scene.clients.answer(report)
    await scene.wait_until_idle()
    scene.say("what happened since is lost: the copy takes the database's place")
    for part in parts:
        await asyncio.to_thread(scene.stack.stop_part, part)
    await scene.databases.execute("DROP DATABASE dispatch", "ALTER DATABASE dispatch_backup RENAME TO dispatch")
    began = monotonic()
    await _back(scene, parts)
    scene.measured["ready again after"] = monotonic() - began
    await scene.delivered(await scene.file(6), _FLOWS_WITHIN_S)


async def _back(scene: Scene, parts: list[str]) -> None:
    await asyncio.gather(*(in_thread(scene.stack.restart, part) for part in parts))


async def forgotten_transaction(scene: Scene) -> None:
    """Somebody's session leaves a transaction open in dispatch's database."""
    cases = await scene.file(3, _OTHER)
    await scene.delivered(cases, _FLOWS_WITHIN_S)
    limit = await scene.approach_deadline(cases[-1], "C2", 20.0)
    scene.say("a transaction is left open in dispatch's database; a deadline runs out in 20 s")
    async with foreign_transaction(scene.stack, "dispatch"):
        await scene.missed_on_time(cases, "C2", limit, _FIRED_WITHIN_S, "deadline late by")
        await scene.delivered(await scene.file(6), _FLOWS_WITHIN_S)


async def mail_put_off(scene: Scene) -> None:
    """The mail server puts off every mail for a while."""
    scene.say("the mail server puts off every mail for 15 s")
    async with mail_refused(scene.stack):
        filed = await scene.file(min(scene.reports, 30))
        await scene.delivered(filed, _FLOWS_WITHIN_S)
        await asyncio.sleep(15)
    began = monotonic()

    async def mailed() -> bool:
        return await scene.databases.waiting_mails() == 0

    await scene.until(mailed, "every mail is sent", 300)
    scene.measured["all mails sent after"] = monotonic() - began


async def _closed_connections(scene: Scene, part: str, reason: str) -> float:
    """How many connections a process has closed for this reason."""
    async with httpx.AsyncClient(timeout=10) as http:
        metrics = (await http.get(f"{scene.stack.state.url(part)}/metrics")).text
    start = f'tuntas_http_connections_closed_total{{reason="{reason}"}} '
    return sum(float(line.removeprefix(start)) for line in metrics.splitlines() if line.startswith(start))


async def slow_clients(scene: Scene) -> None:
    """Hundreds of clients open connections and send their requests byte by byte."""
    scene.say(f"{_SLOW_CLIENTS} clients send their requests byte by byte")
    closed_before = await _closed_connections(scene, "intake", _CLOSED_BECAUSE)
    opened_at = monotonic()
    async with slow_requests(scene.stack, "intake", _SLOW_CLIENTS) as still_sending:
        slowest = 0.0
        for _ in range(20):
            began = monotonic()
            await scene.clients.submit(_OTHER)
            slowest = max(slowest, monotonic() - began)
        scene.measured["slowest report of others"] = slowest
        if slowest > _ANSWERED_WITHIN_S * 2:
            raise DrillFailed(f"a report took {slowest:.1f} s while other clients were slow")

        async def all_closed() -> bool:
            return still_sending() == 0

        left = _SLOW_CLOSED_WITHIN_S - (monotonic() - opened_at)
        await scene.until(all_closed, "the service has closed every slow connection", left)
        scene.measured["every slow connection closed after"] = monotonic() - opened_at
    closed = await _closed_connections(scene, "intake", _CLOSED_BECAUSE) - closed_before
    if closed < _SLOW_CLIENTS:
        raise DrillFailed(f"{closed:.0f} of {_SLOW_CLIENTS} slow connections were closed because of {_CLOSED_BECAUSE}")
    await scene.delivered(list(scene.clients.filed.values())[-20:], _FLOWS_WITHIN_S)


DRILLS = (
    Drill(
        name="read-only-database",
        setting=Setting.PAIRS,
        fault="A service's database refuses to write for 20 s, as each failover makes it do",
        waits="Everything of that service; requests are answered 503 with Retry-After",
        goes_on="The other services; what Kafka holds is kept",
        within_s=_FLOWS_WITHIN_S,
        alerts=("ServiceNotReady", "BatchesRetried"),
        operator="Nothing; the pool finds the new primary automatically",
        run=read_only_database,
    ),
    Drill(
        name="database-put-back",
        setting=Setting.PAIRS,
        fault="A service's database is put back to a backup",
        waits="That service, until it has read again what it had lost; `/readyz` says no",
        goes_on="The other services; no notice is sent twice",
        within_s=120,
        alerts=("ServiceNotReady",),
        operator="docs/operations.md, restoring; then `tuntas reconcile`",
        run=database_put_back,
    ),
    Drill(
        name="forgotten-transaction",
        setting=Setting.PAIRS,
        fault="Somebody's session leaves a transaction open in a service's database",
        waits="Nothing of ours",
        goes_on="Everything, deadlines too",
        within_s=_FIRED_WITHIN_S,
        alerts=("DeadlinesStandStill",),
        operator="End the session if an alert names it; it keeps old rows from being cleaned up",
        run=forgotten_transaction,
    ),
    Drill(
        name="mail-put-off",
        setting=Setting.PAIRS,
        fault="The mail server puts off every mail for a while",
        waits="Mails, which are tried again later and later",
        goes_on="Everything else",
        within_s=300,
        alerts=("NoticesWait", "SendingPaused"),
        operator="Ask the relay's operator for the reason; what waits is sent automatically",
        run=mail_put_off,
    ),
    Drill(
        name="slow-clients",
        setting=Setting.PAIRS,
        fault="Hundreds of clients send their requests byte by byte",
        waits="Those clients, whose connections are closed in time",
        goes_on="Reports of everyone else, readiness and metrics",
        within_s=_ANSWERED_WITHIN_S * 2,
        alerts=("ReportLatencyBurnsBudget",),
        operator="Limit connections by address at the balancer if it continues",
        run=slow_clients,
    ),
)
