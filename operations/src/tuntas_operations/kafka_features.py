"""What version the brokers run at: their ApiVersions answer, which librdkafka reads and does not pass on.

The request is allowed before a client says who it is, so it needs no credentials. Layout: KIP-482 (tagged fields), KIP-511, KIP-584.
"""

import contextlib
import io
import socket
import ssl
import struct
from collections.abc import Iterator

from tuntas_operations.errors import Unreachable
from tuntas_operations.installation import Installation

_API_VERSIONS = 18
_VERSION = 3
_WITHIN_S = 5.0
_LONGEST = 1_000_000
_FINALIZED_FEATURES = 2  # the number of the tagged field


def finalized_features(installation: Installation) -> dict[str, int]:
    """The level of each feature that the cluster has agreed upon, from the first of the servers that answers.

    Raises:
        Unreachable: none answers, or not in a way that is understood.
    """
    reason = "no server is named"
    for server in installation.needs_kafka().split(","):
        host, _, port = server.strip().rpartition(":")
        try:
            with _connected(installation, host, int(port)) as connection:
                connection.sendall(_request())
                return _read(_answer(connection))
        except (OSError, ValueError, struct.error, EOFError) as error:
            reason = f"{server.strip()}: {error or type(error).__name__}"
    raise Unreachable(f"Kafka does not give its version ({reason})")


@contextlib.contextmanager
def _connected(installation: Installation, host: str, port: int) -> Iterator[socket.socket]:
    plain = socket.create_connection((host, port), timeout=_WITHIN_S)
    with contextlib.closing(plain):
        if "SSL" not in installation.kafka_client.get("security.protocol", ""):
            yield plain
            return
        context = ssl.create_default_context(cafile=installation.kafka_client.get("ssl.ca.location"))
        with context.wrap_socket(plain, server_hostname=host) as secured:
            yield secured


def _request() -> bytes:
    client = b"tuntas-ops"
    header = struct.pack(">hhih", _API_VERSIONS, _VERSION, 1, len(client)) + client + b"\x00"
    name = bytes([len(client) + 1]) + client
    body = header + name + b"\x021" + b"\x00"
    return struct.pack(">i", len(body)) + body


def _answer(connection: socket.socket) -> io.BytesIO:
    (length,) = struct.unpack(">i", _exactly(connection, 4))
    if not 0 < length < _LONGEST:
        raise ValueError("what answers is no Kafka broker")
    return io.BytesIO(_exactly(connection, length))


def _exactly(connection: socket.socket, count: int) -> bytes:
    read = b""
    while len(read) < count:
        piece = connection.recv(count - len(read))
        if not piece:
            raise EOFError("it hung up")
        read += piece
    return read


def _read(answer: io.BytesIO) -> dict[str, int]:
    _correlation, error = struct.unpack(">ih", answer.read(6))
    if error:
        raise ValueError(f"error {error}")
    for _ in range(_varint(answer) - 1):
        answer.read(6)  # an API's key and its versions
        _skip_tags(answer)
    answer.read(4)  # throttle time
    for tag, content in _tags(answer):
        if tag == _FINALIZED_FEATURES:
            return dict(_levels(io.BytesIO(content)))
    return {}


def _levels(content: io.BytesIO) -> Iterator[tuple[str, int]]:
    for _ in range(_varint(content) - 1):
        name = content.read(_varint(content) - 1).decode()
        highest, _lowest = struct.unpack(">hh", content.read(4))
        _skip_tags(content)
        yield name, highest


def _tags(answer: io.BytesIO) -> Iterator[tuple[int, bytes]]:
    for _ in range(_varint(answer)):
        tag, length = _varint(answer), _varint(answer)
        yield tag, answer.read(length)


def _skip_tags(answer: io.BytesIO) -> None:
    for _ in _tags(answer):
        pass


def _varint(answer: io.BytesIO) -> int:
    number, shift = 0, 0
    while True:
        byte = answer.read(1)
        if not byte:
            raise EOFError("the answer is cut off")
        number |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return number
        shift += 7
