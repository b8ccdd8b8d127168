"""Records that no writer of ours makes: what a broken or hostile one may put on a topic."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import cycle, islice
from uuid import UUID, uuid4

from tuntas_contracts.envelope import Envelope
from tuntas_contracts.topology import AGENCY_ACTIONS

Raw = tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]
A_TIME = datetime(2026, 1, 5, tzinfo=UTC)


def headers_of(kind: str, *, source: str = "unknown", message_id: UUID | None = None, subject: str = "x") -> list[tuple[str, bytes]]:
    """A sound envelope."""
    return Envelope(message_id or uuid4(), source, kind, subject, A_TIME).headers()


def _key() -> bytes:
    return str(uuid4()).encode()


def not_json(kind: str) -> Raw:
    """A sound envelope around something that is no JSON."""
    return _key(), b"<laporan>\xff\x00</laporan>", headers_of(kind)


def wrong_schema(kind: str) -> Raw:
    """JSON that is not what its type says, with a NUL in it."""
    return _key(), b'{"case_id": "\\u0000", "version": "none", "state": 7}', headers_of(kind)


def no_headers(kind: str) -> Raw:
    """A value that nobody says the type of."""
    return _key(), b'{"case_id": 1}', []


def broken_envelope(kind: str) -> Raw:
    """Of our type, but its id is none."""
    return _key(), b"{}", [(name, b"seven" if name == "ce_id" else value) for name, value in headers_of(kind)]


def no_key(kind: str) -> Raw:
    """A record without a key."""
    return None, b"[]", headers_of(kind)


def unreadable_key(kind: str) -> Raw:
    """A key that is no text, and a value that is none."""
    return b"\xff\x00\xfe", b"null", headers_of(kind)


def no_value(kind: str) -> Raw:
    """A tombstone of a known type."""
    return _key(), None, headers_of(kind)


def large(kind: str) -> Raw:
    """As large as the broker takes it from an agency."""
    return _key(), b'{"case_id": "' + b"a" * (AGENCY_ACTIONS.max_message_bytes - 1_000) + b'"}', headers_of(kind)


SMALL: Sequence[Callable[[str], Raw]] = (not_json, wrong_schema, no_headers, broken_envelope, no_key, unreadable_key, no_value)


def malformed_records(count: int, kind: str, *, large_ones: int = 4) -> list[Raw]:
    """So many records, of every sort in turn; `kind` is what those that name a type call themselves."""
    return [*(large(kind) for _ in range(large_ones)), *(make(kind) for make in islice(cycle(SMALL), count - large_ones))]
