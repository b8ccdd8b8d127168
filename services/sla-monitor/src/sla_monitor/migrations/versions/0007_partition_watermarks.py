"""Watermarks with the offset from which they count."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add their table. The former one stays for the release before this one."""
    op.execute(
        """CREATE TABLE IF NOT EXISTS partition_watermark (
            partition integer NOT NULL, source text NOT NULL, end_offset bigint NOT NULL, at timestamptz NOT NULL,
            late_agencies jsonb, held_cases uuid[], PRIMARY KEY (partition, source, end_offset)) WITH (fillfactor = 20)"""
    )
