"""A real SMTP server for tests, which fails as configured."""

import asyncio
import email
from typing import Self

from aiosmtpd.smtp import SMTP, Envelope, Session

from notifier.adapters.smtp import Relay, SmtpMailer
from tests.unit.notifier.fakes import Taken


class TestRelay:
    """Listens on a free loopback port. Counts connections; `hold` keeps it from answering to DATA until it is set."""

    __test__ = False

    def __init__(self) -> None:
        self.taken: list[Taken] = []
        self.texts: list[bytes] = []
        self.refused: set[str] = set()
        self.deferrals = 0
        self.drops = 0
        self.hang_ups = 0
        self.goodbyes = 0
        self.connections = 0
        self.busy = 0
        self.most_busy = 0
        self.hold: asyncio.Event | None = None
        self.arrived = asyncio.Event()
        self.port = 0
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        await self.listen()
        return self

    async def listen(self) -> None:
        """Start, on the port of the last time if there was one."""
        self._server = await asyncio.get_running_loop().create_server(self._protocol, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop_listening(self) -> None:
        """Take no new connections."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def __aexit__(self, *_: object) -> None:
        await self.stop_listening()

    def mailer(self, connections: int = 4, timeout_s: float = 5, idle_s: float = 20) -> SmtpMailer:
        """A client of this relay."""
        return SmtpMailer(
            Relay(host="127.0.0.1", port=self.port, security="none", connections=connections, timeout_s=timeout_s, idle_s=idle_s)
        )

    def _protocol(self) -> SMTP:
        self.connections += 1
        return SMTP(self, hostname="localhost", loop=asyncio.get_running_loop())

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Called at MAIL."""
        if self.hang_ups:
            self.hang_ups -= 1
            self._cut(server)
        if self.goodbyes:
            self.goodbyes -= 1
            return "421 4.4.2 Idle for too long, goodbye"
        envelope.mail_from = address
        return "250 2.1.0 Ok"

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Called at RCPT."""
        if address in self.refused:
            return f"550 5.1.1 <{address}> is not known here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Called when the whole mail is there."""
        self.busy += 1
        self.most_busy = max(self.most_busy, self.busy)
        try:
            self.arrived.set()
            if self.hold is not None:
                await self.hold.wait()
            if self.deferrals:
                self.deferrals -= 1
                return f"451 4.3.0 <{envelope.rcpt_tos[0]}> come back later"
            content = envelope.content
            raw = content if isinstance(content, bytes) else str(content).encode()
            self.texts.append(raw)
            self.taken.append(Taken(envelope.rcpt_tos[0], str(email.message_from_bytes(raw)["Message-ID"])))
            if self.drops:
                self.drops -= 1
                self._cut(server)
            return "250 2.0.0 Ok"
        finally:
            self.busy -= 1

    def _cut(self, server: SMTP) -> None:
        transport = server.transport
        if isinstance(transport, asyncio.Transport):
            transport.abort()
        raise ConnectionResetError("cut on demand")

    async def handle_exception(self, error: Exception) -> str:
        """Called by aiosmtpd for what a handler raised."""
        if isinstance(error, ConnectionResetError):
            return "421 cut"
        raise error
