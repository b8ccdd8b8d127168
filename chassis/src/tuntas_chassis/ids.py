"""Identifiers: UUIDv7, new or derived from what caused them."""

from hashlib import blake2b
from uuid import UUID

from uuid_utils.compat import uuid7

_TIME = ((1 << 48) - 1) << 80
_RANDOM = (0xFFF << 64) | ((1 << 62) - 1)
_VERSION_AND_VARIANT = (0x7 << 76) | (0b10 << 62)


def new_id() -> UUID:
    """A new UUIDv7 (RFC 9562)."""
    return uuid7()


def derive_id(cause: UUID, *parts: str | int) -> UUID:
    """The id that follows from a cause: the same input gives the same id. Layout of UUIDv7, with the cause's time."""
    digest = blake2b(cause.bytes + "\x1f".join(map(str, parts)).encode(), digest_size=10).digest()
    return UUID(int=cause.int & _TIME | int.from_bytes(digest, "big") & _RANDOM | _VERSION_AND_VARIANT)


def time_of(identifier: UUID) -> float:
    """When a UUIDv7 was made (seconds since 1970, real time); of a derived one, when its first cause was."""
    return (identifier.int >> 80) / 1000
