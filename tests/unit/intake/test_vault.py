"""Encryption of personal data."""

from base64 import b64encode
from uuid import uuid4

import pytest

from intake.adapters.vault import Vault, VaultError
from tests.unit.intake.builders import KEY, REPORTER_REF

OTHER_KEY = bytes(range(100, 132))
SECRET = b'{"reporter":{"name":"Siti Nurhaliza"}}'


def test_what_is_sealed_opens_and_shows_nothing() -> None:
    vault = Vault(KEY)
    sealed = vault.seal_new(REPORTER_REF, SECRET)
    assert vault.open(REPORTER_REF, sealed.wrapped_key, sealed.ciphertext) == SECRET
    assert b"Siti" not in sealed.ciphertext + sealed.wrapped_key


def test_every_reporter_has_a_key_of_their_own() -> None:
    vault = Vault(KEY)
    one, other = vault.seal_new(REPORTER_REF, SECRET), vault.seal_new(REPORTER_REF, SECRET)
    with pytest.raises(VaultError):
        vault.open(REPORTER_REF, one.wrapped_key, other.ciphertext)


def test_a_row_moved_to_another_reporter_does_not_open() -> None:
    vault = Vault(KEY)
    sealed = vault.seal_new(REPORTER_REF, SECRET)
    with pytest.raises(VaultError):
        vault.open(uuid4(), sealed.wrapped_key, sealed.ciphertext)


def test_a_changed_ciphertext_does_not_open() -> None:
    vault = Vault(KEY)
    sealed = vault.seal_new(REPORTER_REF, SECRET)
    for changed in (sealed.ciphertext[:-1] + bytes([sealed.ciphertext[-1] ^ 1]), b"", b"short"):
        with pytest.raises(VaultError):
            vault.open(REPORTER_REF, sealed.wrapped_key, changed)


def test_more_data_of_a_reporter_opens_with_the_same_key() -> None:
    vault = Vault(KEY)
    sealed = vault.seal_new(REPORTER_REF, SECRET)
    reply = vault.seal_more(REPORTER_REF, sealed.wrapped_key, b"belum selesai")
    assert vault.open(REPORTER_REF, sealed.wrapped_key, reply) == b"belum selesai"


def test_after_a_rotation_old_data_opens_while_the_former_key_is_configured() -> None:
    sealed = Vault(KEY).seal_new(REPORTER_REF, SECRET)
    assert Vault(OTHER_KEY, [KEY]).open(REPORTER_REF, sealed.wrapped_key, sealed.ciphertext) == SECRET
    with pytest.raises(VaultError, match="TUNTAS_FORMER_ENCRYPTION_KEYS"):
        Vault(OTHER_KEY).open(REPORTER_REF, sealed.wrapped_key, sealed.ciphertext)


def test_wrapped_data_opens_in_its_own_context_only() -> None:
    vault = Vault(KEY)
    wrapped = vault.wrap(SECRET, b"receipt 1")
    assert vault.unwrap(wrapped, b"receipt 1") == SECRET
    with pytest.raises(VaultError):
        vault.unwrap(wrapped, b"receipt 2")


@pytest.mark.parametrize("key", ["", "%%%", b64encode(b"too short").decode()])
def test_an_unusable_key_is_refused_with_a_way_to_make_one(key: str) -> None:
    with pytest.raises(ValueError, match="openssl rand -base64 32"):
        Vault.from_base64(key)
