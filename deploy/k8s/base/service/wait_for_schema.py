"""Ends once this image's code can work on the database: at its own schema, to which the migration Job brings it, or at a later one."""

import asyncio
import os

import asyncpg

from tuntas_chassis.persistence.migrations import head_revision, is_served_by

_PACKAGE = os.environ["SERVICE"].replace("-", "_")
_LOOK_AGAIN_S = 2.0


async def revision() -> str | None:
    """Where the database stands; None before its first migration."""
    connection = await asyncpg.connect(os.environ["TUNTAS_DATABASE_URL"], timeout=10, command_timeout=10)
    try:
        found: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
        return found
    except asyncpg.UndefinedTableError:
        return None
    finally:
        await connection.close()


async def main() -> None:
    """Look every two seconds, without end: Kubernetes shows the pod as one that waits, and this says for what."""
    needed, told = head_revision(_PACKAGE), ""
    while True:
        try:
            found = await revision()
            if is_served_by(_PACKAGE, found):  # after a roll-back the schema is the later release's
                return
            state = (
                f"the database stands at migration {found}, this image needs {needed}: see the Job tuntas-migrate-{os.environ['SERVICE']}"
            )
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            state = f"the database does not answer: {type(error).__name__}: {error}"
        if state != told:
            print(state, flush=True)  # noqa: T201 – what `kubectl logs` shows
            told = state
        await asyncio.sleep(_LOOK_AGAIN_S)


if __name__ == "__main__":
    asyncio.run(main())
