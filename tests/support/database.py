"""A few statements on a database."""

import asyncpg


async def execute(url: str, *statements: str) -> None:
    """Carry them out, each separately."""
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
