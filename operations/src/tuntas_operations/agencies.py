"""Changes of the agency register, over dispatch's HTTP, with the topics of the agencies that are new."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dispatch.domain.register import Agency, Fault, RegisterError
from dispatch.domain.register_additions import check_additions, read_additions
from dispatch.domain.register_changes import fields_of
from dispatch.domain.register_tables import AGENCY_COLUMNS, Row
from tuntas_contracts.open_values import member_or_text
from tuntas_contracts.topology import TOPICS, Topic
from tuntas_contracts.vocabulary import AgencyKind, Service
from tuntas_operations.broker_users import provide_rights
from tuntas_operations.credentials import Credentials
from tuntas_operations.errors import StackError
from tuntas_operations.installation import Installation
from tuntas_operations.rights import BrokerUser, agency_user
from tuntas_operations.services_http import Json, Refused, ServicesHttp
from tuntas_operations.topics import TopicSpec, create_topics
from tuntas_reference.categories import Sector

Read = Callable[[Mapping[str, Agency]], list[Agency]]


class RegisterRefused(StackError):
    """Rows that the register can't take, or an agency that it does not have. `faults` has a line for each."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = list(faults)


@dataclass(frozen=True, slots=True)
class Entered:
    """What came of one agency: added, changed, enabled again or unchanged; its topics, and the rights that its user needs."""

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


def import_file(installation: Installation, file: Path, units: Path | None, reason: str) -> Imported:
    """Bring the agencies of a CSV file into the register; see `read_additions`. `reason` is for the audit.

    Raises:
        RegisterRefused: with every fault of every row; nothing was changed.
        StackError: dispatch or the broker can't be reached, or refuse.
    """
    return _enter(installation, lambda known: read_additions(file, units, known), reason)


def add(installation: Installation, cells: Mapping[str, str], reason: str) -> Imported:
    """Bring one agency into the register, or change it. `cells` are named as the file's columns. Raises as `import_file`."""

    def read(known: Mapping[str, Agency]) -> list[Agency]:
        faults: list[Fault] = []
        row = Row(cells["code"], 0, {column: cells.get(column, "").strip() for column in AGENCY_COLUMNS}, faults)
        return check_additions([row], [], known, faults)

    return _enter(installation, read, reason)


def disable_agency(installation: Installation, code: str, reason: str) -> bool:
    """Let an agency get no more cases; False if it was disabled before.

    Raises StackError where dispatch can't be reached, or refuses: the register has no such agency, somebody else changes it.
    """
    with ServicesHttp(installation) as http:
        found = http.call(Service.DISPATCH, "GET", f"/v1/agencies/{code}")
        if found["enabled"]:
            body = {"reason": reason, "enabled": False}
            http.call(Service.DISPATCH, "PATCH", f"/v1/agencies/{code}", body=body, if_match=found["version"])
    return bool(found["enabled"])


def _enter(installation: Installation, read: Read, reason: str) -> Imported:
    bootstrap = installation.needs_kafka()
    with ServicesHttp(installation) as http:
        known = _known(http)
        try:
            agencies = read({code: found.agency for code, found in known.items()})
        except RegisterError as error:
            raise RegisterRefused([str(fault) for fault in error.faults]) from error
        specs = [TopicSpec(name, topic.partitions, topic.config) for agency in agencies for name, topic in _family(agency.code)]
        # before the register says that cases may go there
        made = create_topics(bootstrap, specs, client=installation.kafka_client)
        given = _give_rights(installation, [agency.code for agency in agencies])
        entries = [_entry(agency, known[agency.code].version if agency.code in known else None) for agency in agencies]
        try:
            answer = http.call(Service.DISPATCH, "POST", "/v1/agencies", body={"reason": reason, "agencies": entries})
        except Refused as error:
            if error.faults:
                raise RegisterRefused(error.faults) from error
            raise
    outcomes = {row["code"]: row["outcome"] for row in answer["agencies"]}
    return Imported([_entered(agency, outcomes[agency.code]) for agency in agencies], made, given)


@dataclass(frozen=True, slots=True)
class _Known:
    """An agency as dispatch shows it in its list: without its units."""

    agency: Agency
    version: str


def _known(http: ServicesHttp) -> dict[str, _Known]:
    known: dict[str, _Known] = {}
    query = {"limit": "200"}
    while True:
        page = http.call(Service.DISPATCH, "GET", "/v1/agencies", query=query)
        known |= {row["code"]: _Known(_agency(row), row["version"]) for row in page["agencies"]}
        if page["next_cursor"] is None:
            return known
        query["cursor"] = page["next_cursor"]


def _agency(shown: Json) -> Agency:
    return Agency(
        code=shown["code"],
        name=shown["name"],
        kind=member_or_text(AgencyKind, shown["kind"]),
        time_zone=shown["time_zone"],
        email=next(channel["address"] for channel in shown["channels"] if channel["kind"] == "email"),
        sectors=tuple(Sector(sector) for sector in shown["sectors"]),
        units=(),
        region_code=shown["region_code"],
        supervised_by=shown["supervised_by"],
    )


def _entry(agency: Agency, version: str | None) -> Json:
    entry = fields_of(agency) | {"code": agency.code, "version": version}
    if not agency.units:  # nothing was said of them, and they stay as they are
        entry["units"] = None
    return entry


def _give_rights(installation: Installation, codes: Sequence[str]) -> bool:
    """On the local stack's own broker; on a cluster users and rights are declared elsewhere, beside the topics."""
    username, password = (installation.kafka_client.get(f"sasl.{name}") for name in ("username", "password"))
    if not installation.local or not username or not password:
        return False
    provide_rights(installation.needs_kafka(), Credentials(username, password), [agency_user(code) for code in codes])
    return True


def _entered(agency: Agency, outcome: str) -> Entered:
    topics = tuple(name for name, _ in _family(agency.code))
    return Entered(agency.code, agency.name, outcome, topics, agency_user(agency.code))


def _family(code: str) -> list[tuple[str, Topic]]:
    return [(topic.for_agency(code), topic) for topic in TOPICS if topic.per_agency]
