"""A database that takes no writes for a while, as every failover leaves it: nothing is lost, nothing doubled, and callers get an error."""

from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
from fastapi import APIRouter

from tests.support.counting import Added, Summed, Tally, TallyStore
from tests.support.database import execute
from tests.support.delivery import Delivery
from tests.support.waiting import until
from tuntas_chassis.http.command_executor import CommandExecutor
from tuntas_chassis.messaging.messages import Outcome, Outgoing
from tuntas_chassis.service import ServiceApp


def _add_over_http(app: ServiceApp, topic: str) -> None:
    executor = CommandExecutor(TallyStore(), app.tables, app.outbox, app.clock, lambda: True)
    router = APIRouter()

    @router.post("/add")
    async def add() -> int:
        def decide(state: Tally | None, now: datetime) -> Outcome[Tally]:
            before = state or Tally("http")
            after = Tally("http", before.total + 1, before.steps + 1)
            return Outcome(after, (Outgoing(topic, "http", Summed(total=after.total, steps=after.steps), now),))

        done = await executor.execute("http", decide, command_id=COMMAND)
        assert done is not None
        return done.total

    app.http.include_router(router)


COMMAND = uuid4()


async def _set_read_only(delivery: Delivery, value: str) -> None:
    """As after a failover: every connection that there is ends, and those that are made meet a database that only reads."""
    name = urlsplit(delivery.database_url).path.lstrip("/")
    await execute(
        delivery.servers.admin_url,
        f"ALTER DATABASE {name} SET default_transaction_read_only = {value}",
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",
    )


async def _let_it_write(delivery: Delivery) -> None:
    """Connections made meanwhile stay read-only, as those to a former primary do: it is the service that must leave them."""
    name = urlsplit(delivery.database_url).path.lstrip("/")
    await execute(delivery.servers.admin_url, f"ALTER DATABASE {name} RESET default_transaction_read_only")


async def test_while_the_database_is_read_only_callers_get_an_error_and_all_is_done_once_afterwards(make: Callable[..., Delivery]) -> None:
    delivery = make()
    app = delivery.app()
    _add_over_http(app, delivery.outputs)
    await delivery.run(app)
    await delivery.feed([(f"k{n % 5}", Added(amount=1)) for n in range(20)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app.http), base_url="http://tests") as http:

        async def refused() -> httpx.Response | None:
            answer = await http.post("/add")
            return answer if answer.json().get("code") == "database_read_only" else None

        async def unready() -> bool:
            answer = await http.get("/readyz")
            return answer.status_code == 503 and "takes no writes" in answer.json().get("database", "")

        async def ready() -> bool:
            return (await http.get("/readyz")).status_code == 200

        await _set_read_only(delivery, "on")
        answer: httpx.Response = await until(refused, "a request that writes is refused with the reason")
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) >= 1
        await until(unready, "the service says that it can't serve")
        await delivery.feed([(f"k{n % 5}", Added(amount=1)) for n in range(30)])
        assert (await http.post("/add")).status_code == 503
        await _let_it_write(delivery)
        await until(ready, "the service is ready again")

        async def accepted() -> bool:
            return (await http.post("/add")).status_code == 200

        await until(accepted, "the same request is carried out")
        assert (await http.post("/add")).json() == 1, "and once"

    async def all_read() -> bool:
        return await delivery.totals() == {"http": (1, 1)} | {f"k{n}": (10, 10) for n in range(5)}

    await until(all_read, "what came meanwhile is added, each once")

    async def all_sent() -> bool:
        return len({identity for _, _, identity in await delivery.published()}) == 51

    await until(all_sent, "and published")
