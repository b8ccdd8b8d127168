"""Facts of cases, deliveries, and agencies' contacts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, UUID

from tuntas_chassis.persistence.schema import create_delivery_tables

revision = "0001"
down_revision = None

UTC_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create everything."""
    create_delivery_tables(op)
    op.create_table(
        "case_notice_state",
        sa.Column("case_id", UUID(as_uuid=True), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("reporter_ref", UUID(as_uuid=True), nullable=False),
        sa.Column("tracking_id", sa.Text, nullable=False),
        sa.Column("profile", sa.Text, nullable=False),
        sa.Column("agency", sa.Text),
        sa.Column("ended", sa.Boolean, nullable=False),
        postgresql_with={"fillfactor": "70"},
    )
    op.create_table(
        "delivery",
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
        sa.CheckConstraint("status IN ('queued', 'sending', 'sent', 'failed')", name="delivery_status"),
        postgresql_with={"fillfactor": "70"},
    )
    op.create_index(
        "delivery_due",
        "delivery",
        ["audience", "next_attempt_at"],
        postgresql_where=sa.text("status IN ('queued', 'sending')"),
    )
    op.create_table(
        "agency_contact",
        sa.Column("code", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("time_zone", sa.Text, nullable=False),
        sa.Column("supervised_by", sa.Text),
        sa.Column("as_of", UTC_TIME, nullable=False),
    )
