"""A proxy that forwards, holds everything back, and continues without losing a byte."""

import socket
import threading
from collections.abc import Iterator

import pytest

from tuntas_embedded.ports import LOOPBACK, free_port
from tuntas_embedded.tcp_proxy import TcpProxy


class Echo:
    """A server that sends back what it gets."""

    def __init__(self) -> None:
        self.port = free_port()
        self._listener = socket.create_server((LOOPBACK, self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    @staticmethod
    def _serve(connection: socket.socket) -> None:
        with connection:
            while data := connection.recv(4096):
                connection.sendall(data)

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def proxy() -> Iterator[TcpProxy]:
    echo = Echo()
    with TcpProxy(free_port(), echo.port) as proxy:
        yield proxy
    echo.close()


def connect(proxy: TcpProxy) -> socket.socket:
    return socket.create_connection((LOOPBACK, proxy.port), timeout=10)


def test_bytes_go_through_in_both_directions(proxy: TcpProxy) -> None:
    with connect(proxy) as client:
        client.sendall(b"hello")
        assert client.recv(100) == b"hello"
        client.shutdown(socket.SHUT_WR)
        assert client.recv(100) == b"", "the end of a connection is forwarded too"


def test_while_it_holds_nothing_is_answered_and_nothing_is_refused_and_nothing_is_lost(proxy: TcpProxy) -> None:
    with connect(proxy) as before:
        before.sendall(b"one")
        assert before.recv(100) == b"one"
        proxy.hold()
        before.sendall(b"two")
        with connect(proxy) as during:
            during.sendall(b"three")
            for client in (before, during):
                client.settimeout(0.2)
                with pytest.raises(TimeoutError):
                    client.recv(100)
                client.settimeout(10)
            proxy.release()
            assert before.recv(100) == b"two"
            assert during.recv(100) == b"three"


def test_the_end_of_the_proxy_is_the_end_of_its_connections(proxy: TcpProxy) -> None:
    with connect(proxy) as client:
        client.sendall(b"hello")
        assert client.recv(100) == b"hello"
        proxy.stop()
        try:
            rest = client.recv(100)
        except ConnectionError:
            rest = b""
        assert rest == b""
