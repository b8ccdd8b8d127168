"""What may succeed later and what never will: a value that no column takes is no fault of the network."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.support.counting import Added
from tests.support.delivery import Delivery
from tests.support.waiting import until
from tuntas_chassis.persistence.database import is_transient
from tuntas_chassis.service import ServiceApp

NEVER = {
    "an integer out of range": ("SELECT CAST(:value AS bigint)", 10**30),
    "one of many out of range": ("SELECT CAST(:value AS integer[])", [1, 2**40]),
    "another type": ("SELECT CAST(:value AS bigint)", "Siti"),
    "half of a character": ("SELECT CAST(:value AS text)", "\ud800"),
    "a NUL": ("SELECT CAST(:value AS text)", "\x00"),
}


@pytest.mark.parametrize("name", NEVER)
async def test_a_value_that_cannot_be_written_is_not_transient(opened: ServiceApp, name: str) -> None:
    statement, value = NEVER[name]
    with pytest.raises(DBAPIError) as caught:
        async with opened.database.begin() as connection:
            await connection.execute(text(statement), {"value": value})
    assert not is_transient(caught.value)
    raw = await opened.database.raw("tests")
    try:
        with pytest.raises(Exception) as bare:  # noqa: PT011  (asyncpg's own, of several kinds)
            await raw.execute(statement.replace(":value", "$1"), value)
        assert not is_transient(bare.value)
    finally:
        await raw.close()


async def test_a_connection_that_is_closed_is_transient(opened: ServiceApp) -> None:
    raw: Any = await opened.database.raw("tests")
    await raw.close()
    with pytest.raises(Exception) as caught:  # noqa: PT011
        await raw.execute("SELECT 1")
    assert is_transient(caught.value)


async def test_a_message_whose_effect_cannot_be_written_is_parked_and_blocks_no_other_key(make: Callable[..., Delivery]) -> None:
    delivery = make(partitions=1)
    await delivery.start()
    await delivery.feed([("a", Added(amount=10**30)), ("a", Added(amount=1)), ("b", Added(amount=1))])

    async def applied() -> bool:
        return await delivery.totals() == {"b": (1, 1)}

    await until(applied, "what can be written is applied", 60.0)
    rows = await delivery.query('SELECT state, error FROM parked_message ORDER BY "offset"')
    assert [row.state for row in rows] == ["parked", "waiting"]
    assert str(10**30) not in rows[0].error
