"""The units of every agency in memory, because decisions do no I/O."""

from collections.abc import Iterable, Mapping

from dispatch.adapters.register_store import read_units
from dispatch.domain.register_entries import Agency
from tuntas_chassis.persistence.database import Database
from tuntas_chassis.set_aside_rows import count_set_aside, fault_of, show_set_aside
from tuntas_chassis.telemetry.logs import logger
from tuntas_chassis.telemetry.metrics import MetricSet

SET_ASIDE = "agency"
_WHILE_EMPTY_S = 1.0
_log = logger(__name__)


class RegisterSnapshot:
    """Read at the start and again at intervals; while nothing was loaded yet, every second."""

    def __init__(self, database: Database, metrics: MetricSet, refresh_s: float) -> None:
        self._database = database
        self._metrics = metrics
        self._refresh_s = refresh_s
        self._units: Mapping[str, frozenset[str]] = {}
        self._unreadable: set[str] = set()
        count_set_aside(metrics, SET_ASIDE, 0)

    def units_of(self, agency: str) -> frozenset[str]:
        """The codes of an agency's units; none for an agency that is not in the register."""
        return self._units.get(agency, frozenset())

    def take(self, agencies: Iterable[Agency]) -> None:
        """Know at once what this process has just written."""
        self._units = {**self._units, **{agency.code: frozenset(unit.code for unit in agency.units) for agency in agencies}}

    async def refresh(self) -> float:
        """Read the register now; returns the seconds until it should be read again.

        An entry that this code can't read, most often one of a later release, is set aside: its agency keeps the units that were
        known of it, and all others go on.
        """
        async with self._database.connect() as connection:
            units, faults = await read_units(connection)
        self._units = {**{code: self.units_of(code) for code in faults}, **units}
        for code, fault in faults.items():
            if code not in self._unreadable:
                count_set_aside(self._metrics, SET_ASIDE, 1)
                _log.error("agency_set_aside", agency=code, why=fault_of(fault))
        self._unreadable = set(faults)
        show_set_aside(self._metrics, SET_ASIDE, len(faults))
        self._metrics.set("tuntas_dispatch_register_agencies", len(self._units))
        return self._refresh_s if self._units else min(_WHILE_EMPTY_S, self._refresh_s)
