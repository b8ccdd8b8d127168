"""Loopback ports: which are free, and whether something answers there.

Free ones are outside the range from which the kernel takes ports of outgoing connections.
A port inside that range can be taken by somebody's outgoing connection while its server is down for a restart; a
client that keeps connecting to it can even be connected to itself.
"""

import http.client
import random
import socket
import threading
from pathlib import Path
from urllib.parse import urlsplit

from tuntas_operations.errors import PortTaken

LOOPBACK = "127.0.0.1"
_RANGE_FILE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_HTTP_WITHIN_S = 2.0
_LOWEST, _HIGHEST = 10_000, 65_535

_given: set[int] = set()
_lock = threading.Lock()


def _candidates() -> list[int]:
    try:
        first, last = (int(word) for word in _RANGE_FILE.read_text().split())
    except (OSError, ValueError):
        first, last = 32_768, 60_999
    below, above = range(_LOWEST, first), range(last + 1, _HIGHEST + 1)
    ports = list(below) if len(below) >= len(above) else list(above)
    return ports or list(range(_LOWEST, _HIGHEST + 1))


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port(preferred: int | None = None) -> int:
    """A free port, `preferred` if that one is free; never the same twice in one process unless preferred.

    Raises:
        PortTaken: every candidate is in use.
    """
    with _lock:
        if preferred is not None and is_free(preferred):
            _given.add(preferred)
            return preferred
        candidates = _candidates()
        random.shuffle(candidates)
        for port in candidates:
            if port not in _given and is_free(port):
                _given.add(port)
                return port
    raise PortTaken("no loopback port is free: end some servers and try again")


def demanded_port(part: str, port: int) -> int:
    """The port that the user chose for a part.

    Raises:
        PortTaken: something listens there.
    """
    if not is_free(port):
        raise PortTaken(f"port {port}, chosen for {part}, is taken by another program: choose another or end that program")
    return port


def accepts(port: int, host: str = LOOPBACK, within_s: float = 1.0) -> bool:
    """Whether something accepts connections at host and port."""
    try:
        with socket.create_connection((host, port), timeout=within_s):
            return True
    except OSError:
        return False


def answers_ready(url: str, path: str = "/readyz") -> bool:
    """Whether `GET <url><path>` is answered with 200."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_HTTP_WITHIN_S)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
