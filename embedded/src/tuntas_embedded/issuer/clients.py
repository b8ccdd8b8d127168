"""Who may ask the development issuer for a token: services, persons of each role, agencies' systems, and an administrator."""

import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from tuntas_contracts.vocabulary import Role, Service
from tuntas_embedded.folder import write_private

ADMIN = "development-admin"
"""The client that may have a token for any subject, roles and agency."""

TOKEN_ROLES = frozenset(role.value for role in Role if role not in {Role.REPORTER, Role.SYSTEM})
"""The roles that a token can carry: reporters have an access code instead, and the system needs none."""


@dataclass(frozen=True, slots=True)
class Client:
    """An OAuth client.

    `needs_agency`: it says in each request, in the form field `agency`, for which agency it acts; `any_claims`: it says all.
    """

    client_id: str
    secret: str
    roles: tuple[str, ...]
    name: str
    needs_agency: bool = False
    any_claims: bool = False


def client_id_of(role: Role) -> str:
    """The client of a person (or agency's system) with this role."""
    return role.value.replace("_", "-")


def make_clients(secret: Callable[[str], str]) -> dict[str, Client]:
    """The table of clients; `secret(client_id)` gives each one's password."""
    clients = [Client(service.value, secret(service.value), (Role.SERVICE.value,), service.value) for service in Service]
    clients += [
        Client(
            client_id_of(role),
            secret(client_id_of(role)),
            (role.value,),
            role.value.replace("_", " "),
            needs_agency=role.at_agency,
        )
        for role in Role
        if role.value in TOKEN_ROLES and role is not Role.SERVICE
    ]
    clients.append(Client(ADMIN, secret(ADMIN), (), ADMIN, any_claims=True))
    return {client.client_id: client for client in clients}


def write_clients(file: Path, clients: Mapping[str, Client]) -> None:
    """Keep the table in a file that only its owner can read."""
    write_private(file, json.dumps([asdict(client) for client in clients.values()], indent=1))


def read_clients(file: Path) -> dict[str, Client]:
    """The table from its file."""
    clients = [Client(**(fields | {"roles": tuple(fields["roles"])})) for fields in json.loads(file.read_text("utf-8"))]
    return {client.client_id: client for client in clients}


def authenticated(clients: Mapping[str, Client], client_id: str, secret: str) -> Client | None:
    """The client whose secret this is, None if there is none."""
    client = clients.get(client_id)
    if client is None or not hmac.compare_digest(client.secret.encode(), secret.encode()):
        return None
    return client
