"""Connections whose other end is gone without notice: they fail within a bounded time, and the pools are replaced."""

import asyncio
import socket
from collections.abc import AsyncIterator
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from tests.support.database import execute
from tests.support.servers import Servers
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import until
from tuntas_chassis.persistence.connections import UNACKNOWLEDGED_S, client_options
from tuntas_chassis.persistence.database import Database, is_transient
from tuntas_chassis.settings import ServiceSettings


def _database(url: str, **options: object) -> Database:
    values: dict[str, object] = {
        "environment": "test",
        "kafka": "127.0.0.1:1",
        "database_url": SecretStr(url),
        "oidc_issuer": "http://127.0.0.1:1",
        "database_pool_size": 4,
        "database_command_timeout_s": 2,
        "database_read_timeout_s": 1,
    }
    return Database(ServiceSettings.model_validate(values | options), "tests")


@pytest.fixture
async def proxy(servers: Servers) -> AsyncIterator[TcpProxy]:
    made = await TcpProxy.before(servers.admin_url)
    yield made
    await made.close()


async def _open_all(database: Database, count: int) -> None:
    """Have the pool hold `count` connections."""
    arrived = asyncio.Barrier(count)

    async def one() -> None:
        async with database.connect() as connection:
            await connection.execute(text("SELECT 1"))
            await arrived.wait()

    await asyncio.gather(*(one() for _ in range(count)))


async def test_a_connection_that_is_not_forwarded_fails_in_time_and_the_pool_recovers(servers: Servers, proxy: TcpProxy) -> None:
    database = _database(proxy.through(servers.database()))
    await _open_all(database, 4)
    assert proxy.cut() == 4
    started = monotonic()
    with pytest.raises((SQLAlchemyError, OSError)) as caught:
        async with database.begin() as connection:
            await connection.execute(text("SELECT 1"))
    assert is_transient(caught.value)
    assert monotonic() - started < 20
    started = monotonic()
    for _ in range(8):  # the other three were as dead as the first
        async with database.begin() as connection:
            assert await connection.scalar(text("SELECT 1")) == 1
    assert monotonic() - started < 10
    await database.close()


async def test_both_ends_of_every_connection_watch_the_other(servers: Servers) -> None:
    url = servers.database()
    database = _database(url)
    raw = await database.raw()
    async with database.connect() as work, database.read() as read:
        for connection in (work, read):
            found = (await connection.execute(text("SELECT name, setting FROM pg_settings WHERE name LIKE 'tcp_%'"))).all()
            assert {row.name: row.setting for row in found} == {
                "tcp_keepalives_idle": "10",
                "tcp_keepalives_interval": "5",
                "tcp_keepalives_count": "3",
                "tcp_user_timeout": str(UNACKNOWLEDGED_S * 1000),
            }
            driver: Any = (await connection.get_raw_connection()).driver_connection
            _assert_watches(driver._transport.get_extra_info("socket"))
        assert await work.scalar(text("SHOW idle_in_transaction_session_timeout")) == "1min"
    _assert_watches(raw._transport.get_extra_info("socket"))
    await raw.close()
    await database.close()


def _assert_watches(sock: socket.socket) -> None:
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    assert client_options()
    for name, value in client_options().items():
        assert sock.getsockopt(socket.IPPROTO_TCP, name) == value


async def test_a_read_that_takes_long_is_cancelled_and_writes_nothing(servers: Servers) -> None:
    database = _database(servers.database())
    with pytest.raises(Exception, match="statement timeout") as caught:
        async with database.read() as connection:
            await connection.execute(text("SELECT pg_sleep(30)"))
    assert is_transient(caught.value)
    with pytest.raises(Exception, match="read-only"):
        async with database.read() as connection:
            await connection.execute(text("CREATE TABLE surprise (id int)"))
    await database.close()


async def test_the_state_of_the_database_is_seen_while_work_has_every_connection(servers: Servers) -> None:
    database = _database(servers.database())
    taken = [database.connect() for _ in range(4)]
    for one in taken:
        await one.__aenter__()
    state = await database.probe.look()
    assert (state.revision, state.read_only, state.skew_s) == (None, False, 0.0)
    for one in taken:
        await one.__aexit__(None, None, None)
    await database.close()


async def test_a_server_that_became_a_standby_is_left_for_the_one_that_writes(servers: Servers) -> None:
    url = servers.database()
    name = urlsplit(url).path.lstrip("/")
    await execute(servers.admin_url, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    database = _database(url)
    await _open_all(database, 3)
    assert (await database.probe.look()).read_only
    await execute(servers.admin_url, f"ALTER DATABASE {name} RESET default_transaction_read_only")
    with pytest.raises(Exception, match="read-only") as caught:
        async with database.begin() as connection:
            await connection.execute(text("CREATE TABLE one (id int)"))
    assert is_transient(caught.value)

    async def writes() -> bool:
        async with database.begin() as connection:
            await connection.execute(text("CREATE TABLE IF NOT EXISTS one (id int)"))
        return True

    await until(writes, "the pool's other connections were replaced too", within_s=5)
    assert not (await database.probe.look()).read_only
    await database.close()
