"""A TCP proxy on loopback that can stop forwarding, as a network does that drops everything: no byte, no refusal, no end."""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from typing import Any, Self

from tuntas_embedded.ports import LOOPBACK

_CHUNK = 65_536


class TcpProxy:
    """Forwards connections at `port` to `target`, both loopback ports, from a thread of its own.

    `hold` stops forwarding in both directions: connections stay, new ones are accepted and not forwarded. `release` continues, with
    every byte that was held back. Use it as a context manager, or `start` and `stop` it.
    """

    def __init__(self, port: int, target: int) -> None:
        self.port = port
        self.target = target
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"proxy-{port}", daemon=True)
        self._forwarding = asyncio.Event()
        self._forwarding.set()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen. Raises OSError if the port is taken."""
        self._thread.start()
        self._do(self._listen())

    def stop(self) -> None:
        """Cut every connection and listen no more. Can be called again."""
        if self._thread.is_alive():
            self._do(self._end())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def hold(self) -> None:
        """Forward nothing from now on."""
        self._loop.call_soon_threadsafe(self._forwarding.clear)

    def release(self) -> None:
        """Forward again, beginning with what was held back."""
        self._loop.call_soon_threadsafe(self._forwarding.set)

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._connected, LOOPBACK, self.port, backlog=512)

    async def _end(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        there: asyncio.StreamWriter | None = None
        try:
            await self._forwarding.wait()
            answers, there = await asyncio.open_connection(LOOPBACK, self.target)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, there))
                group.create_task(self._pump(answers, writer))
        except (OSError, ExceptionGroup, asyncio.CancelledError):
            pass  # one side is gone, or the proxy ends: the other side hears of it by the end of its connection
        finally:
            for end in (writer, there):
                if end is not None:
                    end.transport.abort()

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(_CHUNK):
            await self._forwarding.wait()
            target.write(data)
            await target.drain()
        await self._forwarding.wait()
        with contextlib.suppress(OSError):
            target.write_eof()
