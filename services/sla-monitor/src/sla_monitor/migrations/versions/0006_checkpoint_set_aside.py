"""Due checkpoints that this code can't handle, with the reason."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the table."""
    op.execute(
        """CREATE TABLE checkpoint_set_aside (
        case_id uuid NOT NULL, clock text NOT NULL, deadline_version smallint NOT NULL, level text NOT NULL, partition integer NOT NULL,
        fire_at timestamptz NOT NULL, reason text NOT NULL, set_aside_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (case_id, clock, deadline_version, level))"""
    )
