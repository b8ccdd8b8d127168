"""Daily sums from which public figures are added up: what a question costs does not grow with the history.

Triggers note each change of the tables that are counted, as a row that nobody else touches; a job folds those rows into the sums.
A sum that a trigger wrote directly would make every replica wait for every other at the row of today.
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_CASE_COUNTS = (
    "sum(sign) AS received, sum(sign) FILTER (WHERE responded_at IS NULL AND state <> 'archived') AS not_yet_responded, "
    "sum(sign) FILTER (WHERE answered_at IS NULL AND state <> 'archived') AS not_yet_completed, "
    "sum(sign) FILTER (WHERE state = 'closed') AS closed, sum(sign) FILTER (WHERE state = 'archived') AS archived"
)
_CASE_DAY = "(received_at AT TIME ZONE 'Asia/Jakarta')::date"
_RUN_DAY = "(started_at AT TIME ZONE 'Asia/Jakarta')::date"
_RUN_COUNTS = "sum(sign) AS number, sum(sign * coalesce(working_days, 0)) AS working_days"
_RUN_GROUP = "coalesce(service_class, ''), clock, outcome"

# a case without an agency counts for the whole country alone, which is the agency '' of the sums
_TABLES = (
    """CREATE TABLE figure_cases (
        agency text COLLATE "C" NOT NULL, day date NOT NULL, received bigint NOT NULL, not_yet_responded bigint NOT NULL,
        not_yet_completed bigint NOT NULL, closed bigint NOT NULL, archived bigint NOT NULL, PRIMARY KEY (agency, day))
        WITH (fillfactor = 70)""",
    """CREATE TABLE figure_runs (
        agency text COLLATE "C" NOT NULL, day date NOT NULL, clock text COLLATE "C" NOT NULL, service_class text COLLATE "C" NOT NULL,
        outcome text COLLATE "C" NOT NULL, number bigint NOT NULL, working_days bigint NOT NULL,
        PRIMARY KEY (agency, day, clock, service_class, outcome)) WITH (fillfactor = 70)""",
    """CREATE TABLE figure_cases_change (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, agency text COLLATE "C" NOT NULL, day date NOT NULL, received bigint NOT NULL,
        not_yet_responded bigint NOT NULL, not_yet_completed bigint NOT NULL, closed bigint NOT NULL, archived bigint NOT NULL)
        WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000)""",
    """CREATE TABLE figure_runs_change (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, agency text COLLATE "C" NOT NULL, day date NOT NULL,
        clock text COLLATE "C" NOT NULL, service_class text COLLATE "C" NOT NULL, outcome text COLLATE "C" NOT NULL,
        number bigint NOT NULL, working_days bigint NOT NULL)
        WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000)""",
)


def _note_cases(source: str) -> str:
    counts = ", ".join(f"coalesce({c}, 0)" for c in ("received", "not_yet_responded", "not_yet_completed", "closed", "archived"))
    return (
        "INSERT INTO figure_cases_change (agency, day, received, not_yet_responded, not_yet_completed, closed, archived) "  # noqa: S608
        f"SELECT agency, day, {counts} FROM (SELECT coalesce(agency, '') AS agency, {_CASE_DAY} AS day, {_CASE_COUNTS} "  # noqa: RUF100, S608
        f"FROM ({source}) AS r GROUP BY 1, 2) AS s WHERE (coalesce(received, 0), coalesce(not_yet_responded, 0), "
        "coalesce(not_yet_completed, 0), coalesce(closed, 0), coalesce(archived, 0)) <> (0, 0, 0, 0, 0);"
    )


def _note_runs(source: str) -> str:
    return (
        "INSERT INTO figure_runs_change (agency, day, service_class, clock, outcome, number, working_days) "  # noqa: S608
        f"SELECT * FROM (SELECT coalesce(agency, ''), {_RUN_DAY}, {_RUN_GROUP}, {_RUN_COUNTS} "  # noqa: RUF100, S608
        f"FROM ({source}) AS r GROUP BY 1, 2, 3, 4, 5) AS s WHERE (number, working_days) <> (0, 0);"
    )


_NEW = "SELECT 1 AS sign, * FROM new_rows"
_CHANGED = "SELECT 1 AS sign, * FROM new_rows UNION ALL SELECT -1 AS sign, * FROM old_rows"
_GONE = "SELECT -1 AS sign, * FROM old_rows"
_WHEN = (
    ("INSERT", _NEW, "REFERENCING NEW TABLE AS new_rows"),
    ("UPDATE", _CHANGED, "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows"),
    ("DELETE", _GONE, "REFERENCING OLD TABLE AS old_rows"),
)


def upgrade() -> None:
    """Create the sums, fill them from what is there, and note every change from now on."""
    for statement in _TABLES:
        op.execute(statement)
    for table, name, note in (("case_clocks", "figure_cases", _note_cases), ("clock_run", "figure_runs", _note_runs)):
        op.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
        op.execute(note(f"SELECT 1 AS sign, * FROM {table}"))  # noqa: S608
        for event, source, referencing in _WHEN:
            function = f"note_{name}_{event.lower()}"
            op.execute(f"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {note(source)} RETURN NULL; END $$")
            op.execute(f"CREATE TRIGGER {function} AFTER {event} ON {table} {referencing} FOR EACH STATEMENT EXECUTE FUNCTION {function}()")


def downgrade() -> None:
    """Never: migrations only expand."""
    raise NotImplementedError("restore a backup to undo a migration")
