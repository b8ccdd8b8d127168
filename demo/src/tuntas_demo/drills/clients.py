"""Those who use the platform: reporters and officers by HTTP, who ask again until they are answered, and agencies' own systems."""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from random import Random
from time import monotonic
from typing import Any
from uuid import uuid4

import httpx
from aiokafka import AIOKafkaProducer

from tuntas_demo.drills.counting import Filed
from tuntas_demo.drills.model import DrillFailed
from tuntas_demo.drills.topic_log import actions_topic
from tuntas_devstack.stack import Stack
from tuntas_embedded.issuer import mint_token

UNITS = {"kota-32-73": "layanan", "kab-32-01": "layanan", "kemenkes": "penanggulangan-penyakit"}
"""The agencies of a drill's stack, each with a unit that takes cases."""
AGENCIES = tuple(UNITS)

_AGAIN_AFTER_S = 0.25
_GIVEN_UP_AFTER_S = 240.0
_ANSWER_WITHIN_S = 8.0
_UNDER_WAY = ("unknown_case", "other_agency", "not_owner")
_REPORT = {
    "classification": "complaint",
    "title": "Lampu jalan padam di depan pasar",
    "body": "Sudah dua minggu lampu jalan di depan pasar padam, jalan gelap dan rawan kecelakaan. Mohon diperbaiki.",
    "reporter": {"name": "Sekar Ayu Wulandari", "email": "sekar.ayu@surat.example"},
}


class Clients:
    """Everybody who uses one stack. `filed` is what was promised to them, `faults` what they met meanwhile.

    A request goes to any process of the service; what is not answered is sent again, under the same Idempotency-Key, to another.
    """

    def __init__(self, stack: Stack, rng: Random) -> None:
        self.filed: dict[str, Filed] = {}
        self.faults: Counter[str] = Counter()
        self._stack = stack
        self._rng = rng
        self._http = httpx.AsyncClient(timeout=_ANSWER_WITHIN_S, limits=httpx.Limits(max_connections=100, max_keepalive_connections=50))
        self._producers: dict[str, AIOKafkaProducer] = {}

    async def close(self) -> None:
        """Leave."""
        await self._http.aclose()
        for producer in self._producers.values():
            await producer.stop()

    async def connect(self) -> None:
        """Connect every agency's own system, while all is well."""
        for agency in AGENCIES:
            await self.producer(agency)

    async def submit(self, agency: str | None) -> Filed:
        """Submit a report until it is accepted."""
        body = _REPORT | {"title": f"Lampu jalan padam di RT {len(self.filed) + 1}"} | ({"addressed_agency": agency} if agency else {})
        receipt = await self._insist("intake", "/v1/reports", body)
        filed = Filed(receipt["case_id"], receipt["tracking_id"], agency)
        self.filed[filed.case_id] = filed
        return filed

    async def command(self, filed: Filed, verb: str, effect: str, body: Mapping[str, Any]) -> None:
        """An officer's command over HTTP, until it is accepted; `effect` is the event that must come of it, once."""
        token = self._token("agency_administrator", filed.agency)
        await self._insist("dispatch", f"/v1/cases/{filed.case_id}/{verb}", body, token=token)
        filed.effects[effect] += 1

    async def accept(self, filed: Filed) -> None:
        """T4 by an officer."""
        await self.command(filed, "accept", "CaseAccepted", {"unit": UNITS[filed.agency or ""]})

    async def answer(self, filed: Filed) -> None:
        """T15 by an officer."""
        await self.command(filed, "answer", "CaseAnswered", {"answer": "Lampu telah diganti."})

    async def accept_by_system(self, filed: Filed) -> None:
        """T4 by the agency's own system: the command is on its topic when this returns."""
        agency = filed.agency or ""
        value, headers = accept_command(filed.case_id, agency)
        producer = await self.producer(agency)
        filed.effects["CaseAccepted"] += 1
        await producer.send_and_wait(actions_topic(agency), value, key=filed.case_id.encode(), headers=headers)

    async def producer(self, agency: str, **settings: Any) -> AIOKafkaProducer:
        """The agency's own connection; with settings another one, which the caller stops."""
        if settings or agency not in self._producers:
            user = await asyncio.to_thread(self._stack.agency_client, agency)
            secured = {} if user is None else user.aiokafka()
            chosen = {"acks": "all", "enable_idempotence": True, "request_timeout_ms": 20_000} | settings
            producer = AIOKafkaProducer(bootstrap_servers=self._stack.state.kafka, **secured, **chosen)
            await producer.start()
            if settings:
                return producer
            self._producers[agency] = producer
        return self._producers[agency]

    def no_errors_of_ours(self) -> None:
        """Raises DrillFailed where a client met an error 500: an outage is a 503."""
        ours = {fault: count for fault, count in self.faults.items() if fault.startswith("500")}
        if ours:
            raise DrillFailed(f"clients met errors of ours, where an outage is a 503: {ours}")

    def _token(self, role: str, agency: str | None) -> str:
        return mint_token(self._stack.signing_key(), sub=f"drill-{role}-{agency}", roles=[role], agency=agency)

    async def _insist(self, service: str, path: str, body: Mapping[str, Any], *, token: str | None = None) -> dict[str, Any]:
        headers = {"Idempotency-Key": str(uuid4())} | ({"Authorization": f"Bearer {token}"} if token else {})
        until = monotonic() + _GIVEN_UP_AFTER_S
        while monotonic() < until:
            try:
                answer = await self._http.post(self._url(service) + path, json=dict(body), headers=headers)
            except httpx.TransportError as error:
                self.faults[type(error).__name__] += 1
            else:
                fields = answer.json()
                if answer.status_code < 400:
                    return dict(fields)
                code = fields.get("code", "")
                self.faults[f"{answer.status_code} {code}"] += 1
                if answer.status_code < 500 and answer.status_code != 429 and not code.startswith(_UNDER_WAY):
                    raise DrillFailed(f"{service} refused {path}: {answer.status_code} {code}")
            await asyncio.sleep(_AGAIN_AFTER_S)
        raise DrillFailed(f"no answer of {service} to {path} for {_GIVEN_UP_AFTER_S:.0f} s: {dict(self.faults)}")

    def _url(self, service: str) -> str:
        names = [part for part in self._stack.state.parts if part.kind == "service" and part.name.rstrip("-0123456789") == service]
        return str(self._rng.choice(names).url)


def accept_command(case_id: str, agency: str, *, source: str | None = None) -> tuple[bytes, list[tuple[str, bytes]]]:
    """Value and headers of a command AcceptCase, as an agency's system writes it."""
    headers = {
        "ce_specversion": "1.0",
        "ce_id": str(uuid4()),
        "ce_source": source or f"agency/{agency}",
        "ce_type": "id.tuntas.AcceptCase",
        "ce_subject": case_id,
        "ce_time": datetime.now(UTC).isoformat(),
        "content-type": "application/json",
    }
    value = json.dumps({"case_id": case_id, "unit": UNITS[agency]}).encode()
    return value, [(name, text.encode()) for name, text in headers.items()]
