"""The smallest service: adds up numbers per key, publishes each sum, and fails when a message says so."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tuntas_chassis.messaging.messages import Incoming, Outcome, Outgoing
from tuntas_contracts.base import Contract, InputEvent


class Added(Contract):
    """Add `amount`; `fail` makes the handler raise, `poison` makes the database refuse the row."""

    amount: int
    fail: bool = False
    poison: bool = False


class Asked(InputEvent):
    """An input, to be answered once whatever record brings it."""

    amount: int


class Summed(Contract):
    """The sum after `steps` additions."""

    total: int
    steps: int


@dataclass(frozen=True)
class Tally:
    """The state of a key."""

    key: str
    total: int = 0
    steps: int = 0


class TallyStore:
    """Real rows in PostgreSQL."""

    async def load(self, connection: AsyncConnection, keys: Sequence[str]) -> dict[str, Tally]:
        """Locked, in the order of the keys."""
        rows = await connection.execute(
            text("SELECT key, total, steps FROM tally WHERE key = ANY(:keys) ORDER BY key FOR UPDATE"), {"keys": list(keys)}
        )
        return {row.key: Tally(row.key, row.total, row.steps) for row in rows}

    async def save(self, connection: AsyncConnection, states: Sequence[Tally], rows: Sequence[object]) -> None:
        """In two statements at most."""
        if states:
            await connection.execute(
                text(
                    "INSERT INTO tally SELECT * FROM unnest(CAST(:k AS text[]), CAST(:t AS bigint[]), CAST(:s AS integer[])) "
                    "ON CONFLICT (key) DO UPDATE SET total = EXCLUDED.total, steps = EXCLUDED.steps"
                ),
                {"k": [s.key for s in states], "t": [s.total for s in states], "s": [s.steps for s in states]},
            )
        if rows:
            await connection.execute(text("INSERT INTO note (remark) VALUES (:remark)"), [{"remark": str(row)} for row in rows])


def apply_to(topic: str) -> Callable[[Tally | None, Incoming], Outcome[Tally]]:
    """The decision: add, and publish the sum to `topic`."""

    def apply(state: Tally | None, message: Incoming) -> Outcome[Tally]:
        tally = state or Tally(message.key)
        body = message.body
        if isinstance(body, Added) and body.fail:
            raise RuntimeError("asked to fail")
        amount = body.amount if isinstance(body, Added | Asked) else 0
        after = replace(tally, total=tally.total + amount, steps=tally.steps + 1)
        poison = isinstance(body, Added) and body.poison
        handled = (body.input_id,) if isinstance(body, Asked) else ()
        outgoing = Outgoing(topic, message.key, Summed(total=after.total, steps=after.steps), message.envelope.time)
        return Outcome(after, (outgoing,), ("\x00" if poison else f"{after.total}",), handled)

    return apply


def first_steps(published: Iterable[tuple[str, Summed, UUID]]) -> dict[str, list[int]]:
    """Steps by key in the order of their first appearance: what was sent and not yet deleted at a crash is sent again, under its id."""
    seen: set[UUID] = set()
    steps: dict[str, list[int]] = {}
    for key, body, identity in published:
        if identity not in seen:
            seen.add(identity)
            steps.setdefault(key, []).append(body.steps)
    return steps
