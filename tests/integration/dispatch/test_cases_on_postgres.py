"""Cases in dispatch's tables: what is saved is what is loaded."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from dispatch.adapters.store import CaseStore
from dispatch.domain.commands import decide
from dispatch.domain.evolution import evolve
from tests.support.names import NAMES
from tests.support.servers import Servers
from tests.unit.dispatch.builders import BOGOR, NOON, UNITS, a_case, an_act
from tuntas_chassis.persistence.migrations import upgrade
from tuntas_contracts.agencies import AnswerCase
from tuntas_contracts.refusal import Refusal
from tuntas_contracts.vocabulary import CaseState, ServiceClass


@pytest.fixture
async def connection(servers: Servers) -> AsyncIterator[AsyncConnection]:
    url = servers.database().replace("postgresql://", "postgresql+asyncpg://", 1)
    await upgrade("dispatch", url)
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        yield connection
        await connection.rollback()
    await engine.dispose()


async def test_a_case_comes_back_as_it_was_saved(connection: AsyncConnection) -> None:
    fresh = a_case()
    full = a_case()._replace(
        unit="layanan",
        service_class=ServiceClass.ORDINARY,
        completion_limit=14,
        answers=5,
        answered_at=NOON,
        supplements=3,
        closed_reason="no_reply",
        closed_at=NOON + timedelta(days=14),
    )
    store = CaseStore()
    await store.save(connection, [fresh, full], [])
    assert await store.load(connection, [str(fresh.case_id), str(full.case_id), str(uuid4())]) == {
        str(fresh.case_id): fresh,
        str(full.case_id): full,
    }


async def test_the_days_supplements_are_known_to_the_next_process(connection: AsyncConnection) -> None:
    case, store = a_case()._replace(state=CaseState.DISPATCHED), CaseStore()
    answer = AnswerCase(case_id=case.case_id, answer="Jalan sudah diperbaiki")
    for minute in range(4):
        event = decide(case, answer, an_act(minute), UNITS[BOGOR], NAMES)
        await store.save(connection, [evolve(case, event)], [])
        case = (await store.load(connection, [str(case.case_id)]))[str(case.case_id)]
    with pytest.raises(Refusal) as refused:
        decide(case, answer, an_act(5), UNITS[BOGOR], NAMES)
    assert refused.value.code == "supplement_quota"
