"""The national queue, the reports in it, and the agencies they go to."""

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
        "agency",
        sa.Column("code", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("time_zone", sa.Text, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("region_code", sa.Text),
        sa.Column("sectors", sa.ARRAY(sa.Text), nullable=False),
        sa.Column("as_of", UTC_TIME, nullable=False),
    )
    op.create_table(
        "report",
        sa.Column("case_id", UUID(as_uuid=True), primary_key=True),
        sa.Column("content", JSONB, nullable=False),
    )
    op.create_table(
        "case_file",
        sa.Column("case_id", UUID(as_uuid=True), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("topic_owner", sa.Text, nullable=False),
        sa.Column("topic_version", sa.Integer, nullable=False),
        sa.Column("profile", sa.Text, nullable=False),
        sa.Column("classification", sa.Text, nullable=False),
        sa.Column("category", sa.Text),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("misconduct", sa.Boolean, nullable=False),
        sa.Column("secret", sa.Boolean, nullable=False),
        sa.Column("submitted_at", UTC_TIME, nullable=False),
        sa.Column("waiting_reason", sa.Text),
        sa.Column("waiting_since", UTC_TIME),
        sa.Column("queued_as", UTC_TIME),
        sa.Column("bounces", sa.Integer, nullable=False),
        sa.Column("arbitration", sa.Boolean, nullable=False),
        sa.Column("agency", sa.Text),
        sa.Column("return_reason", sa.Text),
        sa.Column("archive_reason", sa.Text),
        sa.Column("archive_note", sa.Text),
        sa.Column("duplicate_of", UUID(as_uuid=True)),
        postgresql_with={"fillfactor": "60"},
    )
    op.create_index(
        "case_file_queue",
        "case_file",
        ["queued_as", "case_id"],
        postgresql_where=sa.text("state = 'received' AND owner = 'triage'"),
    )
