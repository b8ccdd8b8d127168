"""The Secrets that a person must make, and random values for them."""

import base64
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from tuntas_contracts.vocabulary import Service
from tuntas_tools.k8s.kafka_objects import CLUSTER, Manifest


def _password() -> str:
    # Hexadecimal, because it becomes part of a database's URL.
    return secrets.token_hex(24)


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


@cache
def _name_key() -> str:
    return _key()


@dataclass(frozen=True, slots=True)
class Entry:
    """One value of a Secret: what it is for, and how one is made at random; None where somebody else gives it."""

    purpose: str
    make: Callable[[], str] | None = None
    optional: bool = False


def service_secret(service: Service) -> dict[str, Entry]:
    """The values of one service's Secret, by key."""
    role = service.replace("-", "_")
    entries = {
        "username": Entry(f"its role at PostgreSQL: {role}", lambda: role),
        "password": Entry("its password at PostgreSQL, of letters and digits", _password),
        "kafka-password": Entry("its password at Kafka", _password),
    }
    if service in (Service.INTAKE, Service.TRIAGE, Service.DISPATCH):
        entries["name-keys"] = Entry(
            "32 bytes in base64, the same for intake, triage and dispatch: find a reporter's name in texts", _name_key
        )
    if service is Service.INTAKE:
        entries |= {
            "encryption-key": Entry("32 bytes in base64, which wrap the keys of reporters' personal data: if lost, so are those", _key),
            "access-code-pepper": Entry("at least 32 characters; a change voids every access code", _key),
            "former-encryption-keys": Entry("keys that were in use before, separated by commas", optional=True),
        }
    if service is Service.NOTIFIER:
        entries |= {
            "client-secret": Entry("of the client `notifier` at the issuer"),
            "smtp-username": Entry("at the mail relay", optional=True),
            "smtp-password": Entry("at the mail relay", optional=True),
        }
    return entries


def secret_entries() -> dict[str, dict[str, Entry]]:
    """Every Secret that must be made, by name."""
    return {
        **{f"{CLUSTER}-{service}": service_secret(service) for service in Service},
        f"{CLUSTER}-operations": {
            "username": Entry("the role of doctor and reconciliation at PostgreSQL: operations", lambda: "operations"),
            "password": Entry("its password at PostgreSQL, of letters and digits", _password),
        },
        f"{CLUSTER}-backups": {
            "access-key-id": Entry("of the bucket for backups"),
            "secret-access-key": Entry("of the bucket for backups"),
        },
    }


def random_secrets(namespace: str) -> list[Manifest]:
    """Secrets with random values; what somebody else gives is random too, and to be replaced."""
    return [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": namespace, "labels": {"app.kubernetes.io/part-of": CLUSTER, "cnpg.io/reload": "true"}},
            "type": "kubernetes.io/basic-auth" if "password" in entries else "Opaque",
            "stringData": {key: (entry.make or _password)() for key, entry in entries.items() if not entry.optional},
        }
        for name, entries in secret_entries().items()
    ]
