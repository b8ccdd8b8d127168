"""Clients that speak HTTP badly: each opens a connection, sends what it is given, and shows what came back."""

import asyncio
import contextlib
import socket
from dataclasses import dataclass


@dataclass
class RawConnection:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    early: bytes = b""
    """What `drip` met."""

    @classmethod
    async def open(cls, port: int, receive_buffer: int | None = None) -> "RawConnection":
        """Connect; `receive_buffer` bytes of answer are taken by the kernel though nobody reads them."""
        sock = socket.socket()
        if receive_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
        return cls(*await asyncio.open_connection(sock=sock))

    async def send(self, data: bytes) -> bool:
        """Send; says whether the other end still takes it."""
        try:
            self.writer.write(data)
            await self.writer.drain()
        except OSError:
            return False
        return not self.reader.at_eof()

    async def drip(self, data: bytes, every_s: float = 0.2) -> None:
        """Send a byte at a time until the other end answers or closes."""
        for byte in data:
            if not await self.send(bytes([byte])):
                return
            with contextlib.suppress(TimeoutError, OSError):
                self.early += await asyncio.wait_for(self.reader.read(65_536), every_s)
                return

    async def rest(self) -> bytes:
        """All that came until the end."""
        with contextlib.suppress(OSError):
            return self.early + await self.reader.read()
        return self.early

    async def close(self) -> None:
        """End it."""
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()
