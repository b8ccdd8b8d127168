"""The SLA monitor's own tables. The delivery tables are the chassis'."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Identity,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

METADATA = MetaData()
_TIME = DateTime(timezone=True)

CASE_CLOCKS = Table(
    "case_clocks",
    METADATA,
    Column("case_id", Uuid, primary_key=True),
    Column("partition", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("received_at", _TIME, nullable=False),
    Column("agency", Text),
    Column("unit", Text),
    Column("service_class", Text),
    Column("bounces", SmallInteger, nullable=False),
    Column("responded_at", _TIME),
    Column("answered_at", _TIME),
    # running clocks, deadline versions and held inputs: read and written whole, never queried
    Column("clocks", JSONB, nullable=False),
    Index("case_clocks_received_at", "received_at", postgresql_using="brin"),
)

CLOCK_RUN = Table(
    "clock_run",
    METADATA,
    Column("case_id", Uuid, primary_key=True),
    Column("clock", Text, primary_key=True),
    Column("deadline_version", SmallInteger, primary_key=True),
    Column("started_at", _TIME, nullable=False),
    Column("due_at", _TIME, nullable=False),
    Column("ended_at", _TIME),
    Column("outcome", Text, nullable=False),
    Column("working_days", Integer),
    Column("agency", Text),
    Column("unit", Text),
    Column("service_class", Text),
    Column("provisional", Boolean, nullable=False),
    Column("profile", Text, nullable=False),
    Column("known_at", _TIME, comment="when the platform learnt of it, where the report was entered late"),
    Index("clock_run_started_at", "started_at", postgresql_using="brin"),
)

CHECKPOINT = Table(
    "checkpoint",
    METADATA,
    Column("case_id", Uuid, primary_key=True),
    Column("clock", Text, primary_key=True),
    Column("deadline_version", SmallInteger, primary_key=True),
    Column("level", Text, primary_key=True),
    Column("partition", Integer, nullable=False),
    Column("fire_at", _TIME, nullable=False),
    Column("held", Boolean, nullable=False, server_default=text("false")),
    Index("checkpoint_due", "partition", "fire_at", postgresql_where=text("NOT held")),
)

# Due, and not handled by this code: no index of what is due meets them
CHECKPOINT_SET_ASIDE = Table(
    "checkpoint_set_aside",
    METADATA,
    Column("case_id", Uuid, primary_key=True),
    Column("clock", Text, primary_key=True),
    Column("deadline_version", SmallInteger, primary_key=True),
    Column("level", Text, primary_key=True),
    Column("partition", Integer, nullable=False),
    Column("fire_at", _TIME, nullable=False),
    Column("reason", Text, nullable=False),
    Column("set_aside_at", _TIME, nullable=False, server_default=text("now()")),
)

# Of the release before this one, which may come back: nothing here reads or writes it.
WATERMARK = Table(
    "watermark",
    METADATA,
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("source", Text, primary_key=True),
    Column("at", _TIME, nullable=False),
    Column("record_offset", BigInteger, nullable=False),
)

_NAME = Text(collation="C")  # compared byte by byte
_SUM = BigInteger
_CASE_SUMS = ("received", "not_yet_responded", "not_yet_completed", "closed", "archived")
_RUN_GROUPS = ("clock", "service_class", "outcome")
_RUN_SUMS = ("number", "working_days")

# Additive sums by agency ('' for the country) and day, and what was noted since they were last folded; see adapters/figures.py
FIGURE_CASES = Table(
    "figure_cases",
    METADATA,
    Column("agency", _NAME, primary_key=True),
    Column("day", Date, primary_key=True),
    *(Column(name, _SUM, nullable=False) for name in _CASE_SUMS),
)
FIGURE_RUNS = Table(
    "figure_runs",
    METADATA,
    Column("agency", _NAME, primary_key=True),
    Column("day", Date, primary_key=True),
    *(Column(name, _NAME, primary_key=True) for name in _RUN_GROUPS),
    *(Column(name, _SUM, nullable=False) for name in _RUN_SUMS),
)
FIGURE_CASES_CHANGE = Table(
    "figure_cases_change",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("agency", _NAME, nullable=False),
    Column("day", Date, nullable=False),
    *(Column(name, _SUM, nullable=False) for name in _CASE_SUMS),
)
FIGURE_RUNS_CHANGE = Table(
    "figure_runs_change",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("agency", _NAME, nullable=False),
    Column("day", Date, nullable=False),
    *(Column(name, _NAME, nullable=False) for name in _RUN_GROUPS),
    *(Column(name, _SUM, nullable=False) for name in _RUN_SUMS),
)

PARTITION_WATERMARK = Table(
    "partition_watermark",
    METADATA,
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("source", Text, primary_key=True),
    Column("end_offset", BigInteger, primary_key=True, autoincrement=False),
    Column("at", _TIME, nullable=False),
    # {agency: the time up to which its cases may be judged, or null where that is not known}
    Column("late_agencies", JSONB),
    Column("held_cases", ARRAY(Uuid)),
)
