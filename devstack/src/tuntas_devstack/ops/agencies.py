"""Changes of dispatch's agency register, with the topics of the agencies that are new."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from dispatch.adapters.register_store import StoredAgency, read_all
from dispatch.app import build
from dispatch.domain.register import Agency, Fault, RegisterError, UnknownAgencyError
from dispatch.domain.register_additions import check_additions, read_additions
from dispatch.domain.register_tables import AGENCY_COLUMNS, Row
from dispatch.loading import disable, enter
from dispatch.settings import Settings
from tuntas_chassis.service import ServiceApp
from tuntas_contracts.topology import TOPICS, Topic
from tuntas_contracts.vocabulary import Service
from tuntas_devstack.errors import StackError, Unreachable
from tuntas_devstack.k8s.rights import BrokerUser, agency_user
from tuntas_devstack.kafka.access import Credentials
from tuntas_devstack.kafka.users import provide_rights
from tuntas_devstack.ops.databases import connected, place_of
from tuntas_devstack.ops.installation import Installation
from tuntas_devstack.topics import TopicSpec, create_topics

_NO_ISSUER = "http://127.0.0.1:1"  # a setting that every service must have; nothing here asks it
Read = Callable[[Mapping[str, Agency]], list[Agency]]


class RegisterRefused(StackError):
    """Rows that the register can't take, or an agency that it does not have. `faults` has a line for each."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = list(faults)


@dataclass(frozen=True, slots=True)
class Entered:
    """What came of one agency: `added`, `changed`, `enabled` again or `unchanged`; its topics, and the rights its user needs."""

    code: str
    name: str
    outcome: str
    topics: tuple[str, ...]
    user: BrokerUser


@dataclass(frozen=True, slots=True)
class Imported:
    """An import: every agency of it, how many topics were made, and whether the agencies' users have their rights already."""

    agencies: Sequence[Entered]
    topics_made: int
    rights_given: bool


def import_file(installation: Installation, file: Path, units: Path | None) -> Imported:
    """Bring the agencies of a CSV file into the register; see `read_additions`.

    Raises:
        RegisterRefused: with every fault of every row; nothing was changed.
        StackError: broker or database can't be reached, or refuse.
    """
    return asyncio.run(_enter(installation, lambda known: read_additions(file, units, known)))


def add(installation: Installation, cells: Mapping[str, str]) -> Imported:
    """Bring one agency into the register, or change it. `cells` are named as the file's columns. Raises as `import_file`."""

    def read(known: Mapping[str, Agency]) -> list[Agency]:
        faults: list[Fault] = []
        row = Row(cells["code"], 0, {column: cells.get(column, "").strip() for column in AGENCY_COLUMNS}, faults)
        return check_additions([row], [], known, faults)

    return asyncio.run(_enter(installation, read))


def disable_agency(installation: Installation, code: str) -> bool:
    """Let an agency get no more cases; False if it was disabled before.

    Raises:
        RegisterRefused: the register has no such agency.
        StackError: the database can't be reached.
    """
    return asyncio.run(_disable(installation, code))


async def _enter(installation: Installation, read: Read) -> Imported:
    async with _dispatch(installation) as app:
        async with app.database.connect() as connection:
            stored = await read_all(connection)
        try:
            agencies = read({code: found.agency for code, found in stored.items()})
        except RegisterError as error:
            raise RegisterRefused([str(fault) for fault in error.faults]) from error
        specs = [TopicSpec(name, topic.partitions, topic.config) for agency in agencies for name, topic in _family(agency.code)]
        # before the register says that cases may go there
        bootstrap, client = installation.needs_kafka(), installation.kafka_client
        made = await asyncio.to_thread(create_topics, bootstrap, specs, client=client)
        given = await asyncio.to_thread(_give_rights, installation, [agency.code for agency in agencies])
        await enter(app, agencies)
    return Imported([_entered(agency, stored.get(agency.code)) for agency in agencies], made, given)


async def _disable(installation: Installation, code: str) -> bool:
    async with _dispatch(installation) as app:
        try:
            return await disable(app, code)
        except UnknownAgencyError as error:
            raise RegisterRefused([str(error)]) from error


@asynccontextmanager
async def _dispatch(installation: Installation) -> AsyncIterator[ServiceApp]:
    """Dispatch's own code on its database; the running service's relay publishes what is written."""
    url = installation.needs_database(Service.DISPATCH)
    async with connected(installation, Service.DISPATCH):
        pass  # says in a sentence what is wrong with the connection
    settings = Settings(
        environment="development" if installation.local else "production",
        kafka=installation.needs_kafka(),
        database_url=url,
        oidc_issuer=installation.issuer or _NO_ISSUER,
        simulated_clock=installation.simulated_clock,
        trace_ratio=0,
        otlp_endpoint=None,
    )
    app = build(settings)
    try:
        yield app
    except DBAPIError as error:
        raise Unreachable(f"dispatch's database at {place_of(url)} refuses: {error.orig}: see `tuntas ops doctor`") from error
    finally:
        app.tracing.close()
        await app.database.close()


def _give_rights(installation: Installation, codes: Sequence[str]) -> bool:
    """On the local stack's own broker; on a cluster users and rights are declared elsewhere, beside the topics."""
    username, password = (installation.kafka_client.get(f"sasl.{name}") for name in ("username", "password"))
    if not installation.local or not username or not password:
        return False
    provide_rights(installation.needs_kafka(), Credentials(username, password), [agency_user(code) for code in codes])
    return True


def _entered(agency: Agency, before: StoredAgency | None) -> Entered:
    if before is None:
        outcome = "added"
    elif not before.enabled:
        outcome = "enabled again"
    else:
        outcome = "unchanged" if before.agency == agency else "changed"
    topics = tuple(name for name, _ in _family(agency.code))
    return Entered(agency.code, agency.name, outcome, topics, agency_user(agency.code))


def _family(code: str) -> list[tuple[str, Topic]]:
    return [(topic.for_agency(code), topic) for topic in TOPICS if topic.per_agency]
