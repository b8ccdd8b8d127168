"""A TCP proxy that can stop forwarding without closing anything, as a firewall that lost its state or a vanished node does."""

import asyncio
import contextlib
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit


@dataclass(eq=False)
class _Link:
    writers: tuple[asyncio.StreamWriter, asyncio.StreamWriter]
    cut: bool = False


@dataclass(eq=False)
class TcpProxy:
    """Forwards to one address. What a cut connection is sent is acknowledged and thrown away."""

    host: str
    port: int
    forwards_new: bool = True
    """Whether connections made from now on are forwarded, or cut from their beginning."""
    _links: set[_Link] = field(default_factory=set)
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)
    _server: asyncio.Server | None = None

    @classmethod
    async def before(cls, url: str) -> "TcpProxy":
        """A running proxy in front of the server that `url` names."""
        parts = urlsplit(url)
        assert parts.hostname
        assert parts.port
        proxy = cls(parts.hostname, parts.port)
        proxy._server = await asyncio.start_server(proxy._accept, "127.0.0.1", 0)
        return proxy

    def through(self, url: str) -> str:
        """The same URL by way of this proxy."""
        assert self._server is not None
        parts = urlsplit(url)
        credentials, at, _ = parts.netloc.rpartition("@")
        port = self._server.sockets[0].getsockname()[1]
        return urlunsplit(parts._replace(netloc=f"{credentials}{at}127.0.0.1:{port}"))

    def cut(self) -> int:
        """Let every connection that exists forward nothing more; returns how many there were."""
        for link in self._links:
            link.cut = True
        return len(self._links)

    async def close(self) -> None:
        """End it and every connection."""
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        link: _Link | None = None
        try:
            there_reader, there_writer = await asyncio.open_connection(self.host, self.port)
            link = _Link((writer, there_writer), cut=not self.forwards_new)
            self._links.add(link)
            await asyncio.gather(self._forward(link, reader, there_writer), self._forward(link, there_reader, writer))
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            if link is not None:
                self._links.discard(link)
                for one in link.writers:
                    one.transport.abort()
            else:
                writer.transport.abort()
            self._tasks.discard(task)

    async def _forward(self, link: _Link, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65_536):
            if not link.cut:
                sink.write(data)
                await sink.drain()
        if not link.cut:
            with contextlib.suppress(OSError):
                sink.close()
