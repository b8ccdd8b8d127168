"""Deliveries whose reader has no channel, and deliveries set aside because this code can't handle them."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Widen the list of statuses; remember when a row was first set aside, and find those rows without a scan."""
    op.execute("ALTER TABLE delivery ADD COLUMN set_aside_at timestamptz")
    op.execute(
        "ALTER TABLE delivery DROP CONSTRAINT delivery_status, ADD CONSTRAINT delivery_status "
        "CHECK (status IN ('queued', 'sending', 'sent', 'failed', 'no_channel', 'set_aside')) NOT VALID"
    )
    op.execute("ALTER TABLE delivery VALIDATE CONSTRAINT delivery_status")
    op.execute("CREATE INDEX delivery_set_aside ON delivery (case_id, notice_id) WHERE status = 'set_aside'")
