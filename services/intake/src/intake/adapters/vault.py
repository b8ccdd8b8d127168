"""Envelope encryption of personal data: a key per reporter, wrapped by the platform's key (AES-256-GCM throughout)."""

import hashlib
import os
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Sequence
from typing import Final, Self
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from intake.application.ports import SealedData

_KEY_BYTES: Final = 32
_KEY_ID_BYTES: Final = 4
_NONCE_BYTES: Final = 12
_CONTEXT: Final = b"data-key\0"


class VaultError(Exception):
    """A ciphertext that no key of ours opens: a key is missing, or the row was changed or moved to another reporter."""


class Vault:
    """Seals and opens. What the platform's key wraps begins with that key's id, so that keys can be rotated."""

    def __init__(self, current: bytes, former: Sequence[bytes] = ()) -> None:
        """`current` wraps from now on; `former` keys still open what they wrapped. Each has 32 bytes."""
        for key in (current, *former):
            if len(key) != _KEY_BYTES:
                raise ValueError(f"an encryption key has {len(key)} bytes; make one with `openssl rand -base64 32`")
        self.current_id = _key_id(current)
        self._ciphers = {_key_id(key): AESGCM(key) for key in (*former, current)}

    @classmethod
    def from_base64(cls, current: str, former: Sequence[str] = ()) -> Self:
        """A vault with keys in base64; raises ValueError where one is not 32 bytes in base64."""
        try:
            return cls(b64decode(current, validate=True), [b64decode(key, validate=True) for key in former])
        except Base64Error as error:
            raise ValueError("an encryption key is not base64; make one with `openssl rand -base64 32`") from error

    def rewrap(self, reporter_ref: UUID, wrapped_key: bytes) -> bytes:
        """A reporter's key under the platform's current key; raises VaultError."""
        context = _CONTEXT + reporter_ref.bytes
        return self.wrap(self.unwrap(wrapped_key, context), context)

    def seal_new(self, reporter_ref: UUID, plaintext: bytes) -> SealedData:
        """Encrypt the first data of a reporter under a new key."""
        key = os.urandom(_KEY_BYTES)
        return SealedData(self.wrap(key, _CONTEXT + reporter_ref.bytes), _encrypt(AESGCM(key), plaintext, reporter_ref.bytes))

    def seal_more(self, reporter_ref: UUID, wrapped_key: bytes, plaintext: bytes) -> bytes:
        """Encrypt further data of a reporter whose key exists; raises VaultError."""
        return _encrypt(self._data_cipher(reporter_ref, wrapped_key), plaintext, reporter_ref.bytes)

    def open(self, reporter_ref: UUID, wrapped_key: bytes, ciphertext: bytes) -> bytes:
        """Decrypt data of a reporter; raises VaultError."""
        return _decrypt(self._data_cipher(reporter_ref, wrapped_key), ciphertext, reporter_ref.bytes)

    def wrap(self, plaintext: bytes, context: bytes) -> bytes:
        """Encrypt under the platform's current key, bound to a context."""
        return self.current_id + _encrypt(self._ciphers[self.current_id], plaintext, context)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """Decrypt what `wrap` made with the same context; raises VaultError."""
        key_id = wrapped[:_KEY_ID_BYTES]
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise VaultError(f"wrapped under the key {key_id.hex()}, which is not configured: add it to TUNTAS_FORMER_ENCRYPTION_KEYS")
        return _decrypt(cipher, wrapped[_KEY_ID_BYTES:], context)

    def _data_cipher(self, reporter_ref: UUID, wrapped_key: bytes) -> AESGCM:
        return AESGCM(self.unwrap(wrapped_key, _CONTEXT + reporter_ref.bytes))


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"tuntas-key-id\0" + key).digest()[:_KEY_ID_BYTES]


def _encrypt(cipher: AESGCM, plaintext: bytes, bound_to: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plaintext, bound_to)


def _decrypt(cipher: AESGCM, ciphertext: bytes, bound_to: bytes) -> bytes:
    try:
        return cipher.decrypt(ciphertext[:_NONCE_BYTES], ciphertext[_NONCE_BYTES:], bound_to)
    except (InvalidTag, ValueError) as error:
        raise VaultError("a ciphertext does not open: it was changed, or belongs to another reporter or key") from error
