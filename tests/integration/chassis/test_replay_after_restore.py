"""Own events that could not be handled while a restored database caught up: their replay has the effect that they would have had."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from tests.support.counting import Added, Tally, TallyStore, apply_to
from tests.support.delivery import A_MONDAY, Delivery
from tests.support.servers import Servers
from tests.support.waiting import until
from tuntas_chassis.http.dead_letters import DeadLetterQueue
from tuntas_chassis.ids import new_id
from tuntas_chassis.messaging.dead_letters import ParkedMessage
from tuntas_chassis.messaging.messages import Incoming, Outcome
from tuntas_chassis.messaging.subscription import Subscription
from tuntas_chassis.service import ServiceApp
from tuntas_contracts.envelope import Envelope


@dataclass
class Restored(Delivery):
    """The counting service, whose own additions are read while catching up, and which can't handle an addition of 7 for a while."""

    broken: bool = True
    seen: list[tuple[int, bool]] = field(default_factory=list)
    """Each amount that was handled, and whether as an own event that is read again."""

    def app(self) -> ServiceApp:
        """One that fails at 7 as long as it is broken."""
        app = ServiceApp("counting", self.settings(), package="tests.support.counting")
        add = apply_to(self.outputs)

        def apply(state: Tally | None, message: Incoming) -> Outcome[Tally]:
            assert isinstance(message.body, Added)
            if self.broken and message.body.amount == 7:
                raise RuntimeError("a fault of this release")
            self.seen.append((message.body.amount, message.replayed))
            return add(state, message)

        app.subscribe(Subscription(name="in", topics=[self.inputs], types=[Added], store=TallyStore(), apply=apply))
        return app

    async def feed_own(self, *amounts: int) -> None:
        """Events of the service itself, of one key."""
        await self.feed_raw(
            [
                (b"a", Added(amount=amount).model_dump_json().encode(), Envelope(new_id(), "counting", "Added", "a", A_MONDAY).headers())
                for amount in amounts
            ]
        )


@pytest.fixture
async def restored(servers: Servers) -> AsyncIterator[Callable[[], Restored]]:
    made: list[Restored] = []

    def one() -> Restored:
        base = Delivery.make(servers, partitions=1)
        made.append(Restored(servers, base.database_url, base.inputs, base.outputs, 1))
        return made[-1]

    yield one
    for delivery in made:
        await delivery.crash()


async def _waiting(dead_letters: DeadLetterQueue, number: int) -> list[ParkedMessage]:
    async def all_are() -> list[ParkedMessage]:
        found = await dead_letters.list(UUID(int=0), 10)
        return found if len(found) == number else []

    found: list[ParkedMessage] = await until(all_are, f"{number} are parked", 60.0)
    return found


async def test_a_replay_after_a_restore_has_the_effect_of_the_events_place(restored: Callable[[], Restored]) -> None:
    delivery = restored()
    await delivery.feed_own(1, 7, 2)  # what the service did before its database was put back
    app = await delivery.start()
    dead_letters = DeadLetterQueue(app.tables, app.outbox, app.workers)
    first, behind = await _waiting(dead_letters, 2)
    assert (first.state, behind.state) == ("parked", "waiting")
    assert await delivery.totals() == {"a": (1, 1)}
    failed = await dead_letters.replay(first.id, "siti")
    assert (failed.replayed, failed.waiting) == (0, 2)
    delivery.broken = False
    result = await dead_letters.replay(first.id, "siti")
    assert (result.replayed, result.waiting, result.error) == (2, 0, None)
    assert await delivery.totals() == {"a": (10, 3)}
    assert delivery.seen == [(1, True), (7, True), (2, True)]


async def test_a_replay_that_would_have_no_effect_says_so(restored: Callable[[], Restored]) -> None:
    """Parked while catching up, by a release that did not write that down: an own event that came back counts as done."""
    delivery = restored()
    await delivery.feed_own(7)
    app = await delivery.start()
    dead_letters = DeadLetterQueue(app.tables, app.outbox, app.workers)
    [only] = await _waiting(dead_letters, 1)
    delivery.broken = False
    async with app.database.begin() as connection:
        await connection.exec_driver_sql("UPDATE parked_message SET catching_up = false")
    result = await dead_letters.replay(only.id, "siti")
    assert (result.replayed, result.waiting) == (0, 1)
    assert "no effect" in str(result.error)
    assert delivery.seen == []
