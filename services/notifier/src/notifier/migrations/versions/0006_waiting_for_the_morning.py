"""Deliveries that wait for the morning: mails of midnight go out at 07:00 local."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Widen the list of statuses, and find those rows without a scan."""
    op.execute(
        "ALTER TABLE delivery DROP CONSTRAINT delivery_status, ADD CONSTRAINT delivery_status "
        "CHECK (status IN ('queued', 'sending', 'waiting', 'sent', 'failed', 'no_channel', 'set_aside')) NOT VALID"
    )
    op.execute("ALTER TABLE delivery VALIDATE CONSTRAINT delivery_status")
    op.execute("CREATE INDEX IF NOT EXISTS delivery_waiting ON delivery (next_attempt_at) WHERE status = 'waiting'")
