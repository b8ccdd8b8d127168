"""The columns of the statements that write a whole batch, each with how it is taken from a domain object."""

from collections.abc import Iterable
from operator import attrgetter

from sla_monitor.adapters.clock_codec import write_clocks
from sla_monitor.adapters.folding import NewRun
from sla_monitor.domain.case_clocks import CaseClocks, Ended, Held, RunOutcome, Started
from sla_monitor.domain.deadlines import Checkpoint
from tuntas_chassis.persistence.bulk import BulkColumn, BulkColumns
from tuntas_contracts.vocabulary import Clock

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
STARTS = BulkColumns(
    NewRun,
    BulkColumn("case_id", "uuid", attrgetter("start.case_id")),
    BulkColumn("clock", "text", attrgetter("start.run.clock")),
    BulkColumn("deadline_version", "smallint", attrgetter("start.run.deadline_version")),
    BulkColumn("started_at", "timestamptz", attrgetter("start.run.started_at")),
    BulkColumn("due_at", "timestamptz", attrgetter("start.run.due_at")),
    BulkColumn("ended_at", "timestamptz", lambda n: n.end.ended_at if n.end else None),
    BulkColumn("outcome", "text", lambda n: n.end.outcome if n.end else RunOutcome.RUNNING),
    BulkColumn("working_days", "integer", lambda n: n.end.working_days if n.end else None),
    BulkColumn("agency", "text", attrgetter("start.agency")),
    BulkColumn("unit", "text", attrgetter("start.unit")),
    BulkColumn("service_class", "text", attrgetter("start.service_class")),
    BulkColumn("provisional", "boolean", attrgetter("start.provisional")),
    BulkColumn("profile", "text", attrgetter("start.profile")),
    BulkColumn("known_at", "timestamptz", attrgetter("start.known_at")),
)
"""New runs, with their ends where those came in the same batch."""
CHECKPOINTS = BulkColumns(
    tuple[Started, Checkpoint, bool],
    BulkColumn("case_id", "uuid", lambda row: row[0].case_id),
    BulkColumn("clock", "text", lambda row: row[1].clock),
    BulkColumn("deadline_version", "smallint", lambda row: row[0].run.deadline_version),
    BulkColumn("level", "text", lambda row: row[1].level),
    BulkColumn("partition", "integer", lambda row: row[0].partition),
    BulkColumn("fire_at", "timestamptz", lambda row: row[1].fire_at),
    BulkColumn("held", "boolean", lambda row: row[2]),
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
    tuple[Ended, Clock],
    BulkColumn("case_id", "uuid", lambda row: row[0].case_id),
    BulkColumn("clock", "text", lambda row: row[1]),
    BulkColumn("ended_at", "timestamptz", lambda row: row[0].ended_at),
    BulkColumn("withdraws_end", "boolean", lambda row: row[0].withdraws_end),
)
"""What tells which checkpoints of ended runs fall away."""
HOLDS = BulkColumns(
    Held,
    BulkColumn("case_id", "uuid"),
    BulkColumn("clock", "text"),
    BulkColumn("held", "boolean"),
    BulkColumn("since", "timestamptz"),
)


def checkpoints_of(runs: Iterable[NewRun]) -> list[tuple[Started, Checkpoint, bool]]:
    """The checkpoints of new runs, each with its start and whether it is held."""
    return [(n.start, checkpoint, held) for n in runs for checkpoint, held in n.checkpoints]


def disarmed_by(ends: Iterable[Ended]) -> list[tuple[Ended, Clock]]:
    """The clocks whose checkpoints fall away by these ends."""
    # the monitoring warning C5 hangs on C4
    return [(end, clock) for end in ends for clock in ((Clock.C4, Clock.C5) if end.clock is Clock.C4 else (end.clock,))]
