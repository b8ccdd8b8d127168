"""Whether everyone who routes and writes by the agency register has read it: before that, a report could miss its agency."""

import asyncio
import time

import asyncpg

from tuntas_operations.errors import PartFailed

_LOOK_AGAIN_S = 0.1
_UNSENT = "SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM outbox_set_aside)"
_READERS = {"triage": "SELECT count(*) FROM agency", "notifier": "SELECT count(*) FROM agency_contact"}
_OWNER = "SELECT count(*) FROM agency"


def wait_until_known(urls: dict[str, str], within_s: float) -> None:
    """Return when each reader among `urls` (databases by module name) has as many agencies as dispatch has.

    Raises:
        PartFailed: one has not in time.
    """
    asyncio.run(_wait(urls, time.monotonic() + within_s))


async def _wait(urls: dict[str, str], deadline: float) -> None:
    readers = {name: query for name, query in _READERS.items() if name in urls}
    connections = {name: await asyncpg.connect(urls[name]) for name in ("dispatch", *readers)}
    try:
        while True:
            agencies = await connections["dispatch"].fetchval(_OWNER)
            unsent = await connections["dispatch"].fetchval(_UNSENT)
            behind = [name for name, query in readers.items() if await connections[name].fetchval(query) < agencies]
            if not unsent and not behind:
                return
            if time.monotonic() > deadline:
                who = behind[0] if behind else "dispatch"
                raise PartFailed(who, f"{who} has not passed on the agency register of {agencies} agencies: look at its log")
            await asyncio.sleep(_LOOK_AGAIN_S)
    finally:
        for connection in connections.values():
            await connection.close()
