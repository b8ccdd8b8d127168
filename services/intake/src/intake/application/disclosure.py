"""The two ways in which personal data leaves this service: the notifier's look-up, and one officer's look at one reporter."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from intake.adapters.personal_data import Found, PersonalData, Read, cases_of, erase
from intake.adapters.store import read_case_status
from intake.domain.receipts import access_code_hash, new_access_code
from intake.entrypoints.schemas import Contact, ContactRequest, ContactsFound, DisclosedReporter, MissingContact
from intake.metrics import READS
from tuntas_chassis.clock import Clock
from tuntas_chassis.http.auth import Principal
from tuntas_chassis.http.problems import Problem
from tuntas_chassis.messaging.messages import Outgoing
from tuntas_chassis.messaging.outbox import Outbox
from tuntas_chassis.persistence.database import Database
from tuntas_chassis.telemetry.metrics import MetricSet
from tuntas_contracts.cases import ReporterErased
from tuntas_contracts.topology import CASES
from tuntas_contracts.vocabulary import Role

# Only of reports that somebody else entered, and that have an address: of all others the reporter holds the code.
_RENEW_CODES: Final = text(
    "UPDATE report AS r SET access_hash = x.access_hash "
    "FROM unnest(CAST(:case_ids AS uuid[]), CAST(:access_hashes AS bytea[])) AS x (case_id, access_hash) "
    "WHERE r.case_id = x.case_id AND r.entered_by IS NOT NULL AND NOT r.assisted RETURNING r.case_id"
)
_REPORT: Final = text("SELECT reporter_ref, anonymous, misconduct FROM report WHERE case_id = :case_id")


class Disclosures:
    """Hands out personal data to who may have it, and writes down that it did."""

    def __init__(
        self, database: Database, outbox: Outbox, personal_data: PersonalData, pepper: bytes, clock: Clock, metrics: MetricSet
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._personal_data = personal_data
        self._pepper = pepper
        self._clock = clock
        self._metrics = metrics

    async def contacts(self, wanted: Sequence[ContactRequest], reader: Principal) -> ContactsFound:
        """Contacts for a service that tells reporters of their cases, with a new access code where one is asked for and due.

        A code that was made before and did not arrive is void then.
        """
        async with self._database.begin() as connection:
            reads = [Read(item.reporter_ref, item.case_id, item.purpose) for item in wanted]
            results = await self._personal_data.read(connection, reads, reader.subject, self._clock.now())
            reachable = [
                item.case_id
                for item, result in zip(wanted, results, strict=True)
                if item.access_code and isinstance(result, Found) and result.own.email is not None
            ]
            codes = await self._new_codes(connection, reachable) if reachable else {}
        contacts: list[Contact] = []
        missing: list[MissingContact] = []
        for item, result in zip(wanted, results, strict=True):
            if isinstance(result, Found):
                contacts.append(
                    Contact(
                        reporter_ref=item.reporter_ref,
                        case_id=item.case_id,
                        tracking_id=result.tracking_id,
                        language=result.language,
                        name=result.own.name,
                        email=result.own.email,
                        phone=result.own.phone,
                        access_code=codes.get(item.case_id),
                    )
                )
            else:
                missing.append(MissingContact(reporter_ref=item.reporter_ref, case_id=item.case_id, reason=result))
        self._metrics.inc(READS, "service", by=len(contacts))
        return ContactsFound(contacts=contacts, missing=missing)

    async def _new_codes(self, connection: AsyncConnection, case_ids: Sequence[UUID]) -> Mapping[UUID, str]:
        made = {case_id: new_access_code() for case_id in case_ids}
        hashes = [access_code_hash(self._pepper, case_id, code) for case_id, code in made.items()]
        renewed = await connection.execute(_RENEW_CODES, {"case_ids": list(made), "access_hashes": hashes})
        return {case_id: made[case_id] for case_id in renewed.scalars()}

    async def reporter_of(self, case_id: UUID, reason: str, officer: Principal) -> DisclosedReporter:
        """Name and contact of the reporter of a case that lies with the officer's agency.

        Raises Problem 403 for anonymous reports, other agencies' cases and reports of misconduct (which only a national
        administrator may look into), 404 for an unknown case, 410 after erasure.
        """
        async with self._database.begin() as connection:
            row = (await connection.execute(_REPORT, {"case_id": case_id})).one_or_none()
            if row is None:
                raise _no_case(case_id)
            await self._check_scope(connection, case_id, officer, misconduct=row.misconduct)
            if row.anonymous:
                raise Problem(
                    403,
                    "The reporter is anonymous",
                    "Write to the reporter through the case; their name is told to nobody.",
                    "anonymous_report",
                )
            read = Read(row.reporter_ref, case_id, f"disclosure: {reason}")
            [result] = await self._personal_data.read(connection, [read], officer.subject, self._clock.now())
        if not isinstance(result, Found):
            if result == "erased":
                raise Problem(
                    410, "The reporter's data is erased", "It was erased at the reporter's wish; the case goes on without.", "erased"
                )
            raise _no_case(case_id)
        self._metrics.inc(READS, "officer")
        return DisclosedReporter(case_id=case_id, name=result.own.name, email=result.own.email, phone=result.own.phone)

    async def _check_scope(self, connection: AsyncConnection, case_id: UUID, officer: Principal, *, misconduct: bool) -> None:
        if Role.NATIONAL_ADMINISTRATOR in officer.roles:
            return
        agency = (await read_case_status(connection, case_id)).agency
        if agency is None or misconduct:
            raise Problem(
                403, "Not your agency's case", "The case does not lie with your agency; ask the national administrator.", "other_agency"
            )
        officer.act_for(agency)

    async def erase(self, reporter_ref: UUID) -> None:
        """Destroy a reporter's personal data (UU 27/2022); raises Problem 404 where there is none.

        The event that tells of it has it done again, should this database ever be put back to a time before.
        """
        async with self._database.begin() as connection:
            now = self._clock.now()
            cases = await cases_of(connection, reporter_ref)
            if not await erase(connection, {reporter_ref: now}):
                raise Problem(404, "Nothing to erase", "No such reporter, or their data is erased already.", "unknown_reporter")
            events = [ReporterErased(case_id=case_id, reporter_ref=reporter_ref, occurred_at=now) for case_id in cases]
            await self._outbox.write(connection, [Outgoing(CASES.name, str(event.case_id), event, now) for event in events])
        self._outbox.written()


def _no_case(case_id: UUID) -> Problem:
    return Problem(404, "No such case", f"intake has no personal data for case {case_id}; check the id.", "unknown_case")
