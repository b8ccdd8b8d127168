"""One play: sets the scene, lets everybody act from moment to moment, and counts what came of it."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import monotonic

from dispatch.domain.register import Register
from tuntas_chassis.clock import SimulatedClock
from tuntas_contracts.vocabulary import Service
from tuntas_demo.agency_commands import AgencyCommands
from tuntas_demo.agenda import Activity
from tuntas_demo.api_client import ApiClient, Faults
from tuntas_demo.case_log import CaseLog, PlayedCase
from tuntas_demo.corpus import GeneratedReport
from tuntas_demo.counters import Counters
from tuntas_demo.display import Display
from tuntas_demo.feed import Feed
from tuntas_demo.office_hours import OfficeHours
from tuntas_demo.officers import Officers
from tuntas_demo.options import DemoFailed, DemoOptions
from tuntas_demo.pipeline_snapshot import PipelineSnapshot, by_bucket
from tuntas_demo.quiet import Quiet
from tuntas_demo.receipt_mails import ReceiptMails
from tuntas_demo.reporters import Reporters
from tuntas_demo.scheduler import Actors, Scheduler
from tuntas_demo.systems import Systems
from tuntas_demo.time import SimulatedTime
from tuntas_demo.tokens import Tokens
from tuntas_demo.verifiers import Verifiers
from tuntas_devstack.kafka.access import aiokafka_settings
from tuntas_devstack.stack import Stack
from tuntas_operations.service_modules import module_of

_PUBLISHED_WITHIN_S = 60.0
_MAILED_WITHIN_S = 120.0
_LOOK_AGAIN_S = 0.02


@dataclass(frozen=True, slots=True)
class Script:
    """What is played: the reports, the register that they address, and the days."""

    options: DemoOptions
    office_hours: OfficeHours
    register: Register
    reports: Sequence[GeneratedReport]

    def agencies(self) -> set[str]:
        """Every agency that a report may come to."""
        found = {report.expected.agency for report in self.reports} | {report.expected.wrong_agency for report in self.reports}
        return found | {report.payload.addressed_agency for report in self.reports if report.payload.addressed_agency}


class Play:
    """Made and used inside a running event loop: `open`, `run`, `close`."""

    def __init__(self, stack: Stack, script: Script) -> None:
        self.script = script
        self._stack = stack
        state = stack.state
        seed = script.options.seed
        self.faults = Faults()
        self.book = CaseLog()
        self.api_client = ApiClient(self.faults)
        agency_commands = AgencyCommands(script.register, seed)
        self.counters = Counters(agency_commands.has_own_system)
        tokens = Tokens(stack.signing_key())
        self.systems = Systems(state.kafka, aiokafka_settings(stack.folder), agency_commands, seed)
        actors = Actors(
            Reporters(self.api_client, state.url("intake"), tokens, self.book, ReceiptMails(Path(state.mail_file)), self.faults, seed),
            Verifiers(self.api_client, state.url("triage"), tokens, self.faults, seed),
            Officers(self.api_client, state.url("dispatch"), tokens, agency_commands, self.faults, seed),
            self.systems,
        )
        self._scheduler = Scheduler(actors, agency_commands, self.book, self.counters, script.office_hours, seed)
        self._with_systems = sorted(filter(agency_commands.has_own_system, script.agencies()))
        self._feed = Feed(state.kafka, stack.kafka_client(), self._with_systems, self._scheduler.listen)
        databases = {module: stack.database_url(module) for module in map(module_of, Service)}
        self.quiet = Quiet(state.kafka, aiokafka_settings(stack.folder), databases)
        clock = SimulatedClock(stack.folder.clock)
        self._clock = clock
        self._time = SimulatedTime(clock, self._wait_until_idle)
        self._began = monotonic()
        self._ended = 0.0
        self._doing = "the curtain rises"
        self.arrived_s = 0.0
        self._rate = _Rate()

    async def open(self) -> None:
        """Connect to everything."""
        await asyncio.gather(self.quiet.open(), self.systems.start(self._with_systems))
        self._feed.start()

    async def close(self) -> None:
        """Close all connections."""
        await asyncio.to_thread(self._feed.stop)
        self.api_client.close()
        await asyncio.gather(self.quiet.close(), self.systems.stop())

    async def run(self, display: Display) -> None:
        """From the first moment to the last, until every mail is out.

        Raises:
            DemoFailed: something is stalled, or a part of the stack died.
        """
        agenda, office_hours = self._scheduler.agenda, self.script.office_hours
        for case in map(PlayedCase, self.script.reports):
            agenda.add(office_hours.submission(case.report.submitted_at), Activity.SUBMIT, case, case.stage)
        agenda.halt_at(office_hours.mornings())
        self._began = monotonic()
        while (moment := agenda.next()) is not None:
            await self._time.advance_to(moment)
            self._doing = "everybody acts"
            await self._scheduler.perform(moment)
            if len(self.book) == len(self.script.reports) and not self.arrived_s:
                self.arrived_s = self.seconds
            self._doing = "until all has come to rest"
            await self._time.wait_until_idle()
            display.tick()
            if self._stack.deaths:
                raise DemoFailed(self._stack.deaths[0])
        await self._time.advance_to(office_hours.end)
        await self._time.wait_until_idle()
        self._doing = "the last mails"
        await _until(self._all_mailed, _MAILED_WITHIN_S, "notices are not delivered")
        await self._wait_until_idle(self._time.moment, with_notices=True)
        self._ended = monotonic()

    @property
    def seconds(self) -> float:
        """How long the play has been on, or was, in real seconds."""
        return (self._ended or monotonic()) - self._began

    def look(self) -> PipelineSnapshot:
        """The present state of the play."""
        now = self._clock.now()
        return PipelineSnapshot(
            now=now,
            day=min(self.script.office_hours.day_number(now), self.script.options.days),
            days=self.script.options.days,
            day_off=self.script.office_hours.is_day_off(now),
            doing=self._doing,
            reports=self.script.options.reports,
            accepted=len(self.book),
            buckets=by_bucket(self.book.states()),
            events=self.counters.events,
            closed=self.counters.closed,
            warnings=self.counters.warnings,
            missed=self.counters.missed,
            mails=sum(self.counters.sent.values()),
            messages=self.counters.messages,
            messages_per_s=self._rate.of(self.counters.messages),
            requests=sum(self.api_client.requests.values()),
            commands=self.systems.commands,
            refused=sum(self.counters.refused.values()),
            faults=self.faults.count,
            seconds=self.seconds,
        )

    async def _wait_until_idle(self, until: datetime, *, with_notices: bool = False) -> None:
        ends = await self.quiet.wait(until, self.systems.ends, with_notices=with_notices)

        async def all_published() -> bool:
            mistakes = self.systems.mistakes.total()
            return self._feed.has_read(ends) and self.counters.unpaired == 0 and self.counters.refused.total() >= mistakes

        await _until(all_published, _PUBLISHED_WITHIN_S, "an agency's topic lacks what the cases topic says, or a mistake was not refused")

    async def _all_mailed(self) -> bool:
        return await self.quiet.waiting_mail() == 0


class _Rate:
    """A rate per second over the last few seconds."""

    def __init__(self, over_s: float = 3.0) -> None:
        self._over_s = over_s
        self._seen: deque[tuple[float, int]] = deque()

    def of(self, count: int) -> float:
        """How fast a count grows that is `count` now."""
        now = monotonic()
        self._seen.append((now, count))
        while len(self._seen) > 2 and now - self._seen[1][0] > self._over_s:
            self._seen.popleft()
        then, before = self._seen[0]
        return (count - before) / (now - then) if now > then else 0.0


async def _until(condition: Callable[[], Awaitable[bool]], within_s: float, otherwise: str) -> None:
    deadline = monotonic() + within_s
    while not await condition():
        if monotonic() > deadline:
            raise DemoFailed(f"the play is stalled: {otherwise}, for {within_s:.0f} s")
        await asyncio.sleep(_LOOK_AGAIN_S)
