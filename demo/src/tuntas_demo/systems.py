"""Agencies' own applications: they hear of their cases on their cases topic, and command on their actions topic. Some make mistakes."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from random import Random
from uuid import UUID, uuid4

from aiokafka import AIOKafkaProducer

from tuntas_contracts.agencies import AcceptCase, AgencyCommand, RecordFollowUp
from tuntas_contracts.envelope import Envelope
from tuntas_contracts.topology import AGENCY_ACTIONS
from tuntas_demo.agency_commands import AgencyCommands
from tuntas_demo.case_log import PlayedCase

_MISTAKE_SHARE = 0.03
_REPEAT_SHARE = 0.02


class Systems:
    """The applications of many agencies, behind one producer.

    A real one connects as its own agency's user. A producer for each of hundreds of agencies would be dear, so `client`, further
    arguments of the Kafka client, names a user who may write to all of them.
    """

    def __init__(self, bootstrap: str, client: Mapping[str, str], agency_commands: AgencyCommands, seed: int) -> None:
        self._producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, linger_ms=5, **client)
        self._agency_commands = agency_commands
        self._seed = seed
        self.commands = 0
        self.mistakes: Counter[str] = Counter()
        self.ends: dict[tuple[str, int], int] = {}
        """The next offset of every partition that was written to."""

    async def start(self, agencies: Iterable[str]) -> None:
        """Connect, for these agencies: the client would otherwise request the metadata of all topics at the first record to each."""
        await self._producer.start()
        await self._producer.client.set_topics([AGENCY_ACTIONS.for_agency(agency) for agency in agencies])

    async def stop(self) -> None:
        """Close all connections."""
        await self._producer.stop()

    async def decide(self, cases: Sequence[PlayedCase]) -> None:
        """Accept, handle or return."""
        await asyncio.gather(*(self._command(case, self._agency_commands.verification(case)) for case in cases))

    async def follow_up(self, cases: Sequence[PlayedCase]) -> None:
        """Record first follow-ups."""
        await asyncio.gather(*(self._command(case, self._agency_commands.follow_up(case)) for case in cases))

    async def answer(self, cases: Sequence[PlayedCase]) -> None:
        """Answer."""
        await asyncio.gather(*(self._command(case, self._agency_commands.answer(case)) for case in cases))

    async def _command(self, case: PlayedCase, command: AgencyCommand) -> None:
        rng = Random(f"{self._seed}:{case.number}:{case.stage}:{type(command).__name__}")
        if rng.random() < _MISTAKE_SHARE:
            await self._mistake(case, command, rng)
        self.commands += 1
        command_id = uuid4()
        await self._send(case, command, command_id)
        if rng.random() < _REPEAT_SHARE:  # at least once, as Kafka's clients do: the same id has no second effect
            await self._send(case, command, command_id)

    async def _mistake(self, case: PlayedCase, command: AgencyCommand, rng: Random) -> None:
        """A message that must be refused with a reason, and change nothing."""
        kind = rng.choice(("not JSON", "unknown unit", "out of turn", "no envelope"))
        self.mistakes[kind] += 1
        if kind == "not JSON":
            await self._write(case, b"{case: broken", _envelope(case, command, uuid4()).headers())
        elif kind == "no envelope":
            await self._write(case, command.model_dump_json().encode(), [])
        elif kind == "unknown unit" and isinstance(command, AcceptCase):
            await self._send(case, command.model_copy(update={"unit": "bidang-yang-tidak-ada"}), uuid4())
        elif isinstance(command, RecordFollowUp):
            await self._send(case, AcceptCase(case_id=UUID(case.case_id), unit="apa-saja"), uuid4())
        else:
            await self._send(case, AcceptCase(case_id=uuid4(), unit="apa-saja"), uuid4())

    async def _send(self, case: PlayedCase, command: AgencyCommand, command_id: UUID) -> None:
        envelope = _envelope(case, command, command_id)
        await self._write(case, command.model_dump_json(exclude_none=True).encode(), envelope.headers())

    async def _write(self, case: PlayedCase, value: bytes, headers: Sequence[tuple[str, bytes]]) -> None:
        topic = AGENCY_ACTIONS.for_agency(case.agency or "")
        written = await self._producer.send_and_wait(topic, value, key=case.case_id.encode(), headers=list(headers))
        place = (written.topic, written.partition)
        self.ends[place] = max(self.ends.get(place, 0), written.offset + 1)


def _envelope(case: PlayedCase, command: AgencyCommand, command_id: UUID) -> Envelope:
    # the agency's own clock, which is not used: the broker's append time counts
    return Envelope(command_id, f"agency/{case.agency}", type(command).__name__, case.case_id, datetime.now(UTC))
