"""The loop that keeps sending: at once when something was queued, in full batches when much waits, never faster than the relay allows."""

import asyncio
from collections.abc import Callable
from time import monotonic

from notifier.application.sender import Pass, Sender
from notifier.domain.rate import TokenBucket
from notifier.metrics import PAUSED
from tuntas_chassis.persistence.database import is_transient
from tuntas_chassis.telemetry.logs import logger
from tuntas_chassis.telemetry.metrics import MetricSet
from tuntas_chassis.waiting import passed_on, set_within

_log = logger(__name__)
_GATHER_S = 0.03  # after a wake: the transaction that woke us commits, and its neighbours join the batch
_LOOK_AGAIN_S = (0.05, 0.1, 0.2, 0.4, 1.0, 2.0, 5.0)  # when nothing was due: other processes queue too, and retries become due
_DATABASE_AWAY_S = 1.0
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 30.0


class Backoff:
    """A reason not to send, which is tried again after ever longer times."""

    def __init__(self, cause: str, metrics: MetricSet) -> None:
        self._cause = cause
        self._metrics = metrics
        self._length = 0.0
        self._until = -1.0
        metrics.set(PAUSED, 0, cause)

    def note(self, fault: str | None, now: float) -> None:
        """How the last attempt went: `fault` says why it did not, None if it did."""
        if fault is None:
            if self._length:
                _log.info("sending_resumes", cause=self._cause)
            self._length, self._until = 0.0, -1.0
        else:
            self._length = min(max(self._length * 2, _FIRST_PAUSE_S), _LONGEST_PAUSE_S)
            self._until = now + self._length
            _log.warning("sending_pauses", cause=self._cause, detail=fault, for_s=self._length)
        self._metrics.set(PAUSED, 1 if fault else 0, self._cause)

    def left(self, now: float) -> float:
        """Seconds until it may be tried again."""
        return max(0.0, self._until - now)


class SendingLoop:
    """Runs a Sender. `wake` may be called from anywhere in this process's event loop."""

    def __init__(self, sender: Sender, metrics: MetricSet, *, rate: float, batch: int, time: Callable[[], float] = monotonic) -> None:
        self._sender = sender
        self._batch = batch
        self._time = time
        self._bucket = TokenBucket(rate, burst=max(1.0, min(float(batch), rate)), now=time())
        self._contacts = Backoff("contacts", metrics)
        self._relay = Backoff("relay", metrics)
        self._queued = asyncio.Event()
        self._idle = 0

    def wake(self) -> None:
        """Something was queued, or is about to be."""
        self._queued.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Send until `stopping`."""
        with passed_on(stopping, self._queued):
            while not stopping.is_set():
                await self._wait(await self._step(stopping), stopping)

    async def _step(self, stopping: asyncio.Event) -> float:
        """Send one batch; returns the seconds after which to come back, negative where a wake may shorten them."""
        now = self._time()
        if (left := self._relay.left(now)) > 0:
            return left
        limit = min(self._batch, self._bucket.available(now))
        if limit < 1:
            return self._bucket.wait_for(1)
        reporters = self._contacts.left(now) <= 0
        self._queued.clear()
        try:
            done = await self._sender.send_due(limit, stopping, reporters=reporters)
        except Exception as error:
            if not is_transient(error):
                raise
            _log.warning("sending_waits_for_database", error=type(error).__name__)
            return _DATABASE_AWAY_S
        self._note(done, reporters)
        if done.taken == 0:
            self._idle = min(self._idle + 1, len(_LOOK_AGAIN_S) - 1)
            return -_LOOK_AGAIN_S[self._idle]
        self._idle = 0
        if done.taken < limit:
            return _GATHER_S
        # more waits: full batches cost the database and intake least
        self._bucket.available(self._time())
        return self._bucket.wait_for(self._batch)

    def _note(self, done: Pass, reporters: bool) -> None:
        now = self._time()
        self._bucket.take(done.taken)
        if done.taken:
            self._relay.note(done.relay_down, now)
        if done.taken and reporters:
            self._contacts.note(done.contacts_down, now)

    async def _wait(self, seconds: float, stopping: asyncio.Event) -> None:
        if seconds >= 0:
            await _until(stopping, seconds)
        elif await _until(self._queued, -seconds):
            self._idle = -1
            await _until(stopping, _GATHER_S)


async def _until(event: asyncio.Event, seconds: float) -> bool:
    if seconds <= 0:
        await asyncio.sleep(0)
        return event.is_set()
    return await set_within(event, seconds)
