"""When the platform learnt of a clock that had started before: a report that was entered late."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the column."""
    op.execute("ALTER TABLE clock_run ADD COLUMN IF NOT EXISTS known_at timestamptz")
    op.execute("COMMENT ON COLUMN clock_run.known_at IS 'when the platform learnt of it, where the report was entered late'")
