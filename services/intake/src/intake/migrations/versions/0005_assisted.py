"""Reports whose access code was given to who entered them, since there is no address to send it to."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column."""
    op.add_column(
        "report",
        sa.Column(
            "assisted", sa.Boolean, nullable=False, server_default=sa.false(), comment="others than the reporter hold the access code"
        ),
    )
