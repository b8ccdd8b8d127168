"""A dead letter is known by its place and its time."""

from alembic import op

from tuntas_chassis.persistence.schema import widen_parked_place

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    widen_parked_place(op)
