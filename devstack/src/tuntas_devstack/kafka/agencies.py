"""The users of agencies' own systems: made one by one, when somebody wants to be an agency's system."""

import base64
import hashlib
import hmac

from tuntas_devstack.kafka.access import credentials_of
from tuntas_devstack.state import StackState
from tuntas_embedded.folder import StackFolder
from tuntas_operations.broker_users import provide_user
from tuntas_operations.credentials import Credentials
from tuntas_operations.errors import StackError
from tuntas_operations.rights import agency_user

AGENCIES_KEY = "kafka-agencies"
"""The folder's secret from which every agency's password follows, so that any process of its owner can know it."""


def agency_credentials(folder: StackFolder, state: StackState, code: str) -> Credentials | None:
    """By which user an agency's own system connects to the running stack; made if need be.

    None where the broker is not secured. On a broker that runs elsewhere it is the one user that we were given.

    Raises:
        StackError: the stack has no such agency, or the broker does not make its user.
    """
    operator = credentials_of(folder)
    if operator is None or state.part("kafka").pid is None:
        return operator
    if code not in state.agencies:
        raise StackError(f"the stack in {folder.path} has no agency {code!r}, so its user would have no rights: take another code")
    user = Credentials(agency_user(code).name, _password(folder.secret(AGENCIES_KEY, "key"), code))
    provide_user(state.kafka, operator, user)
    return user


def _password(key: str, code: str) -> str:
    return base64.urlsafe_b64encode(hmac.digest(key.encode(), code.encode(), hashlib.sha256)).decode().rstrip("=")
