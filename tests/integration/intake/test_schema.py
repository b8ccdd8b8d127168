"""The migrations make the tables that the code describes."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from intake.adapters.tables import METADATA
from tests.integration.intake.harness import IntakeHarness
from tuntas_chassis.persistence.schema import TABLE_NAMES


def _differences(connection: Connection) -> list[object]:
    def ours(name: str | None, kind: str, _parents: object) -> bool:
        return not (kind == "table" and name in {*TABLE_NAMES, "alembic_version"})

    context = MigrationContext.configure(connection, opts={"include_name": ours, "compare_type": True, "compare_server_default": True})
    return list(compare_metadata(context, METADATA))


async def test_migrations_and_tables_agree(harness: IntakeHarness) -> None:
    async with harness.app.database.connect() as connection:
        assert await connection.run_sync(_differences) == []
