"""The mails that the sink took in: how they are written in its file, and which came more than once."""

import email
import email.policy
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail as it was received. `to` are the recipients of the transport, `body` its text."""

    message_id: str
    to: list[str]
    sender: str
    subject: str
    received_at: str
    body: str

    def line(self) -> str:
        """The mail as one line of JSON; the sender is under `from`."""
        fields = asdict(self)
        fields["from"] = fields.pop("sender")
        return json.dumps(fields, ensure_ascii=False) + "\n"


def read_mail(raw: bytes, to: list[str], sender: str) -> Mail:
    """A mail from its bytes (RFC 5322); text that can't be decoded is replaced, never refused."""
    # The lenient, older reading: the newer one parses every header by its grammar and takes three times as long.
    message = email.message_from_bytes(raw, policy=email.policy.compat32)
    return Mail(
        message_id=str(message.get("Message-ID", "")).strip(),
        to=to,
        sender=sender,
        subject=_decoded(str(message.get("Subject", ""))),
        received_at=datetime.now(UTC).isoformat(),
        body=_text_of(message).replace("\r\n", "\n"),
    )


def _decoded(header: str) -> str:
    if "=?" not in header:
        return header
    try:
        return str(make_header(decode_header(header)))
    except (LookupError, ValueError, HeaderParseError):
        return header


def _text_of(message: Message) -> str:
    parts = [part for part in message.walk() if part.get_content_maintype() == "text"]
    if not parts:
        return ""
    plain = next((part for part in parts if part.get_content_subtype() == "plain"), parts[0])
    payload = plain.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    try:
        return payload.decode(plain.get_content_charset("utf-8"), "replace")
    except LookupError:
        return payload.decode("utf-8", "replace")


def stored_mails(file: Path) -> Iterator[Mail]:
    """The mails in a sink's file, oldest first; a line still being written is left out."""
    if not file.exists():
        return
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            if line.endswith("\n"):
                fields = json.loads(line)
                fields["sender"] = fields.pop("from")
                yield Mail(**fields)


def repeats_by_message_id(file: Path) -> dict[str, int]:
    """How often each Message-ID that came more than once was repeated (2 deliveries are 1 repeat)."""
    seen = Counter(mail.message_id for mail in stored_mails(file))
    return {message_id: times - 1 for message_id, times in seen.items() if times > 1}
