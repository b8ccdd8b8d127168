"""By which user a client of the stack's broker connects: the credentials of the platform's users, kept for the folder's owner.

A broker that is not secured has none, and every function here then gives nothing to add to a client's settings.
"""

import json
import os
from collections.abc import Mapping

from tuntas_contracts.vocabulary import Service
from tuntas_embedded.folder import StackFolder, write_private
from tuntas_operations.credentials import Credentials
from tuntas_operations.errors import NotRunning, StackError

OPERATOR = "operator"
"""The super user: it may do everything on the broker, and is who the stack's own tools connect as."""
_FILE = "kafka-users.json"


def given_credentials() -> Credentials | None:
    """The user for a broker that `TUNTAS_KAFKA` names, from `TUNTAS_KAFKA_USERNAME` and `TUNTAS_KAFKA_PASSWORD`; None if it needs none.

    Raises:
        StackError: only one of the two is set.
    """
    username, password = (os.environ.get(f"TUNTAS_KAFKA_{name}") for name in ("USERNAME", "PASSWORD"))
    if not username and not password:
        return None
    if not username or not password:
        raise StackError("TUNTAS_KAFKA_USERNAME and TUNTAS_KAFKA_PASSWORD go together: set both or neither")
    return Credentials(username, password)


def write_users(folder: StackFolder, users: Mapping[str, Credentials]) -> None:
    """Keep the credentials by the name of who has them; none where the broker is not secured."""
    kept = {name: {"username": user.username, "password": user.password} for name, user in users.items()}
    write_private(folder.path / _FILE, json.dumps(kept, indent=1))


def read_users(folder: StackFolder) -> dict[str, Credentials]:
    """The credentials as they were kept.

    Raises:
        NotRunning: none were, or they are another user's of this machine.
    """
    file = folder.path / _FILE
    try:
        kept: dict[str, dict[str, str]] = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise NotRunning(f"{file} can't be read ({error.strerror}): is it your stack, and was it started?") from error
    return {name: Credentials(**user) for name, user in kept.items()}


def credentials_of(folder: StackFolder, user: str = OPERATOR) -> Credentials | None:
    """The credentials of the operator, a service or the scaler, None where the broker is not secured.

    Raises:
        NotRunning: no stack was started in the folder.
        StackError: there is no such user; agencies' are made by `agency_credentials`.
    """
    users = read_users(folder)
    if users and user not in users:
        raise StackError(f"the broker of {folder.path} has no user {user!r} whose password is kept: there are {', '.join(sorted(users))}")
    return users.get(user)


def users_of_services(folder: StackFolder) -> dict[Service, Credentials]:
    """Each service's credentials; none where the broker is not secured."""
    users = read_users(folder)
    return {service: users[service] for service in Service if service in users}


def client_settings(folder: StackFolder, user: str = OPERATOR) -> dict[str, str]:
    """What a client of `confluent_kafka` needs beside the bootstrap servers; empty where the broker is not secured.

    Raises:
        StackError: as `credentials_of`.
    """
    credentials = credentials_of(folder, user)
    return {} if credentials is None else credentials.librdkafka()


def aiokafka_settings(folder: StackFolder, user: str = OPERATOR) -> dict[str, str]:
    """What a client of `aiokafka` needs beside the bootstrap servers; empty where the broker is not secured.

    Raises:
        StackError: as `credentials_of`.
    """
    credentials = credentials_of(folder, user)
    return {} if credentials is None else credentials.aiokafka()
