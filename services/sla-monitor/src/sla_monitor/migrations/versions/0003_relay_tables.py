"""Messages that the relay sets aside, and the relays that are alive."""

from alembic import op

from tuntas_chassis.persistence.schema import add_relay_tables

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the tables."""
    add_relay_tables(op)
