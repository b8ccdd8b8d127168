"""`python -m dispatch load-register [--folder FOLDER]`: brings the agency register of files into the database."""

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from dispatch.adapters.register_store import Loaded, load_into
from dispatch.domain.register import Register, RegisterError, load_register
from tuntas_chassis.persistence.database_retry import retry_while_unavailable
from tuntas_chassis.service import ServiceApp


async def load(app: ServiceApp, register: Register) -> Loaded:
    """Write what is new or changed and publish it, in one transaction."""
    async with app.database.begin() as connection:
        loaded = await load_into(connection, list(register), app.clock)
        await app.outbox.write(connection, loaded.outgoing)
    app.outbox.written()
    return loaded


async def load_register_command(app: ServiceApp, arguments: Sequence[str]) -> int:
    """Load and say what came of it; 1 and every fault by its line where the files are not right."""
    parser = argparse.ArgumentParser(prog="python -m dispatch load-register", description="Load the agency register.")
    parser.add_argument("--folder", type=Path, help="the CSV files; those that come with dispatch where left out")
    folder: Path | None = parser.parse_args(arguments).folder
    try:
        loaded = await retry_while_unavailable("load-register", partial(load, app, load_register(folder)))
    except RegisterError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        await app.database.close()
    sys.stdout.write(
        f"register loaded: {loaded.added} agencies added, {loaded.changed} changed, {loaded.unchanged} unchanged; "
        f"left as they are: {loaded.kept} that operators set otherwise, {loaded.absent} that are not in the files\n"
    )
    return 0
