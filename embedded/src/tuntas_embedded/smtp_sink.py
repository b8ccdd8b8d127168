"""An SMTP server that delivers to a file: each mail one line of JSON, counted; on request it fails as real servers do.

As a process: `python -m tuntas_embedded.smtp_sink --port 2525 --file mail.jsonl [--faults faults.json]`.
"""

import argparse
import asyncio
import json
import os
import re
import signal
import sys
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal, Self, TextIO

from aiosmtpd.smtp import SMTP, Envelope, Session

from tuntas_embedded.mailbox import read_mail, repeats_by_message_id, stored_mails
from tuntas_embedded.ports import LOOPBACK

__all__ = ["Fault", "FaultKind", "SmtpSink", "repeats_by_message_id", "stored_mails"]

_LARGEST_BYTES = 32 * 1024 * 1024
_ANSWER = re.compile(r"[45]\d\d[ -~]{0,400}")


class FaultKind(StrEnum):
    """How the sink can fail."""

    REJECT = "reject"  # a lasting error (554): nothing is stored
    DEFER = "defer"  # a passing error (451): nothing is stored
    DROP = "drop"  # stored, then the connection is cut before the answer: the sender can't know
    DELAY = "delay"  # stored and confirmed, `delay_s` later
    ANSWER = "answer"  # `answer` is said, at RCPT or after the mail as `stage` has it: nothing is stored


@dataclass(slots=True)
class Fault:
    """The next `remaining` mails fail in this way; with `recipients`, only those to addresses that the regular expression finds."""

    kind: FaultKind
    remaining: int = 1
    delay_s: float = 0.0
    answer: str = "451 4.3.0 Deferred on demand"
    stage: Literal["rcpt", "data"] = "data"
    recipients: str = ""

    @classmethod
    def parse(cls, text: str) -> "Fault":
        """A fault from JSON such as `{"kind": "drop", "remaining": 3}`; raises ValueError, TypeError or KeyError."""
        fields = json.loads(text)
        kind, stage, answer = (
            FaultKind(fields["kind"]),
            fields.get("stage", "data"),
            str(fields.get("answer", "451 4.3.0 Deferred on demand")),
        )
        if stage not in ("rcpt", "data") or (kind is not FaultKind.ANSWER and stage != "data"):
            raise ValueError(f"stage is {stage!r}: give data, or for an answer rcpt")
        if not _ANSWER.fullmatch(answer):
            raise ValueError(f"answer is {answer!r}: give one line that begins with a code, such as 550 5.1.1 No such user")
        recipients = re.compile(str(fields.get("recipients", ""))).pattern
        return cls(kind, int(fields.get("remaining", 1)), float(fields.get("delay_s", 0.0)), answer, stage, recipients)


