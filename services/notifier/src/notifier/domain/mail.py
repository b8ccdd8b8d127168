"""A mail as bytes (RFC 5322, RFC 2045, RFC 3834). Built by hand: the standard library's policy objects cost a millisecond each."""

import re
from base64 import b64encode
from binascii import b2a_qp
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from uuid import UUID

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_PLAIN = re.compile(r"[ -~]*")
_ATOMS = re.compile(r"[A-Za-z0-9 !#$%&'*+/=?^_`{|}~-]+")
_WORD_BYTES = 42  # of UTF-8 in one encoded word, which becomes 68 of the 75 characters that RFC 2047 allows
_FOLD = 76


@dataclass(frozen=True, slots=True)
class MailContent:
    """What a mail says; `subject` is one line, `text` has lines ended by a bare newline."""

    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail ready to be sent: envelope and content. `plain_recipient` is tried where nobody reads mail at a plus-address."""

    notice_id: UUID
    sender: str
    recipient: str
    content: bytes
    plain_recipient: str | None = None


def message_id(notice_id: UUID, domain: str) -> str:
    """The Message-ID of a notice, the same at every attempt, so that mail readers show a repeat once."""
    return f"<{notice_id}@{domain}>"


def build_mail(
    notice_id: UUID,
    letter: MailContent,
    *,
    sender: str,
    sender_name: str,
    recipient: str,
    recipient_name: str | None,
    domain: str,
    date: datetime,
    plain_recipient: str | None = None,
) -> Mail:
    """The mail. No value can add a header or a line to one: control characters become blanks. Addresses must be checked ones."""
    lines = (
        f"From: {_mailbox(sender_name, sender)}",
        f"To: {_mailbox(recipient_name, recipient)}",
        f"Subject: {header_text(letter.subject, len('Subject: '))}",
        f"Date: {format_datetime(date)}",
        f"Message-ID: {message_id(notice_id, domain)}",
        "MIME-Version: 1.0",
        "Auto-Submitted: auto-generated",
        "Precedence: bulk",
        "Content-Language: id, en",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: quoted-printable",
    )
    text = letter.text.replace("\r\n", "\n").replace("\r", "\n")
    body = b2a_qp(text.encode("utf-8", "replace"), istext=True).replace(b"\n", b"\r\n")
    return Mail(notice_id, sender, recipient, "\r\n".join(lines).encode() + b"\r\n\r\n" + body, plain_recipient)


def header_text(text: str, taken: int = 0) -> str:
    """Unstructured header text, encoded where it is not plain ASCII, folded; `taken` characters stand before it on its line."""
    text = _CONTROL.sub(" ", text).strip()
    if not _PLAIN.fullmatch(text) or "=?" in text or any(len(word) > _FOLD - 12 for word in text.split(" ")):
        return "\r\n ".join(_encoded_words(text))
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        room = _FOLD - (taken if not lines else 1)
        if line and len(line) + 1 + len(word) > room:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return "\r\n ".join([*lines, line])


def _mailbox(name: str | None, address: str) -> str:
    name = _CONTROL.sub(" ", name).strip() if name else ""
    if not name:
        return address
    if _ATOMS.fullmatch(name) and len(name) <= _FOLD - 12 and "=?" not in name:
        return f"{name}\r\n <{address}>" if len(name) + len(address) > _FOLD - 12 else f"{name} <{address}>"
    return "\r\n ".join([*_encoded_words(name), f"<{address}>"])


def _encoded_words(text: str) -> list[str]:
    words: list[bytes] = []
    part = b""
    for character in text:
        encoded = character.encode("utf-8", "replace")
        if len(part) + len(encoded) > _WORD_BYTES:
            words.append(part)
            part = b""
        part += encoded
    return [f"=?utf-8?b?{b64encode(word).decode()}?=" for word in (*words, part)]
