"""The producers of a relay: one for all that flows, and others for what is in trouble."""

import asyncio
from collections.abc import Callable
from time import monotonic

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from tuntas_chassis.messaging.kafka import abort
from tuntas_chassis.telemetry.logs import logger
from tuntas_chassis.telemetry.metrics import MetricSet

_START_WITHIN_S = 5.0
_STOP_WITHIN_S = 5.0
_log = logger(__name__)


class Producers:
    """Starts producers, and replaces the main one after each failed send."""

    def __init__(self, make: Callable[[], AIOKafkaProducer], metrics: MetricSet) -> None:
        """`make` gives one that is not started."""
        self._make = make
        self._metrics = metrics
        self._main: AIOKafkaProducer | None = None
        self._started_at = monotonic()
        metrics.inc("tuntas_outbox_producer_renewals_total", by=0)

    async def main(self) -> AIOKafkaProducer | None:
        """The producer of what flows, or None where no broker answers."""
        if self._main is None:
            self._main = await self.start()
            if self._main is not None:
                self._started_at = monotonic()
        return self._main

    def away_for_s(self) -> float:
        """How long there has been no broker, in seconds."""
        return 0.0 if self._main is not None else monotonic() - self._started_at

    async def start(self) -> AIOKafkaProducer | None:
        """A new producer, or None where no broker answers."""
        producer = self._make()
        try:
            async with asyncio.timeout(_START_WITHIN_S):
                await producer.start()
        except (KafkaError, OSError, TimeoutError) as error:
            _log.warning("relay_waits_for_broker", error=type(error).__name__)
            await abort(producer)
            return None
        except BaseException:
            await abort(producer)
            raise
        return producer

    def give_up_main(self) -> AIOKafkaProducer | None:
        """The main producer, out of step or with batches on their way; the next send gets another. Whoever calls must end it."""
        given, self._main = self._main, None
        self._started_at = monotonic()
        self._metrics.inc("tuntas_outbox_producer_renewals_total")
        return given

    async def close(self) -> None:
        """End the main producer."""
        producer, self._main = self._main, None
        if producer is None:
            return
        try:
            async with asyncio.timeout(_STOP_WITHIN_S):
                await producer.stop()
        except (KafkaError, OSError, TimeoutError):
            await abort(producer)
