"""How often an answer was added to on the day of the last one: a case takes only some supplements a day."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the column."""
    op.execute('ALTER TABLE "case" ADD COLUMN IF NOT EXISTS supplements smallint NOT NULL DEFAULT 0')
