"""Intake's tables. Case ids carry no foreign keys: each row is written with what it belongs to in one statement."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

METADATA = MetaData()

_CODE = Text(collation="C")  # compared byte by byte, which is several times cheaper than by a language's rules
_TIME = TIMESTAMP(timezone=True)

REPORT = Table(
    "report",
    METADATA,
    Column("case_id", Uuid, primary_key=True),
    Column("tracking_id", _CODE, nullable=False, unique=True),
    Column("access_hash", LargeBinary, comment="HMAC of the access code; null in a row rebuilt from the topic, which no code opens"),
    Column("reporter_ref", Uuid, nullable=False),
    Column("classification", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("anonymous", Boolean, nullable=False),
    Column("secret", Boolean, nullable=False),
    Column("misconduct", Boolean, nullable=False),
    Column("title", Text, nullable=False, comment="masked; the original is in personal_data"),
    Column("submitted_at", _TIME, nullable=False),
    Column("entered_by", Text, comment="subject of the clerk, for reports received by hand"),
    Column("original_received_at", _TIME),
    Column("assisted", Boolean, nullable=False, server_default=false(), comment="others than the reporter hold the access code"),
    Column("profile", Text, nullable=False, server_default=text("'permenpan-62-2018'"), comment="the regulation profile"),
)

REPORTER = Table(
    "reporter",
    METADATA,
    Column("reporter_ref", Uuid, primary_key=True),
    Column("wrapped_key", LargeBinary, comment="null after erasure"),
    Column("erased_at", _TIME),
)

PERSONAL_DATA = Table(
    "personal_data",
    METADATA,
    Column("reporter_ref", Uuid),
    Column("source_id", Uuid, comment="the case for the report itself, the input for a later text"),
    Column("ciphertext", LargeBinary, nullable=False),
    PrimaryKeyConstraint("reporter_ref", "source_id"),
)

IDEMPOTENCY = Table(
    "idempotency",
    METADATA,
    Column("key_hash", LargeBinary, primary_key=True),
    Column("body_hash", LargeBinary, nullable=False),
    Column("case_id", Uuid, nullable=False),
    Column("tracking_id", _CODE, nullable=False),
    Column("submitted_at", _TIME, nullable=False),
    Column("sealed_receipt", LargeBinary, nullable=False, comment="access code and mask counts, encrypted"),
    Column("created_at", _TIME, nullable=False, server_default=text("now()")),
    Index("idempotency_created_at", "created_at", postgresql_using="brin"),
)

CASE_HISTORY = Table(
    "case_history",
    METADATA,
    Column("case_id", Uuid),
    Column("version", Integer),
    Column("event", Text, nullable=False),
    Column("transition", Text),
    Column("state", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("agency", Text),
    Column("occurred_at", _TIME, nullable=False),
    Column("detail", JSONB, nullable=False),
    PrimaryKeyConstraint("case_id", "version"),
    # where a case stands is read off three of its events, however long its history is
    Index(
        "case_history_standing",
        "case_id",
        "event",
        "version",
        postgresql_where=text("event IN ('CaseForwarded', 'CaseReturned', 'CaseAnswered')"),
    ),
)

REPORTER_INPUT = Table(
    "reporter_input",
    METADATA,
    Column("input_id", Uuid, primary_key=True),
    Column("case_id", Uuid, nullable=False),
    Column("body_hash", LargeBinary, nullable=False),
    Column("accepted_at", _TIME, nullable=False),
)

ACCESS_FAILURE = Table(
    "access_failure",
    METADATA,
    Column("tracking_id", _CODE, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("since", _TIME, nullable=False),
)

ACCESS_LOG = Table(
    "access_log",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", _TIME, nullable=False),
    Column("subject", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("reporter_ref", Uuid, nullable=False),
    Column("case_id", Uuid, nullable=False),
    Index("access_log_at", "at", postgresql_using="brin"),
)
