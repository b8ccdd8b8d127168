"""The development token issuer, where other containers reach it. All its clients have one secret: for development only."""

import argparse
import os
import tempfile
from pathlib import Path

import uvicorn

from tuntas_embedded.issuer.app import build
from tuntas_embedded.issuer.clients import make_clients
from tuntas_embedded.issuer.tokens import SigningKey


def main() -> None:
    """Serve until SIGTERM. The signing key lives as long as the container's /tmp."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="0.0.0.0")  # noqa: S104 – the container's own interface
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--url", required=True, help="how services reach this: it stands in every token")
    told = parser.parse_args()
    secret = os.environ["DEVELOPMENT_CLIENT_SECRET"]
    key = SigningKey.of_file(Path(tempfile.gettempdir()) / "signing-key.pem", told.url)
    uvicorn.run(build(key, make_clients(lambda _: secret)), host=told.host, port=told.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
