"""The columns of the statements that write a whole batch, each with how it is taken from a domain object."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sla_monitor.adapters.clock_codec import write_clocks
from sla_monitor.adapters.folding import NewRun
from sla_monitor.domain.case_clocks import CaseClocks, Ended, Held, RunOutcome
from tuntas_chassis.persistence.bulk import BulkColumn, BulkColumns
from tuntas_contracts.vocabulary import Clock, ServiceClass, WarningLevel

CASES = BulkColumns(
    CaseClocks,
    BulkColumn("case_id", "uuid", fixed=True),
    BulkColumn("partition", "integer"),
    BulkColumn("version", "integer"),
    BulkColumn("state", "text"),
    BulkColumn("profile", "text"),
    BulkColumn("time_zone", "text"),
    BulkColumn("received_at", "timestamptz"),
    BulkColumn("agency", "text"),
    BulkColumn("unit", "text"),
    BulkColumn("service_class", "text"),
    BulkColumn("bounces", "smallint"),
    BulkColumn("responded_at", "timestamptz"),
    BulkColumn("answered_at", "timestamptz"),
    BulkColumn("clocks", "text", write_clocks, cast="jsonb"),
)
# rows as plain tuples, in the order of the columns: what is taken from several objects is taken fastest in one pass
STARTS = BulkColumns(
    tuple[
        UUID,
        Clock,
        int,
        datetime,
        datetime,
        datetime | None,
        RunOutcome,
        int | None,
        str | None,
        str | None,
        ServiceClass | None,
        bool,
        str,
        datetime | None,
    ],
    BulkColumn("case_id", "uuid"),
    BulkColumn("clock", "text"),
    BulkColumn("deadline_version", "smallint"),
    BulkColumn("started_at", "timestamptz"),
    BulkColumn("due_at", "timestamptz"),
    BulkColumn("ended_at", "timestamptz"),
    BulkColumn("outcome", "text"),
    BulkColumn("working_days", "integer"),
    BulkColumn("agency", "text"),
    BulkColumn("unit", "text"),
    BulkColumn("service_class", "text"),
    BulkColumn("provisional", "boolean"),
    BulkColumn("profile", "text"),
    BulkColumn("known_at", "timestamptz"),
)
CHECKPOINTS = BulkColumns(
    tuple[UUID, Clock, int, WarningLevel, int, datetime, bool],
    BulkColumn("case_id", "uuid"),
    BulkColumn("clock", "text"),
    BulkColumn("deadline_version", "smallint"),
    BulkColumn("level", "text"),
    BulkColumn("partition", "integer"),
    BulkColumn("fire_at", "timestamptz"),
    BulkColumn("held", "boolean"),
)
ENDS = BulkColumns(
    Ended,
    BulkColumn("case_id", "uuid", fixed=True),
    BulkColumn("clock", "text", fixed=True),
    BulkColumn("deadline_version", "smallint", fixed=True),
    BulkColumn("ended_at", "timestamptz"),
    BulkColumn("outcome", "text"),
    BulkColumn("working_days", "integer"),
)
"""How older runs ended."""
DISARMED = BulkColumns(
    tuple[UUID, Clock, datetime, bool],
    BulkColumn("case_id", "uuid"),
    BulkColumn("clock", "text"),
    BulkColumn("ended_at", "timestamptz"),
    BulkColumn("withdraws_end", "boolean"),
)
"""What decides which checkpoints of ended runs are dropped."""
HOLDS = BulkColumns(
    Held,
    BulkColumn("case_id", "uuid"),
    BulkColumn("clock", "text"),
    BulkColumn("held", "boolean"),
    BulkColumn("since", "timestamptz"),
)


def start_arrays(runs: Iterable[NewRun]) -> dict[str, list[object]]:
    """New runs, with their ends where those came in the same batch."""
    return STARTS.arrays(
        [
            (
                start.case_id,
                run.clock,
                run.deadline_version,
                run.started_at,
                run.due_at,
                end.ended_at if end else None,
                end.outcome if end else RunOutcome.RUNNING,
                end.working_days if end else None,
                start.agency,
                start.unit,
                start.service_class,
                start.provisional,
                start.profile,
                start.known_at,
            )
            for new in runs
            for start, run, end in [(new.start, new.start.run, new.end)]
        ]
    )


def checkpoint_arrays(runs: Iterable[NewRun]) -> dict[str, list[object]]:
    """The checkpoints of new runs."""
    return CHECKPOINTS.arrays(
        [
            (start.case_id, checkpoint.clock, start.run.deadline_version, checkpoint.level, start.partition, checkpoint.fire_at, held)
            for new in runs
            for start in [new.start]
            for checkpoint, held in new.checkpoints
        ]
    )


def disarm_arrays(ends: Iterable[Ended]) -> dict[str, list[object]]:
    """The clocks whose checkpoints fall away by these ends."""
    # the monitoring warning C5 hangs on C4
    return DISARMED.arrays(
        [
            (end.case_id, clock, end.ended_at, end.withdraws_end)
            for end in ends
            for clock in ((Clock.C4, Clock.C5) if end.clock is Clock.C4 else (end.clock,))
        ]
    )
