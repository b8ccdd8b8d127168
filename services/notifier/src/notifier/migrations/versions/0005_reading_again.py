"""Inputs held while a topic is read again, how a message was read that was parked, and who read its content."""

from alembic import op

from tuntas_chassis.persistence.schema import add_reading_again

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add tables, column and index."""
    add_reading_again(op)
