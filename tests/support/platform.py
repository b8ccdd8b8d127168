"""A running platform as its people use it: reporters, officers, agencies' own systems; and what can be seen of it from outside."""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
from aiokafka import AIOKafkaProducer

from tests.support.kafka_log import KafkaLog, TopicRecord
from tests.support.waiting import until
from tuntas_chassis.clock import SimulatedClock
from tuntas_chassis.ids import new_id
from tuntas_contracts.agencies import AgencyCommand
from tuntas_contracts.envelope import Envelope
from tuntas_contracts.topology import AGENCY_ACTIONS, AGENCY_CASES, CASES, SLA, TOPICS
from tuntas_contracts.vocabulary import Role, Service
from tuntas_devstack.kafka.access import credentials_of
from tuntas_devstack.sessions import Sessions
from tuntas_devstack.stack import Stack
from tuntas_devstack.state import read_databases
from tuntas_embedded.issuer import mint_token
from tuntas_embedded.mailbox import Mail, stored_mails
from tuntas_operations.service_modules import module_of

Json = dict[str, Any]
TIMEOUT_S = 90.0
"""How long something that must happen may take on a machine that is busy with other work."""

_UNDER_WAY = ("unknown_case", "other_agency", "not_owner")
A_REPORT: Json = {
    "classification": "complaint",
    "title": "Lampu jalan padam di depan pasar",
    "body": "Sudah dua minggu lampu jalan di depan pasar padam, jalan gelap dan rawan kecelakaan. Mohon diperbaiki.",
    "reporter": {"name": "Sekar Ayu Wulandari", "email": "sekar.ayu@surat.example"},
}


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a reporter gets for a report."""

    case_id: UUID
    tracking_id: str
    access_code: str
    answer: Json = field(compare=False)

    @property
    def code(self) -> dict[str, str]:
        """The header that opens the report."""
        return {"X-Access-Code": self.access_code}


class Platform:
    """Drives one stack. Business time moves only by `move_clock`."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.http = httpx.AsyncClient(timeout=30, limits=httpx.Limits(max_connections=200, max_keepalive_connections=200))
        self.databases = Sessions(read_databases(stack.folder))
        self.log = KafkaLog(stack.state.kafka, stack.kafka_client())
        self._reading = asyncio.Lock()
        self._producers: dict[str | None, AIOKafkaProducer] = {}
        self._connecting = asyncio.Lock()

    async def close(self) -> None:
        """Leave the stack, which keeps running."""
        await self.http.aclose()
        await self.databases.close()
        for producer in self._producers.values():
            await producer.stop()
        await asyncio.to_thread(self.log.close)

    # -- HTTP -------------------------------------------------------------------------------------------------------

    def url(self, service: str) -> str:
        """Where a service (or a further replica, by its part's name) listens."""
        return self.stack.state.url(service)

    def token(self, role: Role | None, agency: str | None = None, *, subject: str | None = None, ttl_s: int = 3600) -> str:
        """A bearer token of a person with that role."""
        subject = subject or f"test-{role or 'nobody'}-{agency or 'national'}"
        return mint_token(self.stack.signing_key(), sub=subject, roles=[role.value] if role else [], agency=agency, ttl_s=ttl_s)

    async def call(
        self,
        service: str,
        method: str,
        path: str,
        *,
        role: Role | None = None,
        agency: str | None = None,
        headers: Mapping[str, str] | None = None,
        **request: Any,
    ) -> httpx.Response:
        """One request, with the token of a role where one is given."""
        all_headers = dict(headers or {})
        if role is not None:
            all_headers["Authorization"] = f"Bearer {self.token(role, agency)}"
        return await self.http.request(method, self.url(service) + path, headers=all_headers, **request)

    async def metric(self, service: str, series: str) -> float:
        """What a service's metrics say of one series, named with its labels."""
        shown = (await self.http.get(f"{self.url(service)}/metrics")).text
        [line] = [line for line in shown.splitlines() if line.startswith(f"{series} ")]
        return float(line.rsplit(" ", 1)[1])

    # -- reporters --------------------------------------------------------------------------------------------------

    async def submit(self, *, key: str | None = None, **fields: Any) -> Receipt:
        """Submit a sound report with these fields changed."""
        answer = await self.http.post(
            f"{self.url('intake')}/v1/reports", json=A_REPORT | fields, headers={"Idempotency-Key": key} if key else {}
        )
        assert answer.status_code == 201, answer.text
        return receipt_of(answer)

    async def status(self, receipt: Receipt) -> Json:
        """What the reporter sees."""
        answer = await self.http.get(f"{self.url('intake')}/v1/reports/{receipt.tracking_id}", headers=receipt.code)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def until_state(self, receipt: Receipt, state: str, *, version: int = 0, within_s: float = TIMEOUT_S) -> Json:
        """Wait until the reporter sees the report in that state, at that version or a later one."""

        async def seen() -> Json | None:
            status = await self.status(receipt)
            return status if status["state"]["code"] == state and status["version"] >= version else None

        found: Json = await until(seen, f"case {receipt.case_id} is {state} from version {version} on", within_s)
        return found

    async def _input(self, receipt: Receipt, kind: str, body: Json) -> Json:
        path = f"{self.url('intake')}/v1/reports/{receipt.tracking_id}/{kind}"
        answer = await self.http.post(path, json=body, headers=receipt.code)
        assert answer.status_code == 202, answer.text
        return dict(answer.json())

    async def reply(self, receipt: Receipt, text: str) -> Json:
        """T16."""
        return await self._input(receipt, "reply", {"text": text})

    async def confirm(self, receipt: Receipt, rating: int) -> Json:
        """T18."""
        return await self._input(receipt, "confirmation", {"rating": rating})

    async def confirm_when_answered(self, receipt: Receipt, rating: int) -> Json:
        """T18, as soon as the reporter sees the answer."""
        await self.until_state(receipt, "responded")
        return await self.confirm(receipt, rating)

    # -- officers ---------------------------------------------------------------------------------------------------

    async def forward(self, receipt: Receipt, agency: str, **fields: Any) -> Json:
        """T3."""
        return await self._officer("triage", receipt, "forward", Role.NATIONAL_ADMINISTRATOR, None, {"agency": agency, **fields})

    async def archive(self, receipt: Receipt, reason: str, **fields: Any) -> Json:
        """T13."""
        return await self._officer("triage", receipt, "archive", Role.NATIONAL_ADMINISTRATOR, None, {"reason": reason, **fields})

    async def accept(self, receipt: Receipt, agency: str, unit: str, **fields: Any) -> Json:
        """T4."""
        return await self._officer("dispatch", receipt, "accept", Role.AGENCY_ADMINISTRATOR, agency, {"unit": unit, **fields})

    async def handle(self, receipt: Receipt, agency: str, unit: str, **fields: Any) -> Json:
        """T5."""
        return await self._officer("dispatch", receipt, "handle", Role.AGENCY_ADMINISTRATOR, agency, {"unit": unit, **fields})

    async def return_case(self, receipt: Receipt, agency: str, reason: str = "Bukan wewenang kami.") -> Json:
        """T10."""
        return await self._officer("dispatch", receipt, "return", Role.AGENCY_ADMINISTRATOR, agency, {"reason": reason})

    async def follow_up(self, receipt: Receipt, agency: str, note: str = "Petugas telah meninjau lokasi.") -> Json:
        """T14."""
        return await self._officer("dispatch", receipt, "follow-up", Role.LIAISON_OFFICER, agency, {"note": note})

    async def answer(self, receipt: Receipt, agency: str, answer: str = "Lampu telah diganti.", **fields: Any) -> Json:
        """T15."""
        return await self._officer("dispatch", receipt, "answer", Role.LIAISON_OFFICER, agency, {"answer": answer, **fields})

    async def _officer(self, service: str, receipt: Receipt, verb: str, role: Role, agency: str | None, body: Json) -> Json:
        path = f"/v1/cases/{receipt.case_id}/{verb}"
        # a case may still be on its way to the service that is to have it
        answer = await self.call_until_known(service, "POST", path, role=role, agency=agency, json=body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def call_until_known(self, service: str, method: str, path: str, **request: Any) -> httpx.Response:
        """A call that is made again while the service says that the case is unknown or still with its former owner or agency."""

        async def answered() -> httpx.Response | None:
            answer = await self.call(service, method, path, **request)
            under_way = answer.status_code >= 400 and answer.json()["code"].startswith(_UNDER_WAY)
            return None if under_way else answer

        found: httpx.Response = await until(answered, f"{service} has the case of {path}", TIMEOUT_S)
        return found

    # -- agencies' own systems --------------------------------------------------------------------------------------

    async def command(self, agency: str, command: AgencyCommand, *, command_id: UUID | None = None) -> UUID:
        """Put a command on an agency's actions topic, connected as that agency's user; returns its id."""
        command_id = command_id or new_id()
        envelope = Envelope(command_id, f"agency/{agency}", type(command).__name__, str(command.case_id), datetime.now(UTC))
        key, value = str(command.case_id).encode(), command.model_dump_json().encode()
        await self.produce(AGENCY_ACTIONS.for_agency(agency), [(key, value, envelope.headers())], agency=agency)
        return command_id

    async def produce(
        self, topic: str, records: Sequence[tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]], *, agency: str | None = None
    ) -> None:
        """Put raw records (key, value, headers) on a topic, in order: as an agency's user, or as one who may write everywhere."""
        producer = await self._producer_of(agency)
        futures = [await producer.send(topic, value, key, headers=headers) for key, value, headers in records]
        await asyncio.gather(*futures)

    async def _producer_of(self, agency: str | None) -> AIOKafkaProducer:
        async with self._connecting:
            if agency not in self._producers:
                user = credentials_of(self.stack.folder) if agency is None else await asyncio.to_thread(self.stack.agency_client, agency)
                assert user is not None, "the broker of a stack is secured"
                producer = AIOKafkaProducer(
                    bootstrap_servers=self.stack.state.kafka, acks="all", enable_idempotence=True, **user.aiokafka()
                )
                await producer.start()
                self._producers[agency] = producer
            return self._producers[agency]

    # -- what can be seen -------------------------------------------------------------------------------------------

    async def read_topics(self) -> Sequence[TopicRecord]:
        """Everything on the topics up to now."""
        async with self._reading:
            return await asyncio.to_thread(self.log.refresh)

    async def events(self, case_id: UUID, *kinds: str, topic: str = CASES.name) -> list[TopicRecord]:
        """What is on a topic of one case, in order."""
        await self.read_topics()
        return self.log.of_key(case_id, topic, *kinds)

    async def agency_messages(self, agency: str, case_id: UUID, *kinds: str) -> list[TopicRecord]:
        """What an agency's own system reads of one case, in order."""
        return await self.events(case_id, *kinds, topic=AGENCY_CASES.for_agency(agency))

    async def deadlines(self, case_id: UUID) -> list[tuple[str, str, str]]:
        """(kind, clock, level or nothing) of each event on the SLA topic of one case, in order."""
        return [(r.kind, r.body["clock"], r.body.get("level", "")) for r in await self.events(case_id, topic=SLA.name)]

    async def until_events(self, case_id: UUID, *kinds: str, count: int = 1, topic: str = CASES.name) -> list[TopicRecord]:
        """Wait until that many events (of these kinds, where some are named) are on a topic of one case."""

        async def there() -> list[TopicRecord] | None:
            found = await self.events(case_id, *kinds, topic=topic)
            return found if len(found) >= count else None

        found: list[TopicRecord] = await until(there, f"{count} {' or '.join(kinds) or 'events'} of case {case_id} on {topic}", TIMEOUT_S)
        return found

    def mails(self, about: str | None = None, to: str | None = None) -> list[Mail]:
        """The mails that were delivered: with this text in the subject or body, to this address."""
        return [
            mail
            for mail in stored_mails(self.stack.folder.mail)
            if (about is None or about in mail.subject or about in mail.body) and (to is None or to in mail.to)
        ]

    async def until_mails(self, about: str, *subjects: str, to: str | None = None) -> list[Mail]:
        """Wait until there is a mail about this report with each of these words in its subject; returns all about it."""

        async def there() -> list[Mail] | None:
            found = self.mails(about, to)
            return found if all(any(words in mail.subject for mail in found) for words in subjects) else None

        found: list[Mail] = await until(there, f"mails about {about} to {to or 'anyone'}: {', '.join(subjects)}", TIMEOUT_S)
        return found

    def spans(self) -> Iterator[Json]:
        """Every span that was recorded."""
        for file in sorted(self.stack.folder.traces.glob("*.jsonl")):
            for line in file.read_text(encoding="utf-8").splitlines():
                yield json.loads(line)

    async def query(self, service: str, sql: str, *arguments: Any) -> list[Any]:
        """Rows of a service's database."""
        return await self.databases.fetch(module_of(Service(service)), sql, *arguments)

    # -- time -------------------------------------------------------------------------------------------------------

    @property
    def clock(self) -> SimulatedClock:
        """The stack's business time."""
        return SimulatedClock(self.stack.folder.clock)

    async def move_clock(self, to: datetime, *, idle: bool = True) -> None:
        """Let business time jump ahead to `to`, once nothing is under way; `idle` is false where something stays under way."""
        if idle:
            await self.until_idle()
        clock = self.clock
        assert to > clock.now(), f"the clock is already past {to}"
        clock.set_offset(to - datetime.now(UTC))

    async def pass_time(self, time: timedelta) -> None:
        """Let business time jump ahead by `time`, once nothing is under way."""
        await self.move_clock(self.clock.now() + time)

    async def until_idle(self, within_s: float = TIMEOUT_S) -> None:
        """Wait until every topic is read by all its readers and every outbox is empty."""
        await until(self._is_idle, "the platform is idle", within_s)

    async def _is_idle(self) -> bool:
        before = await asyncio.to_thread(self.log.ends)
        for service in Service:
            # in this order: what the last record read has led to is then in the outbox, or sent
            rows = await self.query(service, "SELECT topic, partition, min(position) AS position FROM consumer_offset GROUP BY 1, 2")
            [left] = await self.query(service, "SELECT EXISTS (SELECT FROM outbox) OR EXISTS (SELECT FROM outbox_set_aside) AS some")
            if left["some"]:
                return False
            positions = {(row["topic"], row["partition"]): row["position"] for row in rows}
            if any(positions.get(place, 0) < end for place, end in before.items() if _reads(service, place[0])):
                return False
        return not [r for r in await self.read_topics() if r.offset >= before.get((r.topic, r.partition), 0)]


_READERS = [(topic, topic.readers) for topic in TOPICS]


def _reads(service: Service, topic: str) -> bool:
    """Whether this topic is one that the service reads."""
    for known, readers in _READERS:
        head, _, tail = known.name.partition("{agency}")
        if topic.startswith(head) and topic.endswith(tail):
            return service in readers
    return False


def receipt_of(answer: httpx.Response) -> Receipt:
    """The receipt in an answer."""
    found = answer.json()
    return Receipt(UUID(found["case_id"]), found["tracking_id"], found["access_code"], found)
