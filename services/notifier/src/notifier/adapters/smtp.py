"""The mail relay: a few persistent SMTP connections, each with one mail at a time, all at work on one batch."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic, time_ns

from aiosmtplib import (
    SMTP,
    SMTPConnectError,
    SMTPException,
    SMTPResponseException,
    SMTPServerDisconnected,
    SMTPTimeoutError,
)

from notifier.application.ports import Handover, MailAttempt
from notifier.domain.delivery import Accepted, Deferred, NotTried, Refused, Result, Uncertain
from notifier.domain.mail import Mail
from notifier.domain.smtp_replies import Verdict, codes_of, verdict_of
from notifier.settings import RelaySecurity, Settings

_SERVICE_CLOSING = 421
_LIMITED_DOMAINS = 3  # that many domains, one after the other, that want no more mail: it is the relay that does


class RelayUnavailable(Exception):
    """No connection to the relay can be had; the message says why, without any address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """Where the relay is and how to speak with it; `timeout_s` is for one answer."""

    host: str
    port: int
    security: RelaySecurity
    username: str | None = None
    password: str | None = None
    hello: str = "localhost"
    connections: int = 4
    timeout_s: float = 15
    idle_s: float = 20


def relay_of(settings: Settings) -> Relay:
    """The relay that the settings name."""
    return Relay(
        host=settings.smtp_host,
        port=settings.smtp_port,
        security=settings.relay_security,
        username=settings.smtp_username,
        password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
        hello=settings.sender[1].rpartition("@")[2],
        connections=settings.smtp_connections,
        timeout_s=settings.smtp_timeout_s,
        idle_s=settings.smtp_idle_s,
    )


