"""Databases of dispatch with an agency register in them."""

from collections.abc import Sequence

import asyncpg

from tests.support.servers import Servers
from tuntas_chassis.persistence.migrations import upgrade
from tuntas_embedded.postgres.apart import run_apart


def register_of(servers: Servers, codes: Sequence[str]) -> str:
    """The URL of a new database of dispatch with these agencies in its register."""
    url = servers.database()
    run_apart(_fill(url, codes))
    return url


async def _fill(url: str, codes: Sequence[str]) -> None:
    await upgrade("dispatch", url.replace("postgresql://", "postgresql+asyncpg://", 1))
    connection = await asyncpg.connect(url)
    try:
        await connection.executemany(
            "INSERT INTO agency (code, name, kind, time_zone, email, sectors, units, enabled, changed_at) "
            "VALUES ($1, 'Instansi ' || $1, 'body', 'Asia/Jakarta', 'pengaduan@' || $1 || '.example', '{health}', $2, true, now())",
            [(code, _UNITS) for code in codes],
        )
    finally:
        await connection.close()


_UNITS = (
    '[{"code": "layanan", "name": "Layanan", "kind": "service_desk", "sectors": [], "parent": null},'
    ' {"code": "inspektorat", "name": "Inspektorat", "kind": "inspectorate", "sectors": [], "parent": null}]'
)
