"""Each service's database: reachable, with its password, of a version that we know, with rights, migrated, by the right clock."""

from collections.abc import Callable
from time import monotonic

import asyncpg

from tuntas_chassis.persistence.migrations import head_revision, is_served_by
from tuntas_contracts.vocabulary import Service
from tuntas_operations.databases import DatabaseRefuses, connected, place_of, role_of
from tuntas_operations.doctor.clocks import skew_finding
from tuntas_operations.doctor.findings import Finding, not_checked, ok, wrong
from tuntas_operations.errors import Unreachable
from tuntas_operations.installation import Installation
from tuntas_operations.service_modules import module_of
from tuntas_operations.settings import variable

_OLDEST = 150_000
# a member of pg_read_all_data that may write nothing; a service's own role is none, and lacks its rights where it may only read
_READS_ONLY = """SELECT pg_has_role('pg_read_all_data', 'USAGE') AND NOT bool_or(has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE'))
 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p')"""
_LACKING = """SELECT c.relname, p.privilege FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
 unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS p (privilege)
 WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND c.relname <> 'alembic_version'
 AND NOT has_table_privilege(c.oid, p.privilege) ORDER BY 1, 2"""
_SHOWN = 3


async def database(installation: Installation, service: Service, now: Callable[[], float]) -> list[Finding]:
    """Everything about one database; `now` is this machine's clock in seconds since 1970."""
    about = f"{service} database"
    if service not in installation.databases:
        return [not_checked(about, "it is not named", f"set {variable('database_url_' + module_of(service))}")]
    where = place_of(installation.databases[service])
    try:
        async with connected(installation, service) as connection:
            return [
                await _version(connection, about, where),
                await _rights(connection, about, role_of(installation.databases[service])),
                await _migrated(connection, service),
                await _clock(connection, service, now),
            ]
    except DatabaseRefuses as error:
        name = variable("database_url_" + module_of(service))
        return [wrong(about, str(error), f"correct role, password and database in {name}, or make them so on the server")]
    except Unreachable as error:
        return [wrong(about, str(error), "look whether the server runs, and at the network between")]
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return [wrong(about, f"PostgreSQL at {where} broke off: {error or type(error).__name__}", "look at its log, and try again")]


async def _version(connection: "asyncpg.Connection[asyncpg.Record]", about: str, where: str) -> Finding:
    number = int(await connection.fetchval("SHOW server_version_num"))
    name = await connection.fetchval("SHOW server_version")
    if number < _OLDEST:
        return wrong(about, f"PostgreSQL {name} at {where} is older than 15", "upgrade it")
    return ok(about, f"{where} answers; PostgreSQL {name}")


async def _rights(connection: "asyncpg.Connection[asyncpg.Record]", about: str, role: str) -> Finding:
    about = about.replace("database", "rights")
    if not await connection.fetchval("SELECT has_schema_privilege('public', 'USAGE')"):
        return wrong(about, f"the role {role} may not use the schema public", f"GRANT USAGE ON SCHEMA public TO {role}, as its owner")
    if await connection.fetchval(_READS_ONLY):  # as deploy/k8s gives it to doctor and reconciliation
        return ok(about, f"the role {role} may read every table, and write none: the service's own role is not examined")
    lacking = [(row["relname"], row["privilege"]) for row in await connection.fetch(_LACKING)]
    if lacking:
        shown = ", ".join(f"{privilege} on {table}" for table, privilege in lacking[:_SHOWN])
        more = f" and {len(lacking) - _SHOWN} more" if len(lacking) > _SHOWN else ""
        return wrong(about, f"the role {role} lacks {shown}{more}", "make it the owner of its database's tables, or GRANT it these")
    return ok(about, f"the role {role} may read and write every table")


async def _migrated(connection: "asyncpg.Connection[asyncpg.Record]", service: Service) -> Finding:
    about, package = f"{service} schema", module_of(service)
    needed, todo = head_revision(package), f"run `python -m {package} migrate`, which the migration Job does on a cluster"
    try:
        known = await connection.fetchval("SELECT to_regclass('alembic_version') IS NOT NULL")
        found = await connection.fetchval("SELECT version_num FROM alembic_version") if known else None
    except asyncpg.InsufficientPrivilegeError as error:
        return wrong(about, f"its migration can't be read: {error}", "make the role the owner of its database's tables")
    if found is None:
        return wrong(about, f"the database was never migrated, this release needs {needed}", todo)
    if not is_served_by(package, found):
        return wrong(about, f"the database is at migration {found}, this release needs {needed}", todo)
    later = "" if found == needed else f", later than this release's {needed}, which can work on it"
    return ok(about, f"migration {found}{later}")


async def _clock(connection: "asyncpg.Connection[asyncpg.Record]", service: Service, now: Callable[[], float]) -> Finding:
    before, started = now(), monotonic()
    there = float(await connection.fetchval("SELECT extract(epoch FROM clock_timestamp())::float8"))
    return skew_finding(f"{service} database clock", there, before, before + monotonic() - started)