class SmtpMailer:
    """Implements `notifier.application.ports.Mailer`; one batch at a time, a second one waits."""

    def __init__(self, relay: Relay) -> None:
        self._lines = [_Line(relay) for _ in range(relay.connections)]
        self._sending = asyncio.Lock()

    async def send(self, mails: Sequence[Mail], seconds: float, stopping: asyncio.Event) -> Handover:
        """Pass a batch to the relay; the mails of a line that can't connect are taken by the others."""
        async with self._sending:
            return await self._send(mails, seconds, stopping)

    async def _send(self, mails: Sequence[Mail], seconds: float, stopping: asyncio.Event) -> Handover:
        batch = _Batch(deque(enumerate(mails)), monotonic() + seconds, stopping)
        # a small batch needs no more lines than have something to do
        lines = self._lines[: max(1, min(len(self._lines), len(mails) // 2))]
        faults = await asyncio.gather(*(batch.work(line) for line in lines))
        now = time_ns()
        relay_down = next((fault for fault in faults if fault), None) if batch.waiting and all(faults) else None
        reason = relay_down or "not begun in time"
        return Handover([batch.attempts.get(n) or MailAttempt(NotTried(reason), now, now) for n in range(len(mails))], relay_down)

    async def close(self) -> None:
        """Say goodbye on every connection."""
        await asyncio.gather(*(line.close() for line in self._lines))


@dataclass(slots=True)
class _Batch:
    """The mails of one hand-over, which the lines take from. `limited`: domains that wanted no more mail since the last mail was taken."""

    waiting: deque[tuple[int, Mail]]
    until: float
    stopping: asyncio.Event
    attempts: dict[int, MailAttempt] = field(default_factory=dict)
    limited: set[str] = field(default_factory=set)

    async def work(self, line: "_Line") -> str | None:
        """Deliver over one line until nothing waits or time is up; says why where nothing more can be delivered."""
        while self.waiting and monotonic() < self.until and not self.stopping.is_set():
            if len(self.limited) >= _LIMITED_DOMAINS:
                return "the relay takes no more mails for now: a sending limit"
            number, mail = self.waiting.popleft()
            started = time_ns()
            try:
                result = await line.deliver(mail)
            except RelayUnavailable as error:
                self.waiting.appendleft((number, mail))
                return str(error)
            self._note(mail, result)
            self.attempts[number] = MailAttempt(result, started, time_ns())
        return None

    def _note(self, mail: Mail, result: Result) -> None:
        if isinstance(result, Accepted):
            self.limited.clear()
        elif isinstance(result, Deferred) and result.limited:
            self.limited.add(mail.recipient.rpartition("@")[2])


class _Line:
    """One connection, opened when it is needed."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._client: SMTP | None = None
        self._used_at = 0.0

    async def deliver(self, mail: Mail) -> Result:
        """One transaction, a second one where a plus-address is not known. Raises RelayUnavailable."""
        client, fresh = await self._connected()
        try:
            try:
                await self._begin(client, mail)
            except SMTPServerDisconnected:
                # a relay may hang up on an idle connection at any time
                self._drop()
                if fresh:
                    return Deferred("the relay hung up before the mail was sent")
                client, fresh = await self._connected()
                await self._begin(client, mail)
            result = await self._recipient_and_data(client, mail, mail.recipient)
            if mail.plain_recipient is not None and isinstance(result, Refused) and result.dead_address:
                await self._begin(client, mail)
                result = await self._recipient_and_data(client, mail, mail.plain_recipient)
            return result
        except SMTPResponseException as error:
            verdict = verdict_of(error.code, error.message)
            await self._reset(client, error.code, verdict)
            if verdict is Verdict.SENDING_LIMIT:
                raise RelayUnavailable(f"the relay takes no more mails for now: {_coded(error)}") from error
            return Deferred(f"sender refused: {_coded(error)}")  # not this mail's fault: it must not be lost over it
        except (SMTPException, OSError) as error:
            self._drop()
            return Deferred(f"connection lost before the mail was sent: {type(error).__name__}")
        finally:
            self._used_at = monotonic()

    async def _begin(self, client: SMTP, mail: Mail) -> None:
        answer = await client.execute_command(b"MAIL", f"FROM:<{mail.sender}>".encode("ascii"))
        if answer.code == _SERVICE_CLOSING:
            raise SMTPServerDisconnected("the relay closes the connection")
        if answer.code != 250:
            raise SMTPResponseException(answer.code, answer.message)

    async def _recipient_and_data(self, client: SMTP, mail: Mail, recipient: str) -> Result:
        answer = await client.execute_command(b"RCPT", f"TO:<{recipient}>".encode("ascii"))
        if answer.code not in (250, 251):
            return await self._refused(client, "recipient", SMTPResponseException(answer.code, answer.message))
        try:
            await client.data(mail.content)
        except SMTPResponseException as error:
            return await self._refused(client, "content", error)
        except (SMTPServerDisconnected, SMTPTimeoutError, OSError) as error:
            self._drop()
            return Uncertain(f"no answer to the mail: {type(error).__name__}")
        return Accepted()

    async def _refused(self, client: SMTP, what: str, error: SMTPResponseException) -> Result:
        verdict = verdict_of(error.code, error.message)
        await self._reset(client, error.code, verdict)
        if verdict in (Verdict.DEAD_ADDRESS, Verdict.REFUSED):
            return Refused(f"{what} refused: {_coded(error)}", dead_address=verdict is Verdict.DEAD_ADDRESS)
        return Deferred(f"{what} deferred: {_coded(error)}", limited=verdict is Verdict.SENDING_LIMIT)

    async def _connected(self) -> tuple[SMTP, bool]:
        if self._client is not None and (not self._client.is_connected or monotonic() - self._used_at > self._relay.idle_s):
            await self.close()
        if self._client is not None:
            return self._client, False
        relay = self._relay
        client = SMTP(
            hostname=relay.host,
            port=relay.port,
            username=relay.username,
            password=relay.password,
            use_tls=relay.security == "tls",
            start_tls={"starttls": True, "opportunistic": None}.get(relay.security, False),
            local_hostname=relay.hello,
            timeout=relay.timeout_s,
        )
        try:
            await client.connect()
            await client.ehlo()
        except SMTPResponseException as error:
            client.close()
            raise RelayUnavailable(f"the relay {relay.host}:{relay.port} does not let us in: {_coded(error)}") from error
        except SMTPConnectError as error:
            raise RelayUnavailable(f"the relay {relay.host}:{relay.port} can't be reached: {type(error).__name__}") from error
        except (SMTPException, OSError) as error:
            client.close()
            raise RelayUnavailable(f"the relay {relay.host}:{relay.port} can't be spoken with: {type(error).__name__}") from error
        self._client = client
        return client, True

    async def _reset(self, client: SMTP, code: int, verdict: Verdict) -> None:
        if code == _SERVICE_CLOSING or verdict is Verdict.NOT_OF_THE_MAIL:
            self._drop()
            return
        try:
            await client.rset()
        except (SMTPException, OSError):
            self._drop()

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    async def close(self) -> None:
        """Say goodbye."""
        if self._client is None:
            return
        try:
            await self._client.quit(timeout=2)
        except (SMTPException, OSError):
            self._client.close()
        finally:
            self._client = None


def _coded(error: SMTPResponseException) -> str:
    return codes_of(error.code, error.message)
