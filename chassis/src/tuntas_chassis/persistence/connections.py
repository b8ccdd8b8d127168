"""How a connection to PostgreSQL notices that its other end is gone, at both ends, within half a minute.

A peer whose node is lost, or a proxy that stops forwarding, sends nothing: without these a connection, its locks and its transaction
live for hours.
"""

import os
import socket
from collections.abc import Mapping
from typing import Any, Final

KEEPALIVE_IDLE_S: Final = 10
KEEPALIVE_INTERVAL_S: Final = 5
KEEPALIVE_COUNT: Final = 3
UNACKNOWLEDGED_S: Final = 25
"""How long what was sent may stay unacknowledged by the other end's TCP before the connection counts as lost."""
IDLE_IN_TRANSACTION_S: Final = 60

# An option that a platform does not have is left out; Linux has them all.
_CLIENT: Final = (
    ("TCP_KEEPIDLE", KEEPALIVE_IDLE_S),
    ("TCP_KEEPINTVL", KEEPALIVE_INTERVAL_S),
    ("TCP_KEEPCNT", KEEPALIVE_COUNT),
    ("TCP_USER_TIMEOUT", UNACKNOWLEDGED_S * 1000),
)


def server_settings(application_name: str, **further: str) -> dict[str, str]:
    """Settings of the server for a session: how it watches the client, and what it does with a transaction left open."""
    return {
        "application_name": application_name,
        "jit": "off",
        "tcp_keepalives_idle": str(KEEPALIVE_IDLE_S),
        "tcp_keepalives_interval": str(KEEPALIVE_INTERVAL_S),
        "tcp_keepalives_count": str(KEEPALIVE_COUNT),
        "tcp_user_timeout": f"{UNACKNOWLEDGED_S}s",
        "client_connection_check_interval": "5s",
        "idle_in_transaction_session_timeout": f"{IDLE_IN_TRANSACTION_S}s",
        **further,
    }


def watch_peer(connection: Any) -> None:
    """Set the client's side of it on an asyncpg connection; does nothing on a Unix-domain socket, whose peer can't be lost."""
    sock = connection._transport.get_extra_info("socket")
    if sock is None or sock.family == getattr(socket, "AF_UNIX", None):
        return
    # the event loop's own view of a socket does not take options on every loop: a second descriptor of the same socket does
    with socket.socket(sock.family, sock.type, sock.proto, fileno=os.dup(sock.fileno())) as same:
        same.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in client_options().items():
            same.setsockopt(socket.IPPROTO_TCP, name, value)


def client_options() -> Mapping[int, int]:
    """The TCP options that `watch_peer` sets, by number."""
    return {getattr(socket, name): value for name, value in _CLIENT if hasattr(socket, name)}