class SmtpSink:
    """The server, inside a running event loop: `async with SmtpSink(file) as sink: … sink.port`.

    Port 0 takes a free one. `faults_file` is read whenever it changes, so that another process can make the sink fail.
    """

    def __init__(self, file: Path, port: int = 0, faults_file: Path | None = None) -> None:
        self.file = file
        self.port = port
        self.received = 0
        self._fault: Fault | None = None
        self._faults_file = faults_file
        self._faults_seen: int | None = None
        self._out: TextIO | None = None
        self._server: asyncio.Server | None = None
        self._connections: weakref.WeakSet[SMTP] = weakref.WeakSet()

    async def __aenter__(self) -> Self:
        # Mails name persons: only the owner may read them.
        descriptor = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._out = os.fdopen(descriptor, "a", encoding="utf-8")
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._protocol, LOOPBACK, self.port, backlog=512)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            if isinstance(connection.transport, asyncio.Transport):
                connection.transport.abort()
        if self._out is not None:
            self._out.close()
            self._out = None

    def fail(self, kind: FaultKind, times: int = 1, delay_s: float = 0.0) -> None:
        """Let the next mails fail; 0 times takes an earlier order back."""
        self._fault = Fault(kind, times, delay_s)

    def answer(self, answer: str, *, times: int = 1, stage: Literal["rcpt", "data"] = "data", recipients: str = "") -> None:
        """Answer the next mails so, as `Fault` says."""
        self._fault = Fault(FaultKind.ANSWER, times, 0.0, answer, stage, recipients)

    def _protocol(self) -> SMTP:
        connection = SMTP(
            self,
            hostname="localhost",
            data_size_limit=_LARGEST_BYTES,
            enable_SMTPUTF8=True,
            loop=asyncio.get_running_loop(),
        )
        self._connections.add(connection)
        return connection

    def _next_fault(self, stage: Literal["rcpt", "data"], recipients: Sequence[str]) -> Fault | None:
        self._read_faults()
        fault = self._fault
        if fault is None or fault.remaining <= 0 or fault.stage != stage:
            return None
        if fault.recipients and not any(re.search(fault.recipients, to) for to in recipients):
            return None
        fault.remaining -= 1
        return fault

    def _read_faults(self) -> None:
        if self._faults_file is None:
            return
        try:
            changed = self._faults_file.stat().st_mtime_ns
            if changed != self._faults_seen:
                self._faults_seen = changed
                self._fault = Fault.parse(self._faults_file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError) as error:
            print(f'{self._faults_file} is not a fault such as {{"kind": "drop"}}: {error}', file=sys.stderr)

    async def handle_RCPT(  # noqa: N802 – aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Called by aiosmtpd with a reader's address; the answer goes to the sender."""
        fault = self._next_fault("rcpt", [address])
        if fault is not None:
            return fault.answer
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 – aiosmtpd's name
        """Called by aiosmtpd with a whole mail; the answer goes to the sender."""
        fault = self._next_fault("data", [str(to) for to in envelope.rcpt_tos])
        kind = None if fault is None else fault.kind
        if kind is FaultKind.REJECT:
            return "554 5.7.1 Rejected on demand"
        if kind is FaultKind.DEFER:
            return "451 4.3.0 Deferred on demand"
        if fault is not None and kind is FaultKind.ANSWER:
            return fault.answer
        self._store(envelope)
        if kind is FaultKind.DROP and isinstance(server.transport, asyncio.Transport):
            server.transport.abort()
            raise ConnectionResetError("dropped on demand")
        if fault is not None and kind is FaultKind.DELAY:
            await asyncio.sleep(fault.delay_s)
        return "250 2.0.0 Ok"

    async def handle_exception(self, error: Exception) -> str:
        """Called by aiosmtpd for an error of ours; a connection that is gone is nobody's error."""
        if not isinstance(error, ConnectionError):
            print(f"a mail could not be stored: {error!r}", file=sys.stderr)
        return "451 4.3.0 Local error"

    def _store(self, envelope: Envelope) -> None:
        content = envelope.content
        raw = content.encode() if isinstance(content, str) else content or b""
        mail = read_mail(raw, [str(to) for to in envelope.rcpt_tos], str(envelope.mail_from or ""))
        if self._out is None:
            raise RuntimeError("the sink is closed")
        self._out.write(mail.line())
        self._out.flush()
        self.received += 1


async def _serve(arguments: argparse.Namespace) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with SmtpSink(arguments.file, arguments.port, arguments.faults) as sink:
        print(f"listening on {LOOPBACK}:{sink.port}, process {os.getpid()}", flush=True)
        await ended.wait()
        print(f"ended after {sink.received} mails", flush=True)


def main() -> None:
    """Run the sink until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(prog="tuntas_embedded.smtp_sink", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="loopback port; 0 takes a free one")
    parser.add_argument("--file", type=Path, required=True, help="where mails are added, one line of JSON each")
    parser.add_argument("--faults", type=Path, help='a file such as {"kind": "drop", "remaining": 3}')
    asyncio.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
