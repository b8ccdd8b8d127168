"""What is done to broker, database and mail server, and undone again."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import asyncpg
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # they are there, their stubs are not
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from tuntas_devstack.stack import Stack
from tuntas_operations.topics import create_topics, topics_for

_WITHIN_S = 30.0
_BYTE_EVERY_S = 0.5


def admin_of(stack: Stack) -> AdminClient:
    """A client of the broker that may do everything."""
    return AdminClient({"bootstrap.servers": stack.state.kafka, "log_level": 0, **stack.kafka_client()})


@asynccontextmanager
async def right_taken(stack: Stack, user: str, topic: str, operation: AclOperation = AclOperation.WRITE) -> AsyncIterator[None]:
    """Forbid a user to write to one topic, or another operation."""
    admin, principal = admin_of(stack), f"User:{user}"
    rule = AclBinding(ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, principal, "*", operation, AclPermissionType.DENY)
    same = AclBindingFilter(ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, principal, "*", operation, AclPermissionType.DENY)
    await _all(admin.create_acls([rule], request_timeout=_WITHIN_S))
    try:
        yield
    finally:
        await _all(admin.delete_acls([same], request_timeout=_WITHIN_S))


@asynccontextmanager
async def topic_deleted(stack: Stack, topic: str) -> AsyncIterator[None]:
    """Delete a topic with all its records; at the end it is created again, as `tuntas ops topics apply` does."""
    admin = admin_of(stack)  # it answers only as long as it is kept
    await _all(admin.delete_topics([topic], request_timeout=_WITHIN_S))
    try:
        yield
    finally:
        [spec] = [spec for spec in topics_for(stack.state.agencies) if spec.name == topic]
        await asyncio.to_thread(create_topics, stack.state.kafka, [spec], client=stack.kafka_client())


@asynccontextmanager
async def database_read_only(stack: Stack, name: str) -> AsyncIterator[None]:
    """Let a service's database refuse all writing, as the former primary does while another takes over: new sessions and old ones."""

    async def set_to(value: str) -> None:
        connection = await asyncpg.connect(stack.database_url("admin"))
        try:
            await connection.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = {value}')
            await connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
        finally:
            await connection.close()

    await set_to("on")
    try:
        yield
    finally:
        await set_to("off")


@asynccontextmanager
async def foreign_transaction(stack: Stack, name: str) -> AsyncIterator[None]:
    """Leave a transaction open that has written nothing but holds a number, as a forgotten psql of the service's role does."""
    connection = await asyncpg.connect(stack.database_url(name), server_settings={"application_name": "psql"})
    transaction = connection.transaction()
    try:
        await transaction.start()
        await connection.fetchval("SELECT pg_current_xact_id()")
        yield
        await transaction.rollback()
    finally:
        await connection.close(timeout=10)


@asynccontextmanager
async def mail_refused(stack: Stack) -> AsyncIterator[None]:
    """Let the mail server put off every mail with a passing error."""
    file = stack.folder.path / "mail-faults.json"
    file.write_text(json.dumps({"kind": "defer", "remaining": 10**6}), encoding="utf-8")
    try:
        yield
    finally:
        file.write_text(json.dumps({"kind": "defer", "remaining": 0}), encoding="utf-8")


@asynccontextmanager
async def frozen(stack: Stack, *parts: str) -> AsyncIterator[None]:
    """Freeze parts (SIGSTOP)."""
    for part in parts:
        await asyncio.to_thread(stack.freeze, part)
    try:
        yield
    finally:
        for part in parts:
            await asyncio.to_thread(stack.thaw, part)


@asynccontextmanager
async def cut_off(stack: Stack, *proxies: str) -> AsyncIterator[None]:
    """Let these proxies forward nothing: the services behind them are cut off from the broker or the database."""
    for name in proxies:
        stack.proxies[name].hold()
    try:
        yield
    finally:
        for name in proxies:
            stack.proxies[name].release()


@asynccontextmanager
async def slow_requests(stack: Stack, part: str, clients: int) -> AsyncIterator[Callable[[], int]]:
    """Let so many clients open connections to a service and send their requests byte by byte; one that is closed opens no other.

    Gives a function that says how many of them still send.
    """
    host, port = stack.state.part(part).address.split(":")
    head = b"POST /v1/reports HTTP/1.1\r\nHost: intake\r\nContent-Length: 100000\r\nX-Slow: " + b"a" * 10**4

    async def one() -> None:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(host, int(port))
            try:
                for byte in head:
                    writer.write(bytes([byte]))
                    await writer.drain()
                    await asyncio.sleep(_BYTE_EVERY_S)
            finally:
                writer.close()

    sending = [asyncio.create_task(one()) for _ in range(clients)]
    try:
        yield lambda: sum(not task.done() for task in sending)
    finally:
        for task in sending:
            task.cancel()
        await asyncio.gather(*sending, return_exceptions=True)


async def _all(answers: object) -> None:
    for answer in answers.values():  # type: ignore[attr-defined]
        await asyncio.to_thread(answer.result)
