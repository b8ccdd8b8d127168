"""What the words of a reporter's name are recognised by in officers' texts."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the column; cases from before have none."""
    op.execute("ALTER TABLE \"case\" ADD COLUMN IF NOT EXISTS name_fingerprints bytea NOT NULL DEFAULT ''")
