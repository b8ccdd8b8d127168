"""The stack of a folder as an installation that the operators' commands work on."""

import getpass
import os
from pathlib import Path

from tuntas_contracts.vocabulary import Role, Service
from tuntas_devstack.kafka.access import client_settings
from tuntas_devstack.state import StackState, read_databases, read_state
from tuntas_embedded.folder import DEFAULT_FOLDER, StackFolder
from tuntas_embedded.issuer import SigningKey, mint_token
from tuntas_operations.installation import Installation, MailRelay
from tuntas_operations.service_modules import module_of
from tuntas_operations.settings import variable

_TOKEN_TTL_S = 600


def open_folder(folder: Path | None) -> Installation:
    """The stack that runs in a folder, the default one where none is given. Raises NotRunning."""
    return of_stack(StackFolder(folder or DEFAULT_FOLDER))


def of_stack(folder: StackFolder) -> Installation:
    """The stack that runs in a folder. Raises NotRunning."""
    state = read_state(folder)
    known = read_databases(folder)
    running = {part.name: part.url for part in state.parts if part.url}
    mail = next((part for part in state.parts if part.kind == "mail"), None)
    return Installation(
        name=f"the stack in {folder.path}",
        local=True,
        kafka=state.kafka or None,
        kafka_client=client_settings(folder),
        databases={service: known[module_of(service)] for service in Service if module_of(service) in known},
        urls={service: running[service.value] for service in Service if service.value in running},
        issuer=state.issuer or None,
        token=lambda: _minted(folder, state),
        agencies=state.agencies,
        collector=os.environ.get(variable("otlp_endpoint")) or None,
        mail=_sink(mail.address) if mail else None,
    )


def _sink(address: str) -> MailRelay:
    host, _, port = address.rpartition(":")
    return MailRelay(host=host, port=int(port), security="none")


def _minted(folder: StackFolder, state: StackState) -> str:
    key = SigningKey.of_file(folder.path / "issuer" / "signing-key.pem", state.issuer)
    return mint_token(key, sub=f"operator:{getpass.getuser()}", roles=[Role.OPERATOR.value], ttl_s=_TOKEN_TTL_S)
