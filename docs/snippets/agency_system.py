"""An agency's own system at its smallest: accepts each new case for one unit, and prints what happens to its cases.

Usage: python agency_system.py <bootstrap servers> <agency code> <unit code>, with the agency's password at the broker in KAFKA_PASSWORD.
Needs tuntas-contracts and aiokafka.
"""
# ruff: noqa: T201

import asyncio
import os
import sys
from datetime import UTC, datetime
from typing import TypeAlias
from uuid import uuid5

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord

from tuntas_contracts.agencies import AcceptCase, ActionRefused, CaseAssigned, CaseChanged
from tuntas_contracts.envelope import Envelope
from tuntas_contracts.topology import AGENCY_ACTIONS, AGENCY_CASES
from tuntas_contracts.vocabulary import CaseState

Record: TypeAlias = "ConsumerRecord[bytes, bytes]"


async def main(bootstrap: str, agency: str, unit: str) -> None:
    """Read the agency's cases topic from its beginning, or from where this group left off."""
    client = {
        "bootstrap_servers": bootstrap,
        "security_protocol": "SASL_PLAINTEXT",  # in production SASL_SSL, and an ssl_context
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": f"agency.{agency}",  # it may join groups `agency.<code>.<any name>`
        "sasl_plain_password": os.environ["KAFKA_PASSWORD"],
    }
    consumer = AIOKafkaConsumer(
        AGENCY_CASES.for_agency(agency),
        **client,
        group_id=f"agency.{agency}.desk",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    producer = AIOKafkaProducer(**client, acks="all", enable_idempotence=True)
    async with consumer, producer:
        async for record in consumer:
            await handle(record, producer, agency, unit)
            await consumer.commit()  # only now: what was not done is read again


async def handle(record: Record, producer: AIOKafkaProducer, agency: str, unit: str) -> None:
    """One message. The same `ce_id` again is the same message; order a case's messages by `version`."""
    envelope = Envelope.read(record.headers)
    match envelope.type:  # a type that is not known here is skipped: new ones will come
        case "CaseAssigned":
            assigned = CaseAssigned.model_validate_json(record.value or b"")
            print("assigned", assigned.case_id, assigned.report.title, flush=True)
            if assigned.state is CaseState.AT_AGENCY:
                command = AcceptCase(case_id=assigned.case_id, unit=unit, officer="desk-1")
                # an id that follows from the assignment: reading it twice sends the same command, which acts once
                command_id, subject = uuid5(envelope.id, "accept"), str(assigned.case_id)
                told = Envelope(command_id, f"agency/{agency}", "AcceptCase", subject, datetime.now(UTC))
                key, value = told.subject.encode(), command.model_dump_json().encode()
                await producer.send_and_wait(AGENCY_ACTIONS.for_agency(agency), value, key, headers=told.headers())
        case "CaseChanged":
            changed = CaseChanged.model_validate_json(record.value or b"")
            print("changed", changed.case_id, changed.transition, changed.state, flush=True)
        case "ActionRefused":
            refused = ActionRefused.model_validate_json(record.value or b"")
            print("refused", refused.case_id, refused.code, refused.detail, flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4]))
