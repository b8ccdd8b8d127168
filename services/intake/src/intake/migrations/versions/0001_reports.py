"""Reports, reporters and their personal data, receipts for retries, history as read, access failures and the access log."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

from tuntas_chassis.persistence.schema import create_delivery_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

CODE = sa.Text(collation="C")
TIME = TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Create everything."""
    create_delivery_tables(op)
    op.create_table(
        "report",
        sa.Column("case_id", sa.Uuid, primary_key=True),
        sa.Column("tracking_id", CODE, nullable=False, unique=True),
        sa.Column(
            "access_hash", sa.LargeBinary, comment="HMAC of the access code; null in a row rebuilt from the topic, which no code opens"
        ),
        sa.Column("reporter_ref", sa.Uuid, nullable=False),
        sa.Column("classification", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("anonymous", sa.Boolean, nullable=False),
        sa.Column("secret", sa.Boolean, nullable=False),
        sa.Column("misconduct", sa.Boolean, nullable=False),
        sa.Column("title", sa.Text, nullable=False, comment="masked; the original is in personal_data"),
        sa.Column("submitted_at", TIME, nullable=False),
        sa.Column("entered_by", sa.Text, comment="subject of the clerk, for reports received by hand"),
        sa.Column("original_received_at", TIME),
    )
    op.create_table(
        "reporter",
        sa.Column("reporter_ref", sa.Uuid, primary_key=True),
        sa.Column("wrapped_key", sa.LargeBinary, comment="null after erasure"),
        sa.Column("erased_at", TIME),
    )
    op.create_table(
        "personal_data",
        sa.Column("reporter_ref", sa.Uuid),
        sa.Column("source_id", sa.Uuid, comment="the case for the report itself, the input for a later text"),
        sa.Column("ciphertext", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("reporter_ref", "source_id"),
    )
    # Ciphertext does not compress; trying costs time on every report.
    op.execute("ALTER TABLE personal_data ALTER COLUMN ciphertext SET STORAGE EXTERNAL")
    op.create_table(
        "idempotency",
        sa.Column("key_hash", sa.LargeBinary, primary_key=True),
        sa.Column("body_hash", sa.LargeBinary, nullable=False),
        sa.Column("case_id", sa.Uuid, nullable=False),
        sa.Column("tracking_id", CODE, nullable=False),
        sa.Column("submitted_at", TIME, nullable=False),
        sa.Column("sealed_receipt", sa.LargeBinary, nullable=False, comment="access code and mask counts, encrypted"),
        sa.Column("created_at", TIME, nullable=False, server_default=sa.text("now()")),
    )
    op.create_index("idempotency_created_at", "idempotency", ["created_at"], postgresql_using="brin")
    op.create_table(
        "case_history",
        sa.Column("case_id", sa.Uuid),
        sa.Column("version", sa.Integer),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("transition", sa.Text),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("agency", sa.Text),
        sa.Column("occurred_at", TIME, nullable=False),
        sa.Column("detail", JSONB, nullable=False),
        sa.PrimaryKeyConstraint("case_id", "version"),
    )
    op.create_table(
        "reporter_input",
        sa.Column("input_id", sa.Uuid, primary_key=True),
        sa.Column("case_id", sa.Uuid, nullable=False),
        sa.Column("body_hash", sa.LargeBinary, nullable=False),
        sa.Column("accepted_at", TIME, nullable=False),
    )
    op.create_table(
        "access_failure",
        sa.Column("tracking_id", CODE, primary_key=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("since", TIME, nullable=False),
    )
    op.create_table(
        "access_log",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("at", TIME, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("reporter_ref", sa.Uuid, nullable=False),
        sa.Column("case_id", sa.Uuid, nullable=False),
    )
    op.create_index("access_log_at", "access_log", ["at"], postgresql_using="brin")


def downgrade() -> None:
    """Personal data is not dropped by a tool."""
    raise NotImplementedError("restore a backup instead: dropping these tables would destroy reports")
