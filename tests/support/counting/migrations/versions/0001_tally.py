"""The tables of the counting service."""

from alembic import op

from tuntas_chassis.persistence.schema import create_delivery_tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_delivery_tables(op)
    op.execute("CREATE TABLE tally (key text PRIMARY KEY, total bigint NOT NULL, steps integer NOT NULL)")
    op.execute("CREATE TABLE note (remark text NOT NULL)")
