"""The whole examination: what can be looked at at once is."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from tuntas_contracts.vocabulary import Service
from tuntas_operations.doctor.broker import reach
from tuntas_operations.doctor.clocks import broker_clock
from tuntas_operations.doctor.databases import database
from tuntas_operations.doctor.findings import Finding
from tuntas_operations.doctor.http_parts import collector, issuer, service
from tuntas_operations.doctor.mail import mail
from tuntas_operations.doctor.rights import own_rights, platform_rights
from tuntas_operations.doctor.topics import topics
from tuntas_operations.installation import Installation

Now = Callable[[], float]


def examine(installation: Installation, now: Now = time.time) -> list[Finding]:
    """Every finding, part by part. `now` is this machine's clock, in seconds since 1970. Raises nothing for what is broken."""
    with ThreadPoolExecutor(max_workers=8, thread_name_prefix="doctor") as pool:
        parts: list[Future[list[Finding]]] = [pool.submit(_kafka, installation, now)]
        parts += [pool.submit(_database, installation, one, now) for one in Service]
        parts += [pool.submit(service, installation, one, now) for one in Service]
        parts.append(pool.submit(issuer, installation))
        single = [pool.submit(look, installation) for look in (mail, collector)]
        return [*(finding for part in parts for finding in part.result()), *(part.result() for part in single)]


def _kafka(installation: Installation, now: Now) -> list[Finding]:
    administration, found = reach(installation)
    if administration is None:
        return found
    return [
        *found,
        own_rights(administration),
        *platform_rights(administration),
        *topics(installation),
        broker_clock(installation, administration, now),
    ]


def _database(installation: Installation, one: Service, now: Now) -> list[Finding]:
    return asyncio.run(database(installation, one, now))
