"""Which messages wait beside the outbox because their topic or partition is in trouble, and when it is tried again."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from math import gcd

FIRST_RETRY_S, LAST_RETRY_S, LAST_RELAPSE_S = 0.5, 4.0, 30.0
_RELAPSE_WITHIN_S = 60.0

Place = tuple[str, int]  # a topic and an outbox shard


@dataclass(slots=True, eq=False)
class Hold:
    """One destination in trouble: a topic, and those shards of the outbox whose messages go there.

    `retry_at` is a monotonic time in seconds. A hold is `busy` while a send to it is under way, `silent` where the last one had no
    answer (and may keep others waiting as long), and `returning` once one succeeded: what waits is then published like the rest.
    """

    topic: str
    shards: frozenset[int]
    attempts: int
    relapses: int
    retry_at: float
    silent: bool
    busy: bool = False
    returning: bool = False

    @property
    def places(self) -> Iterator[Place]:
        """Its parts of the outbox."""
        return ((self.topic, shard) for shard in self.shards)


@dataclass(slots=True)
class SetAside:
    """The holds of one relay. Each place belongs to one hold at most."""

    _places: dict[Place, Hold] = field(default_factory=dict)
    _lifted: dict[Place, tuple[float, int]] = field(default_factory=dict)

    def __contains__(self, place: Place) -> bool:
        return place in self._places

    def __bool__(self) -> bool:
        return bool(self._places)

    @property
    def places(self) -> Sequence[Place]:
        """Every place that is set aside."""
        return list(self._places)

    @property
    def holds(self) -> Set[Hold]:
        """Every hold."""
        return set(self._places.values())

    def hold(self, topic: str, shards: Collection[int], now: float, *, silent: bool, failed: bool = True) -> Hold:
        """Set a destination aside, to be tried again with backoff: `failed` says that this was a send, and adds to its attempts.

        One that comes back soon after it was lifted is tried less and less: each time it may have kept all others waiting.
        """
        before = [found for shard in shards if (found := self._places.get((topic, shard))) is not None]
        attempts = max((found.attempts for found in before), default=0) + failed
        relapses = max((found.relapses for found in before), default=0)
        if not before:
            lifted = [self._lifted[place] for shard in shards if (place := (topic, shard)) in self._lifted]
            relapses = max((n + 1 for at, n in lifted if now - at < _RELAPSE_WITHIN_S), default=0)
        wait = min(FIRST_RETRY_S * 2 ** min(max(attempts, relapses + 1) - 1, 10), LAST_RETRY_S) if failed else 0.0
        if silent and relapses:
            wait = min(FIRST_RETRY_S * 2 ** min(relapses, 10), LAST_RELAPSE_S)
        self._release(topic, shards)
        made = Hold(topic, frozenset(shards), attempts, relapses, now + wait, silent)
        self._places.update((place, made) for place in made.places)
        return made

    def lift(self, hold: Hold, now: float) -> None:
        """What goes there flows again."""
        self._lifted = {place: found for place, found in self._lifted.items() if now - found[0] < _RELAPSE_WITHIN_S}
        self._lifted.update((place, (now, hold.relapses)) for place in hold.places)
        self._release(hold.topic, hold.shards)

    def _release(self, topic: str, shards: Collection[int]) -> None:
        for shard in shards:
            found = self._places.pop((topic, shard), None)
            if found is not None:
                found.shards = found.shards - {shard}

    def keep_only(self, shards: Collection[int]) -> None:
        """Other shards are no longer ours."""
        for topic, shard in list(self._places):
            if shard not in shards:
                self._release(topic, [shard])

    def clear(self) -> None:
        """Nothing is set aside."""
        self._places.clear()

    def due(self, now: float, *, silent: bool, at_most: int) -> list[Hold]:
        """Those to try now, the longest due first."""
        found = [hold for hold in self.holds if not (hold.busy or hold.returning) and hold.silent == silent and hold.retry_at <= now]
        return sorted(found, key=lambda hold: hold.retry_at)[:at_most]

    def next_retry_s(self, now: float, *, silent: bool) -> float | None:
        """How many seconds until one of this kind is due; None where none waits for its time."""
        times = [hold.retry_at for hold in self.holds if not (hold.busy or hold.returning) and hold.silent == silent]
        return max(min(times) - now, 0.0) if times else None

    def returning(self) -> list[Hold]:
        """Those whose destination takes messages again."""
        return [hold for hold in self.holds if hold.returning]

    def shards_by_topic(self) -> Mapping[str, frozenset[int]]:
        """What is set aside, by topic."""
        found: dict[str, set[int]] = defaultdict(set)
        for topic, shard in self._places:
            found[topic].add(shard)
        return {topic: frozenset(shards) for topic, shards in found.items()}


def shards_of_partition(partition: int, partitions: int, owned: Collection[int], shards: int) -> frozenset[int]:
    """Those of the `owned` outbox shards that can hold a message of a partition: both numbers are the key's hash, divided differently."""
    step = gcd(partitions, shards)
    return frozenset(shard for shard in owned if (shard - partition) % step == 0)
