"""A right or a topic that one agency lacks delays nobody else, and what waited for it goes on by itself once it is there."""

import asyncio
from datetime import UTC, datetime, timedelta

from confluent_kafka.admin import AclOperation  # type: ignore[attr-defined]  # it is there, its stub is not

from tests.e2e.test_deadlines import BANDUNG, due, until_published
from tests.support.platform import TIMEOUT_S, Platform, Receipt
from tests.support.waiting import until
from tuntas_chassis.ids import new_id
from tuntas_contracts.agencies import AcceptCase
from tuntas_contracts.envelope import Envelope
from tuntas_contracts.topology import AGENCY_ACTIONS, AGENCY_CASES
from tuntas_demo.drills.faults import right_taken
from tuntas_devstack.kafka.access import credentials_of
from tuntas_operations.broker_users import provide_rights
from tuntas_operations.rights import agency_user
from tuntas_operations.topics import TopicSpec, create_topics

UNWRITABLE, UNREADABLE, NEVER_CREATED = "kab-32-01", "kemenkes", "kab-32-04"
HELD, REFUSED = 'tuntas_sla_due_held_checkpoints{reason="agency"}', 'tuntas_consumer_refused_partitions{consumer="dispatch.actions"}'
MISSED = ("DeadlineMissed", "C2", "missed")


async def create(platform: Platform, topic: str, config: dict[str, str]) -> None:
    """A topic of the agency that has none at the start."""
    spec = TopicSpec(topic, 1, config)
    await asyncio.to_thread(create_topics, platform.stack.state.kafka, [spec], client=platform.stack.kafka_client())


async def assigned(platform: Platform, agency: str) -> Receipt:
    """A case that its agency's own system can read."""
    receipt = await platform.submit(addressed_agency=agency)
    await platform.until_events(receipt.case_id, "CaseAssigned", topic=AGENCY_CASES.for_agency(agency))
    return receipt


async def accept(platform: Platform, agency: str, receipt: Receipt, unit: str = "layanan") -> None:
    """Put AcceptCase on an agency's topic, whoever its user is."""
    envelope = Envelope(new_id(), f"agency/{agency}", "AcceptCase", str(receipt.case_id), datetime.now(UTC))
    value = AcceptCase(case_id=receipt.case_id, unit=unit).model_dump_json().encode()
    await platform.produce(AGENCY_ACTIONS.for_agency(agency), [(str(receipt.case_id).encode(), value, envelope.headers())])


async def until_shown(platform: Platform, service: str, metric: str, at_least: float) -> None:
    """Wait until a service's metrics say so much."""

    async def so_much() -> bool:
        return await platform.metric(service, metric) >= at_least

    await until(so_much, f"{metric} of {service} is {at_least}", TIMEOUT_S)


async def test_what_one_agency_lacks_delays_no_other_and_is_made_up_for_without_a_restart(platform: Platform) -> None:
    """One agency can't be written to, one can't be read, one has no actions topic; deadlines of the first two wait, of no other."""
    operator = credentials_of(platform.stack.folder)
    assert operator is not None
    await create(platform, AGENCY_CASES.for_agency(NEVER_CREATED), dict(AGENCY_CASES.config))
    await asyncio.to_thread(provide_rights, platform.stack.state.kafka, operator, [agency_user(NEVER_CREATED)])
    unread, unheard = await assigned(platform, UNREADABLE), await assigned(platform, NEVER_CREATED)
    processes = {part.name: part.pid for part in platform.stack.state.parts}
    await platform.until_idle()
    async with (
        right_taken(platform.stack, "dispatch", AGENCY_CASES.for_agency(UNWRITABLE)),
        right_taken(platform.stack, "dispatch", AGENCY_ACTIONS.for_agency(UNREADABLE), AclOperation.READ),
    ):
        unsent = await platform.submit(addressed_agency=UNWRITABLE)
        await until_shown(platform, "dispatch", REFUSED, 1)  # what it asked for before is answered
        await accept(platform, UNREADABLE, unread, "penanggulangan-penyakit")
        prompt, late = await assigned(platform, BANDUNG), await assigned(platform, BANDUNG)
        await accept(platform, BANDUNG, prompt)
        await platform.until_events(prompt.case_id, "CaseAccepted")
        ends = [await due(platform, receipt, "C2") for receipt in (unsent, unread, unheard, late)]
        await platform.move_clock(max(ends) + timedelta(hours=1), idle=False)
        await until_published(platform, late.case_id, MISSED)
        await until_published(platform, unheard.case_id, MISSED)

        await until_shown(platform, "sla-monitor", HELD, 2)
        for receipt in (unsent, unread):
            assert MISSED not in await platform.deadlines(receipt.case_id)
        assert await platform.agency_messages(UNWRITABLE, unsent.case_id) == []
        assert await platform.events(unread.case_id, "CaseAccepted") == []
        await create(platform, AGENCY_ACTIONS.for_agency(NEVER_CREATED), dict(AGENCY_ACTIONS.config))
        await accept(platform, NEVER_CREATED, unheard)

    await platform.until_events(unsent.case_id, "CaseAssigned", topic=AGENCY_CASES.for_agency(UNWRITABLE))
    await until_published(platform, unsent.case_id, MISSED)
    await platform.until_events(unread.case_id, "CaseAccepted")
    await platform.until_events(unheard.case_id, "CaseAccepted")
    await platform.until_idle()
    for receipt in (unsent, unheard, late):
        assert (await platform.deadlines(receipt.case_id)).count(MISSED) == 1
    assert {part.name: part.pid for part in platform.stack.state.parts} == processes, "nothing was restarted"
