"""Cases at agencies, their reports, and the agency register."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tuntas_chassis.persistence.schema import create_delivery_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create everything."""
    create_delivery_tables(op)
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "case",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("topic_owner", sa.Text, nullable=False),
        sa.Column("agency", sa.Text, nullable=False),
        sa.Column("time_zone", sa.Text, nullable=False),
        sa.Column("profile", sa.Text, nullable=False),
        sa.Column("classification", sa.Text, nullable=False),
        sa.Column("secret", sa.Boolean, nullable=False),
        sa.Column("anonymous", sa.Boolean, nullable=False),
        sa.Column("bounces", sa.SmallInteger, nullable=False),
        sa.Column("arbitrated", sa.Boolean, nullable=False),
        sa.Column("last_event_at", moment, nullable=False),
        sa.Column("unit", sa.Text),
        sa.Column("service_class", sa.Text),
        sa.Column("completion_limit", sa.SmallInteger),
        sa.Column("answers", sa.SmallInteger, nullable=False),
        sa.Column("answered_at", moment),
        sa.Column("closed_reason", sa.Text),
        sa.Column("closed_at", moment),
    )
    op.create_index("case_by_agency", "case", ["agency", "state", "id"])
    op.create_table(
        "case_report",
        sa.Column("case_id", sa.Uuid, primary_key=True),
        sa.Column("report", postgresql.JSON, nullable=False),
    )
    op.create_table(
        "agency",
        sa.Column("code", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("time_zone", sa.Text, nullable=False),
        sa.Column("region_code", sa.Text),
        sa.Column("supervised_by", sa.Text),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("sectors", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("units", postgresql.JSONB, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("changed_at", moment, nullable=False),
    )


def downgrade() -> None:
    """Migrations only expand, then contract: there is no way back."""
    raise NotImplementedError("dispatch's tables are not dropped by a migration; restore a backup instead")
