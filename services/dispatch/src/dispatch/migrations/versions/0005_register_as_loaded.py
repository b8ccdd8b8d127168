"""What the register's files said when they were loaded last, so that what an operator set since is told apart from it."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column."""
    op.execute("ALTER TABLE agency ADD COLUMN IF NOT EXISTS loaded jsonb")
