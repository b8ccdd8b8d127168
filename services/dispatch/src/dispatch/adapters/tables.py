"""Dispatch's tables."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSON, JSONB

METADATA = MetaData()

CASE = Table(
    "case",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("topic_owner", Text, nullable=False),
    Column("agency", Text, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("classification", Text, nullable=False),
    Column("secret", Boolean, nullable=False),
    Column("anonymous", Boolean, nullable=False),
    Column("bounces", SmallInteger, nullable=False),
    Column("arbitrated", Boolean, nullable=False),
    Column("last_event_at", DateTime(timezone=True), nullable=False),
    Column("unit", Text),
    Column("service_class", Text),
    Column("completion_limit", SmallInteger),
    Column("answers", SmallInteger, nullable=False),
    Column("answered_at", DateTime(timezone=True)),
    Column("supplements", SmallInteger, nullable=False, server_default=text("0")),
    Column("closed_reason", Text),
    Column("closed_at", DateTime(timezone=True)),
    Column("name_fingerprints", LargeBinary, nullable=False, server_default=text("''")),
)
Index("case_by_agency", CASE.c.agency, CASE.c.state, CASE.c.id)

# apart from the state, so that a case's many updates never touch its long text
CASE_REPORT = Table(
    "case_report",
    METADATA,
    Column("case_id", Uuid, primary_key=True),
    Column("report", JSON, nullable=False),
)

AGENCY = Table(
    "agency",
    METADATA,
    Column("code", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("region_code", Text),
    Column("supervised_by", Text),
    Column("email", Text, nullable=False),
    Column("sectors", ARRAY(Text), nullable=False),
    Column("units", JSONB, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    Column("loaded", JSONB),  # as the files had it when they were loaded last
)

# lines are only added, each under the register's lock, so that a reader who goes on behind an id misses none
AGENCY_CHANGE = Table(
    "agency_change",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("subject", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("before", JSONB),  # the fields that changed, as they were; nothing of an agency that is new
    Column("after", JSONB, nullable=False),
)
Index("agency_change_by_code", AGENCY_CHANGE.c.code, AGENCY_CHANGE.c.id)
