"""The clocks of cases, their checkpoints and the watermarks behind which they fire."""

from alembic import op

from tuntas_chassis.persistence.schema import create_delivery_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = (
    """CREATE TABLE case_clocks (
        case_id uuid PRIMARY KEY, partition integer NOT NULL, version integer NOT NULL, state text NOT NULL, profile text NOT NULL,
        time_zone text NOT NULL, received_at timestamptz NOT NULL, agency text, unit text, service_class text, bounces smallint NOT NULL,
        responded_at timestamptz, answered_at timestamptz, clocks jsonb NOT NULL) WITH (fillfactor = 70)""",
    "CREATE INDEX case_clocks_received_at ON case_clocks USING brin (received_at)",
    """CREATE TABLE clock_run (
        case_id uuid NOT NULL, clock text NOT NULL, deadline_version smallint NOT NULL, started_at timestamptz NOT NULL,
        due_at timestamptz NOT NULL, ended_at timestamptz, outcome text NOT NULL, working_days integer, agency text, unit text,
        service_class text, provisional boolean NOT NULL, profile text NOT NULL,
        PRIMARY KEY (case_id, clock, deadline_version)) WITH (fillfactor = 85)""",
    "CREATE INDEX clock_run_started_at ON clock_run USING brin (started_at)",
    """CREATE TABLE checkpoint (
        case_id uuid NOT NULL, clock text NOT NULL, deadline_version smallint NOT NULL, level text NOT NULL, partition integer NOT NULL,
        fire_at timestamptz NOT NULL, held boolean NOT NULL DEFAULT false, PRIMARY KEY (case_id, clock, deadline_version, level))
        WITH (autovacuum_vacuum_scale_factor = 0.02)""",
    "CREATE INDEX checkpoint_due ON checkpoint (partition, fire_at) WHERE NOT held",
    """CREATE TABLE watermark (
        partition integer NOT NULL, source text NOT NULL, at timestamptz NOT NULL, record_offset bigint NOT NULL,
        PRIMARY KEY (partition, source)) WITH (fillfactor = 20)""",
)


def upgrade() -> None:
    """Create the delivery tables and our own."""
    create_delivery_tables(op)
    for statement in _TABLES:
        op.execute(statement)


def downgrade() -> None:
    """Never: a service's first tables go with its database."""
    raise NotImplementedError("drop the database to undo the first migration")
