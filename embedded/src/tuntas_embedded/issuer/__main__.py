"""`python -m tuntas_embedded.issuer --port 8099 --folder …`: runs the issuer until SIGTERM or Ctrl-C."""

import argparse
import asyncio
import signal
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from tuntas_chassis.http.server import HttpServer
from tuntas_embedded.issuer.app import build
from tuntas_embedded.issuer.clients import read_clients
from tuntas_embedded.issuer.tokens import SigningKey
from tuntas_embedded.ports import LOOPBACK


def main() -> None:
    """Read key and clients from the folder and serve."""
    parser = argparse.ArgumentParser(prog="tuntas_embedded.issuer", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="loopback port")
    parser.add_argument("--folder", type=Path, required=True, help="holds signing-key.pem and clients.json")
    arguments = parser.parse_args()
    key = SigningKey.of_file(arguments.folder / "signing-key.pem", f"http://{LOOPBACK}:{arguments.port}")
    clients = read_clients(arguments.folder / "clients.json")
    asyncio.run(_serve(build(key, clients), arguments.port))


async def _serve(app: Starlette, port: int) -> None:
    server = HttpServer(uvicorn.Config(app, host=LOOPBACK, port=port, log_level="warning", access_log=False))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, server.end)
    await server.serve()


if __name__ == "__main__":
    main()
