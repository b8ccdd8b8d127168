"""The two ways in which personal data leaves this service: the notifier's look-up, and one officer's look at one reporter."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from intake.application.errors import AnonymousReporter, NothingToErase, OtherAgencysCase, ReporterDataErased, UnknownCase
from intake.application.ports import Caller, CaseHistory, Database, Found, Missing, Outbox, PersonalData, Read, Reports
from intake.domain.masking import OwnData
from intake.domain.receipts import access_code_hash, new_access_code
from intake.metrics import READS
from tuntas_chassis.clock import Clock
from tuntas_chassis.messaging.messages import Outgoing
from tuntas_chassis.persistence.database import Transaction
from tuntas_chassis.telemetry.metrics import MetricSet
from tuntas_contracts.cases import ReporterErased
from tuntas_contracts.topology import CASES
from tuntas_contracts.vocabulary import Role


class Contacts(NamedTuple):
    """What was found for each read, in order, and the new access codes by case."""

    results: Sequence[Found | Missing]
    access_codes: Mapping[UUID, str]


class Disclosures:
    """Hands out personal data to who may have it, and writes down that it did."""

    def __init__(
        self,
        reports: Reports,
        history: CaseHistory,
        personal_data: PersonalData,
        database: Database,
        outbox: Outbox,
        clock: Clock,
        pepper: bytes,
        metrics: MetricSet,
    ) -> None:
        self._reports = reports
        self._history = history
        self._personal_data = personal_data
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._pepper = pepper
        self._metrics = metrics

    async def contacts(self, reads: Sequence[Read], codes_wanted: Collection[UUID], reader: Caller) -> Contacts:
        """Contacts for a service that notifies reporters of their cases, with a new access code for those cases where one is due.

        A code that was made before and did not arrive is void then.
        """
        async with self._database.begin() as connection:
            results = await self._personal_data.read(connection, reads, reader.subject, self._clock.now())
            reachable = [
                read.case_id
                for read, result in zip(reads, results, strict=True)
                if read.case_id in codes_wanted and isinstance(result, Found) and result.own.email is not None
            ]
            codes = await self._new_codes(connection, reachable) if reachable else {}
        self._metrics.inc(READS, "service", by=sum(isinstance(result, Found) for result in results))
        return Contacts(results, codes)

    async def _new_codes(self, connection: Transaction, case_ids: Sequence[UUID]) -> Mapping[UUID, str]:
        made = {case_id: new_access_code() for case_id in case_ids}
        hashes = {case_id: access_code_hash(self._pepper, case_id, code) for case_id, code in made.items()}
        return {case_id: made[case_id] for case_id in await self._reports.renew_codes(connection, hashes)}

    async def reporter_of(self, case_id: UUID, reason: str, officer: Caller) -> OwnData:
        """Name and contact of the reporter of a case that lies with the officer's agency.

        Raises:
            UnknownCase: there is no such case.
            OtherAgencysCase: it lies elsewhere, or is about misconduct, which only a national administrator may look into.
            AnonymousReporter: the reporter is disclosed to no one.
            ReporterDataErased: the data is gone.
        """
        async with self._database.begin() as connection:
            reporter = await self._reports.reporter_of(connection, case_id)
            if reporter is None:
                raise UnknownCase(case_id)
            await self._check_scope(connection, case_id, officer, misconduct=reporter.misconduct)
            if reporter.anonymous:
                raise AnonymousReporter(f"the reporter of case {case_id} is anonymous")
            read = Read(reporter.reporter_ref, case_id, f"disclosure: {reason}")
            [result] = await self._personal_data.read(connection, [read], officer.subject, self._clock.now())
        if not isinstance(result, Found):
            raise ReporterDataErased(f"the data of case {case_id} is erased") if result == "erased" else UnknownCase(case_id)
        self._metrics.inc(READS, "officer")
        return result.own

    async def _check_scope(self, connection: Transaction, case_id: UUID, officer: Caller, *, misconduct: bool) -> None:
        if Role.NATIONAL_ADMINISTRATOR in officer.roles:
            return
        agency = (await self._history.status(connection, case_id)).agency
        if misconduct or agency is None or agency != officer.agency:
            raise OtherAgencysCase(f"case {case_id} is not for {officer.agency}")

    async def erase(self, reporter_ref: UUID) -> None:
        """Destroy a reporter's personal data (UU 27/2022); raises NothingToErase where there is none.

        Its event has it done again, should this database ever be put back to a time before.
        """
        async with self._database.begin() as connection:
            now = self._clock.now()
            cases = await self._personal_data.cases_of(connection, reporter_ref)
            if not await self._personal_data.erase(connection, {reporter_ref: now}):
                raise NothingToErase(f"nothing is kept of reporter {reporter_ref}")
            events = [ReporterErased(case_id=case_id, reporter_ref=reporter_ref, occurred_at=now) for case_id in cases]
            await self._outbox.write(connection, [Outgoing(CASES.name, str(event.case_id), event, now) for event in events])
        self._outbox.written()
