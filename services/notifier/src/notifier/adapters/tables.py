"""The notifier's own tables; the delivery core's are the chassis'. None holds personal data."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, UUID

METADATA = sa.MetaData()
UTC_TIME = sa.DateTime(timezone=True)

CASE_NOTICE_STATE = sa.Table(
    "case_notice_state",
    METADATA,
    sa.Column("case_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("reporter_ref", UUID(as_uuid=True), nullable=False),
    sa.Column("tracking_id", sa.Text, nullable=False),
    sa.Column("profile", sa.Text, nullable=False),
    sa.Column("agency", sa.Text),
    sa.Column("ended", sa.Boolean, nullable=False),
    postgresql_with={"fillfactor": "70"},
)

# `audience` 0 are reporters, 1 officers. `next_attempt_at` is when a queued one is due, and when the lease of one that is
# being sent runs out: both are found by the one small index. Of one that is waiting it is the morning, business time.
DELIVERY = sa.Table(
    "delivery",
    METADATA,
    sa.Column("case_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("notice_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("audience", sa.SmallInteger, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("recipient", sa.Text, nullable=False),
    sa.Column("agency", sa.Text),
    sa.Column("variables", JSONB, nullable=False),
    sa.Column("traceparent", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False, server_default="queued"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("repeats", sa.Integer, nullable=False, server_default="0"),
    sa.Column("reason", sa.Text),
    sa.Column("occurred_at", UTC_TIME, nullable=False),
    sa.Column("created_at", UTC_TIME, nullable=False, server_default=sa.func.now()),
    sa.Column("next_attempt_at", UTC_TIME, nullable=False, server_default=sa.func.now()),
    sa.Column("settled_at", UTC_TIME),
    sa.Column("set_aside_at", UTC_TIME),
    sa.CheckConstraint("status IN ('queued', 'sending', 'waiting', 'sent', 'failed', 'no_channel', 'set_aside')", name="delivery_status"),
    sa.Index("delivery_due", "audience", "next_attempt_at", postgresql_where=sa.text("status IN ('queued', 'sending')")),
    sa.Index("delivery_waiting", "next_attempt_at", postgresql_where=sa.text("status = 'waiting'")),
    sa.Index("delivery_set_aside", "case_id", "notice_id", postgresql_where=sa.text("status = 'set_aside'")),
    postgresql_with={"fillfactor": "70"},
)

AGENCY_CONTACT = sa.Table(
    "agency_contact",
    METADATA,
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("time_zone", sa.Text, nullable=False),
    sa.Column("supervised_by", sa.Text),
    sa.Column("as_of", UTC_TIME, nullable=False),
)
