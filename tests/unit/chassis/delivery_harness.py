"""A delivery core with the counting service in it, whatever broker and database it runs on: what a behaviour test may ask of one."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tests.support.counting import Added, Asked, Summed, Tally, TallyStore, apply_to
from tests.support.delivery import A_MONDAY
from tuntas_chassis.http.dead_letters import DeadLetterQueue
from tuntas_chassis.ids import new_id
from tuntas_chassis.messaging.dead_letters import ParkedMessage
from tuntas_chassis.messaging.delivery_tables import DeliveryTables
from tuntas_chassis.messaging.messages import Incoming, Outcome, Outgoing
from tuntas_chassis.messaging.subscription import Record, Subscription
from tuntas_chassis.telemetry.metrics import MetricSet
from tuntas_contracts.base import Contract
from tuntas_contracts.cases import InputRefused
from tuntas_contracts.envelope import Envelope, Headers

RawRecord = tuple[bytes | None, bytes | None, Headers]


@dataclass
class Faults:
    """What the database does wrong next: so many batches fail before their commit, and so many lose its answer."""

    before_commit: int = 0
    after_commit: int = 0


@dataclass
class FaultyTables:
    """Delivery tables whose transactions that move a position fail as configured."""

    inner: DeliveryTables
    faults: Faults

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Any]:
        """A transaction that may fail at its end."""
        async with self.inner.begin() as transaction:
            watched = _Watched(transaction)
            yield watched
            if watched.moved and self.faults.before_commit:
                self.faults.before_commit -= 1
                raise ConnectionResetError("the database restarts")
        if watched.moved and self.faults.after_commit:
            self.faults.after_commit -= 1
            raise ConnectionResetError("the answer to the commit was lost")

    def begin_now(self) -> AbstractAsyncContextManager[Any]:
        """One that does not fail."""
        return self.inner.begin_now()


class _Watched:
    def __init__(self, transaction: Any) -> None:
        self._transaction = transaction
        self.moved = False

    def __getattr__(self, name: str) -> Any:
        self.moved |= name == "advance_positions"
        return getattr(self._transaction, name)


@dataclass
class Counting:
    """The counting service's decisions. It fails at the amounts in `broken`, and decides on no input while catching up."""

    outputs: str = ""
    broken: set[int] = field(default_factory=set)
    seen: list[tuple[int, str]] = field(default_factory=list)
    """Each amount that was handled, and how it was given: `new`, `catching up`, `held` or `replayed`."""

    def apply(self, state: Tally | None, message: Incoming) -> Outcome[Tally]:
        """Add; what answers an input only counts as a step."""
        if isinstance(message.body, Added | Asked):
            if message.body.amount in self.broken:
                raise RuntimeError("a fault of this release")
            self.seen.append((message.body.amount, how(message)))
        if isinstance(message.body, Asked) and message.catching_up:
            return Outcome(None, hold=True)
        return apply_to(self.outputs)(state, message)

    def refuse(self, record: Record, error: Exception) -> Outgoing | None:
        """Answer what can't be read with its offset."""
        return Outgoing(self.outputs, "refused", Summed(total=record.offset, steps=-1), A_MONDAY)


def how(message: Incoming) -> str:
    """How a message was given."""
    return "replayed" if message.replayed else "held" if message.held else "catching up" if message.catching_up else "new"


