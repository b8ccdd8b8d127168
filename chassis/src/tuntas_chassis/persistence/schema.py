"""The tables of the delivery core, the same in every service's database."""

from typing import Any

DELIVERY_TABLES = (
    """CREATE TABLE consumer_offset (
        consumer text NOT NULL, topic text NOT NULL, partition integer NOT NULL, position bigint NOT NULL,
        PRIMARY KEY (consumer, topic, partition)) WITH (fillfactor = 50)""",
    """CREATE TABLE inbox (
        message_id uuid NOT NULL, consumer text NOT NULL, received_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (message_id, consumer))""",
    "CREATE INDEX inbox_received_at ON inbox USING brin (received_at)",
    """CREATE TABLE outbox (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, shard smallint NOT NULL, topic text NOT NULL, key text NOT NULL,
        message_id uuid NOT NULL, type text NOT NULL, time timestamptz NOT NULL, traceparent text NOT NULL,
        written_at timestamptz NOT NULL DEFAULT clock_timestamp(), value bytea NOT NULL)
        WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000)""",
    """CREATE TABLE parked_message (
        id uuid PRIMARY KEY, consumer text NOT NULL, topic text NOT NULL, partition integer NOT NULL, "offset" bigint NOT NULL,
        key text, raw_key bytea, value bytea, headers bytea NOT NULL, timestamp_ms bigint NOT NULL,
        error_type text NOT NULL, error text NOT NULL, attempts integer NOT NULL DEFAULT 1,
        state text NOT NULL CHECK (state IN ('parked', 'waiting', 'replayed', 'discarded')),
        parked_at timestamptz NOT NULL DEFAULT now(), settled_at timestamptz, settled_by text,
        UNIQUE (consumer, topic, partition, "offset"))""",
    "CREATE INDEX parked_message_open ON parked_message (consumer, key, \"offset\") WHERE state IN ('parked', 'waiting')",
)
RELAY_TABLES = (
    """CREATE TABLE outbox_set_aside (
        id bigint NOT NULL, shard smallint NOT NULL, topic text NOT NULL, key text NOT NULL,
        message_id uuid NOT NULL, type text NOT NULL, time timestamptz NOT NULL, traceparent text NOT NULL,
        written_at timestamptz NOT NULL, value bytea NOT NULL, PRIMARY KEY (topic, shard, id))""",
    """CREATE TABLE outbox_relay (
        member uuid PRIMARY KEY, pid integer NOT NULL, renewed_at timestamptz NOT NULL) WITH (fillfactor = 50)""",
)
READING_AGAIN = (
    """CREATE TABLE IF NOT EXISTS held_input (
        consumer text NOT NULL, topic text NOT NULL, partition integer NOT NULL, "offset" bigint NOT NULL,
        input_id uuid NOT NULL, raw_key bytea, value bytea, headers bytea NOT NULL,
        timestamp_ms bigint NOT NULL, held_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (consumer, topic, partition, "offset"))""",
    "CREATE INDEX IF NOT EXISTS held_input_id ON held_input (consumer, input_id)",
    """CREATE TABLE IF NOT EXISTS answered_position (
        consumer text NOT NULL, topic text NOT NULL, partition integer NOT NULL, "offset" bigint NOT NULL, timestamp_ms bigint NOT NULL,
        PRIMARY KEY (consumer, topic, partition)) WITH (fillfactor = 50)""",
    "ALTER TABLE parked_message ADD COLUMN IF NOT EXISTS catching_up boolean NOT NULL DEFAULT false",
    "CREATE INDEX IF NOT EXISTS parked_message_settled ON parked_message (settled_at) WHERE state IN ('replayed', 'discarded')",
    """CREATE TABLE IF NOT EXISTS parked_access (
        id uuid PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), subject text NOT NULL, reason text NOT NULL,
        message_id uuid NOT NULL, consumer text NOT NULL, topic text NOT NULL, partition integer NOT NULL, "offset" bigint NOT NULL,
        key text)""",
)
TABLE_NAMES = frozenset(
    {
        "answered_position",
        "consumer_offset",
        "held_input",
        "inbox",
        "outbox",
        "outbox_relay",
        "outbox_set_aside",
        "parked_access",
        "parked_message",
    }
)


def create_delivery_tables(op: Any) -> None:
    """Create them in an Alembic migration; `op` is `alembic.op`."""
    for statement in DELIVERY_TABLES:
        op.execute(statement)


def add_settlement_reason(op: Any) -> None:
    """Let a parked message keep why it was replayed or discarded, beside when and by whom."""
    op.execute("ALTER TABLE parked_message ADD COLUMN IF NOT EXISTS settled_why text")


def add_relay_tables(op: Any) -> None:
    """Create what the outbox relays need beside the outbox.

    `outbox_set_aside` keeps the messages whose topic or partition refuses them, so that no look at the outbox meets them;
    `outbox_relay` has a row for each relay that is alive, and the process of the database that serves it.
    """
    for statement in RELAY_TABLES:
        op.execute(statement)


def add_reading_again(op: Any) -> None:
    """What makes reading a topic again harmless, and who read the content of dead letters."""
    for statement in READING_AGAIN:
        op.execute(statement)


def widen_parked_place(op: Any) -> None:
    """A dead letter is known by its place and its time: a topic that was recreated has the same offsets at later times."""
    name = "parked_message_consumer_topic_partition_offset_key"
    op.execute(
        f"ALTER TABLE parked_message DROP CONSTRAINT {name}, "
        f'ADD CONSTRAINT {name} UNIQUE (consumer, topic, partition, "offset", timestamp_ms)'
    )
