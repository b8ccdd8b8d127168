"""What the status page reads: the report's regulation profile, and the events that say where a case stands, by index."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add column and index; reports of the first release were received under the one profile that there was."""
    op.execute("ALTER TABLE report ADD COLUMN IF NOT EXISTS profile text NOT NULL DEFAULT 'permenpan-62-2018'")
    op.execute("COMMENT ON COLUMN report.profile IS 'the regulation profile'")
    op.execute(
        "CREATE INDEX IF NOT EXISTS case_history_standing ON case_history (case_id, event, version) "
        "WHERE event IN ('CaseForwarded', 'CaseReturned', 'CaseAnswered')"
    )
