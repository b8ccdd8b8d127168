"""Keys that no table could hold as they are: malformed messages under them are parked like any other and block no other key."""

import random
import string
from collections.abc import Callable
from typing import Any
from uuid import UUID

from tests.support.counting import Added
from tests.support.delivery import A_MONDAY, Delivery
from tests.support.waiting import until
from tuntas_chassis.http.dead_letters import DeadLetterQueue
from tuntas_chassis.ids import new_id
from tuntas_contracts.envelope import Envelope

LONG = "".join(random.Random(1).choices(string.printable, k=400_000))  # too varied to be compressed into an index entry
HEADERS = Envelope(new_id(), "tests", "Added", "x", A_MONDAY).headers()


async def _parked(delivery: Delivery) -> list[Any]:
    return await delivery.query("SELECT * FROM parked_message WHERE state IN ('parked', 'waiting') ORDER BY id")


async def test_malformed_messages_under_a_very_long_key_are_parked_and_others_are_handled(make: Callable[..., Delivery]) -> None:
    delivery = make(partitions=1)
    app = await delivery.start()
    twin = LONG[:-1] + ("a" if LONG[-1] != "a" else "b")
    await delivery.feed_raw(
        [(LONG.encode(), b"malformed", HEADERS), (b"with \x00 NUL", b"malformed", HEADERS), (twin.encode(), b"malformed", HEADERS)]
    )
    await delivery.feed([("good", Added(amount=1))])
    behind = Envelope(new_id(), "tests", "Added", "x", A_MONDAY).headers()
    await delivery.feed_raw([(LONG.encode(), Added(amount=1).model_dump_json().encode(), behind)])

    async def all_there() -> bool:
        return len(await _parked(delivery)) == 4 and "good" in await delivery.totals()

    await until(all_there, "the bad ones are parked and the good one counts")
    rows = await _parked(delivery)
    assert [row.state for row in rows] == ["parked", "parked", "parked", "waiting"]
    assert rows[0].key == rows[3].key != rows[2].key, "what has the same key waits behind it; another key is another"
    assert all(len(row.key) < 300 for row in rows)
    assert bytes(rows[0].raw_key) == LONG.encode(), "the key itself is kept whole"

    dead_letters = DeadLetterQueue(app.tables, app.outbox, app.workers)
    listed = await dead_letters.list(UUID(int=0), 10)
    failed = await dead_letters.replay(listed[0].id, "operator")
    assert (failed.replayed, failed.waiting) == (0, 2)
    for parked in listed[:2]:
        await dead_letters.discard(parked.id, "operator")
    assert len(await _parked(delivery)) <= 2
