"""Why a parked message was replayed or discarded."""

from alembic import op

from tuntas_chassis.persistence.schema import add_settlement_reason

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column."""
    add_settlement_reason(op)