class DeliveryUnderTest(ABC):
    """The counting service between an input and an output topic."""

    def __init__(self, subscription: dict[str, Any]) -> None:
        self.counting = Counting()
        self.faults = Faults()
        self.store = TallyStore()
        self._subscription = subscription

    def subscription(self, inputs: str, outputs: str) -> Subscription[Tally]:
        """The service's only one."""
        self.counting.outputs = outputs
        options: dict[str, Any] = {"types": [Added, Asked, InputRefused]} | self._subscription
        if options.pop("refuses", False):
            options["refuse"] = self.counting.refuse
        return Subscription(name="in", topics=[inputs], store=self.store, apply=self.counting.apply, **options)

    @property
    @abstractmethod
    def metrics(self) -> MetricSet:
        """Those of the process that runs."""

    @property
    @abstractmethod
    def dead_letters(self) -> DeadLetterQueue:
        """The operator's way to its dead letters."""

    @abstractmethod
    async def start(self) -> None:
        """Start and catch up."""

    @abstractmethod
    async def stop(self) -> None:
        """End cleanly."""

    @abstractmethod
    async def crash(self) -> None:
        """End as `kill -9` would."""

    @abstractmethod
    async def until(self, condition: Callable[[], Awaitable[object]], what: str) -> Any:
        """Wait until it holds; returns what it gave."""

    @abstractmethod
    async def feed_raw(self, records: Sequence[RawRecord]) -> None:
        """Put records on the input topic, in order."""

    @abstractmethod
    async def published(self) -> list[tuple[str, Summed, UUID]]:
        """The output topic: key, body, id; in order within a key."""

    @abstractmethod
    async def totals(self) -> dict[str, tuple[int, int]]:
        """Sum and steps of every key."""

    @abstractmethod
    async def backup(self) -> object:
        """All that the database knows now."""

    @abstractmethod
    async def restore(self, backup: object) -> None:
        """From now on it knows only that."""

    @abstractmethod
    async def set_positions(self, position: int) -> None:
        """Put every position there, and nothing else."""

    @abstractmethod
    async def forget_inbox(self) -> None:
        """As when its retention is over."""

    @abstractmethod
    async def forget_catching_up(self) -> None:
        """As if its dead letters were written by a release that did not keep whether they were read while catching up."""

    @abstractmethod
    async def set_group_offsets(self, offset: int) -> None:
        """Set the group's committed offset in Kafka, while the group has no member."""

    @abstractmethod
    async def recreate_input(self) -> None:
        """The input topic, as after the loss of all brokers' disks."""

    @abstractmethod
    async def resume_halted(self) -> None:
        """Resume halted partitions."""

    # -- what follows from that ---------------------------------------------------------------------------------------

    async def feed(
        self, messages: Sequence[tuple[str, Contract] | tuple[str, Contract, UUID]], source: str = "tests", kind: str | None = None
    ) -> None:
        """Put messages on the input topic, in order."""
        records: list[RawRecord] = []
        for key, body, *given in messages:
            envelope = Envelope(given[0] if given else new_id(), source, kind or type(body).__name__, key, A_MONDAY)
            records.append((key.encode(), body.model_dump_json().encode(), envelope.headers()))
        await self.feed_raw(records)

    async def reach(self, wanted: dict[str, tuple[int, int]]) -> None:
        """Wait for these sums and steps, and no others."""

        async def reached() -> bool:
            return await self.totals() == wanted

        await self.until(reached, f"{wanted}, at {await self.totals()}")

    async def all_published(self, number: int) -> None:
        """Wait until so many different messages are published."""

        async def there() -> bool:
            return len({i for _, _, i in await self.published()}) >= number

        await self.until(there, f"{number} sums are published")

    async def all_waiting(self, number: int) -> list[ParkedMessage]:
        """Wait for so many dead letters."""

        async def there() -> tuple[list[ParkedMessage]] | None:
            found = await self.dead_letters.list(UUID(int=0), 1000)
            return (found,) if len(found) == number else None

        (found,) = await self.until(there, f"{number} dead letters")
        return list(found)

    async def halted(self) -> None:
        """Wait until the partition is halted."""

        async def it_is() -> bool:
            return self.metrics.value("tuntas_consumer_halted_partitions", "counting.in") == 1

        await self.until(it_is, "the partition is halted")

    async def count(self, kind: str, outcome: str) -> float:
        """How many records had this outcome."""
        return self.metrics.value("tuntas_consumer_events_total", "counting.in", kind, outcome) or 0
