"""Stands in for a service: answers `/readyz`, writes down its environment, ends on SIGTERM, knows `load-register`."""

import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Ready(BaseHTTPRequestHandler):
    """Says 200 to everything."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 – the library's name
        """Say nothing."""


def main() -> None:
    """Be the service, or load the register."""
    variables = {name: value for name, value in os.environ.items() if name.startswith("TUNTAS_")}
    name = "load-register" if "load-register" in sys.argv else Path(variables["TUNTAS_TRACE_FILE"]).stem
    Path(f"{name}.environment.json").write_text(json.dumps(variables), encoding="utf-8")
    if "load-register" in sys.argv:
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    ThreadingHTTPServer((variables["TUNTAS_HTTP_HOST"], int(variables["TUNTAS_HTTP_PORT"])), Ready).serve_forever()


if __name__ == "__main__":
    main()
