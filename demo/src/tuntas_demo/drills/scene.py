"""The scene of a drill: a stack that runs, those who use it, and what can be seen of it from outside."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from time import monotonic, time
from typing import TypeVar

import asyncpg
from confluent_kafka import KafkaException

from tuntas_chassis.clock import SimulatedClock
from tuntas_demo.drills import counting
from tuntas_demo.drills.clients import AGENCIES, Clients
from tuntas_demo.drills.counting import Filed
from tuntas_demo.drills.databases import Databases
from tuntas_demo.drills.model import DrillFailed
from tuntas_demo.drills.topic_log import AGENCY_CASES, SLA, Record, TopicLog, agency_topic, of_type
from tuntas_devstack.stack import Stack
from tuntas_devstack.state import read_databases

_LOOK_AGAIN_S, _LOOK_AGAIN_AT_LAST_S, _MORE_SELDOM = 0.1, 0.4, 1.2
_IDLE_WITHIN_S = 300.0
_JOINED_FOR_S = 5.0
_PUBLISHED_WITHIN_S = 60.0
_SHOWN = 8

T = TypeVar("T")


class Scene:
    """One stack under drills. `reports` is how many reports a drill files, `say` gets each step in one line.

    `measured` holds what the present drill measured, in seconds; `lost` the agencies whose topic was deleted.
    """

    def __init__(self, stack: Stack, rng: Random, reports: int, say: Callable[[str], None]) -> None:
        self.stack = stack
        self.rng = rng
        self.reports = reports
        self.say = say
        self.measured: dict[str, float] = {}
        self.lost: set[str] = set()
        self.clients = Clients(stack, rng)
        self.databases = Databases(read_databases(stack.folder))
        self.log = TopicLog(stack.state.kafka, stack.kafka_client())
        self._reading = asyncio.Lock()
        self._clock = SimulatedClock(stack.folder.clock)
        self._steps: list[tuple[float, timedelta]] = [(0.0, self._offset())]

    async def close(self) -> None:
        """Disconnect from the stack, which keeps running."""
        await self.clients.close()
        await self.databases.close()
        async with self._reading:  # what was given up may still read
            await asyncio.to_thread(self.log.close)

    async def begin(self) -> None:
        """Connect those who use the stack, and wait until every process has its partitions: joining moves them again and again."""
        await self.clients.connect()
        shared: dict[str, int] = {}
        since = monotonic()

        async def joined() -> bool:
            nonlocal shared, since
            found = await asyncio.to_thread(self.log.groups)
            if found != shared or not found or 0 in found.values():
                shared, since = found, monotonic()
            return monotonic() - since > _JOINED_FOR_S

        await self.until(joined, "every process has its partitions", _IDLE_WITHIN_S)

    # -- load -------------------------------------------------------------------------------------------------------

    async def file(self, count: int, *agencies: str) -> list[Filed]:
        """Submit so many reports, to these agencies or all of them in turn, several at once."""
        among = agencies or AGENCIES
        turns = asyncio.Semaphore(20)

        async def one(number: int) -> Filed:
            async with turns:
                return await self.clients.submit(among[number % len(among)])

        return list(await asyncio.gather(*(one(number) for number in range(count))))

    @asynccontextmanager
    async def load(self, count: int | None = None) -> AsyncIterator[None]:
        """Reports come in and some are worked on while the body runs, `count` of them at least; all acknowledged at its end."""
        stopping = asyncio.Event()
        numbers = iter(range(10**6))
        least = self.reports if count is None else count

        async def reporter() -> None:
            for number in numbers:
                if number >= least and stopping.is_set():
                    return
                filed = await self.clients.submit(AGENCIES[number % len(AGENCIES)])
                if number % 10 == 0:
                    await self.clients.accept(filed)
                    await self.clients.answer(filed)
                if number >= least:
                    await asyncio.sleep(_LOOK_AGAIN_S)  # a steady stream from here on, not a flood

        working = [asyncio.create_task(reporter()) for _ in range(8)]
        try:
            yield
        finally:
            stopping.set()
            await asyncio.gather(*working)

    # -- what can be seen -------------------------------------------------------------------------------------------

    async def read(self, prefix: str = "tuntas.") -> list[Record]:
        """Everything on the topics up to now; raises KafkaException where the broker does not answer."""
        async with self._reading:
            await asyncio.to_thread(self.log.read, prefix)
            return self.log.records

    async def topic_recreated(self, topic: str) -> None:
        """This topic was deleted and created again."""
        async with self._reading:
            await asyncio.to_thread(self.log.read_again, topic)

    async def until(self, condition: Callable[[], Awaitable[T]], what: str, within_s: float) -> T:
        """Wait for a condition; gives what it gave. An outage on the way counts as not yet."""
        deadline, pause = monotonic() + within_s, _LOOK_AGAIN_S
        while True:
            try:
                found = await condition()
            except (KafkaException, OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                found = None
            if found:
                return found
            if monotonic() > deadline:
                raise DrillFailed(f"{within_s:.0f} s later still not: {what}")
            await asyncio.sleep(pause)
            pause = min(pause * _MORE_SELDOM, _LOOK_AGAIN_AT_LAST_S)

    async def delivered(self, filed: list[Filed], within_s: float, measure: str = "") -> None:
        """Wait until each of these cases is on its agency's topic."""
        began = monotonic()

        async def all_there() -> bool:
            there = {(r.topic, r.key) for r in of_assigned(await self.read(AGENCY_CASES))}
            return all((agency_topic(report.agency or ""), report.case_id) in there for report in filed)

        await self.until(all_there, f"{len(filed)} cases are with their agencies", within_s)
        if measure:
            self.measured[measure] = monotonic() - began

    async def commands_accepted(self, filed: list[Filed], within_s: float, measure: str) -> None:
        """Let the agencies' own systems accept these cases one after the other; each command must be carried out in time."""
        slowest = 0.0
        for report in filed:
            began = monotonic()
            await self.clients.accept_by_system(report)
            topic = agency_topic(report.agency or "")

            async def answered(report: Filed = report, topic: str = topic) -> bool:
                changed = of_type(await self.read(topic), topic, "CaseChanged")
                return any(r.key == report.case_id and r.body.get("transition") == "T4" for r in changed)

            await self.until(answered, f"the command of {report.agency} for case {report.case_id} is accepted", within_s)
            slowest = max(slowest, monotonic() - began)
        self.measured[measure] = slowest

    # -- time -------------------------------------------------------------------------------------------------------

    async def limit_of(self, filed: Filed, clock: str) -> datetime:
        """When this clock of the case runs out."""

        async def due() -> datetime | None:
            for record in reversed(of_type(await self.read(SLA), SLA, "DeadlineSet")):
                if record.key == filed.case_id and record.body["clock"] == clock:
                    return datetime.fromisoformat(record.body["due_at"])
            return None

        limit = await self.until(due, f"{clock} of case {filed.case_id} is set", 60)
        if limit is None:
            raise DrillFailed(f"{clock} of case {filed.case_id} was never set")
        return limit

    async def approach_deadline(self, filed: Filed, clock: str, lead_s: float) -> datetime:
        """Step business time to `lead_s` before this clock of the case runs out; gives when it does. Waits until all is idle."""
        limit = await self.limit_of(filed, clock)
        await self.wait_until_idle()
        target = limit - timedelta(seconds=lead_s)
        if target < self._clock.now():
            raise DrillFailed(f"{clock} of case {filed.case_id} runs out at {limit}, which is past already")
        self.pass_time(target - self._clock.now())
        return limit

    def pass_time(self, step: timedelta) -> None:
        """Let business time jump ahead. Only while all is idle: what is under way would get a wrong business time."""
        self._clock.set_offset(self._offset() + step)
        self._steps.append((time(), self._offset()))

    async def at(self, moment: datetime) -> None:
        """Wait until it is that business time."""
        await asyncio.sleep(max((moment - self._clock.now()).total_seconds(), 0.0))

    async def missed_on_time(self, filed: list[Filed], clock: str, limit: datetime, within_s: float, measure: str) -> None:
        """Wait until the miss of each of these cases is published; each must be on its topic at most so many seconds after the limit."""

        async def published() -> dict[str, Record]:
            missed = of_type(await self.read(SLA), SLA, "DeadlineMissed")
            found = {record.key: record for record in missed if record.body["clock"] == clock}
            return found if all(report.case_id in found for report in filed) else {}

        left = max((limit - self._clock.now()).total_seconds(), 0.0)
        found = await self.until(
            published, f"the miss of {clock}, due at {limit:%H:%M:%S}, is published for {len(filed)} cases", left + within_s
        )
        late = max((self.business(found[report.case_id].appended_ms) - limit).total_seconds() for report in filed)
        self.measured[measure] = max(late, 0.0)
        if late > within_s:
            raise DrillFailed(f"the miss of {clock}, due at {limit:%H:%M:%S}, was published {late:.0f} s later")

    def business(self, appended_ms: int) -> datetime:
        """The business time at which a record was appended."""
        at = appended_ms / 1000
        offset = next(offset for since, offset in reversed(self._steps) if since <= at)
        return datetime.fromtimestamp(at, UTC) + offset

    def _offset(self) -> timedelta:
        return self._clock.now() - datetime.now(UTC)

    # -- the verdict ------------------------------------------------------------------------------------------------

    async def wait_until_idle(self, within_s: float = _IDLE_WITHIN_S) -> None:
        """Wait until every outbox is empty, every topic read by its readers, and nothing new written."""
        reason = ""

        async def idle() -> bool:
            nonlocal reason
            before = await asyncio.to_thread(self._ends)
            if reason := await self.databases.unread(before):
                return False
            after = await asyncio.to_thread(self._ends)
            news = [place for place, end in after.items() if end != before.get(place)]
            reason = f"something was written to {news[0][0]} just now" if news else ""
            return not news

        try:
            await self.until(idle, "the platform is idle", within_s)
        except DrillFailed as error:
            raise DrillFailed(f"{error}: {reason or 'it can not be seen'}") from error

    async def verdict(self) -> None:
        """Compare everything; raises DrillFailed with what is wrong."""
        await self.wait_until_idle()

        async def mailed() -> bool:
            return await self.databases.waiting_mails() == 0

        async def published() -> bool:
            found = await self.read()
            return not counting.unpublished_misses(counting.histories(found), found, self._clock.now())

        with contextlib.suppress(DrillFailed):  # the counter names what is left
            await self.until(published, "each miss is published that waited for the fault's end", _PUBLISHED_WITHIN_S)
        await self.until(mailed, "every mail is sent", _IDLE_WITHIN_S)
        await self.wait_until_idle()
        records, tables = await self.read(), await self.databases.tables()
        history = counting.histories(records)
        mails = [json.loads(line) for line in _lines(self.stack.folder.mail)]
        filed = self.clients.filed
        wrong = [
            *counting.wrong_in_histories(filed, history),
            *counting.wrong_at_agencies(filed, history, records, self.lost),
            *counting.wrong_in_deadlines(history, records, self._clock.now(), self.business),
            *counting.wrong_in_mails(filed, mails, records),
            *counting.wrong_in_tables(filed, history, tables),
        ]
        if self.stack.deaths:
            wrong.append(f"a part ended that no drill killed: {self.stack.deaths[0]}")
        if wrong:
            raise DrillFailed(f"the counter found {len(wrong)} faults: {'; '.join(_one_of_each(wrong))}")
        self.say(f"the counter agrees: {len(filed)} reports, {len(records)} records, {len(mails)} mails")

    def _ends(self) -> dict[tuple[str, int], int]:
        return self.log.ends()


def of_assigned(records: list[Record]) -> list[Record]:
    """The records by which agencies are given cases."""
    return [record for record in records if record.type == "CaseAssigned"]


def _one_of_each(wrong: list[str]) -> list[str]:
    """One example of each kind of fault, with how many there are."""
    kinds: dict[str, list[str]] = {}
    for fault in wrong:
        kinds.setdefault(re.sub(r"[0-9A-Fa-f-]{8,}|[0-9]+", "", fault), []).append(fault)
    return [f"{faults[0]} ({len(faults)} such)" for faults in kinds.values()][:_SHOWN]


def _lines(file: Path) -> list[str]:
    return [line for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("{")] if file.exists() else []
