"""An identity provider on a loopback port: discovery, keys, and what goes wrong with either."""

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt

from tuntas_embedded.issuer import SigningKey
from tuntas_embedded.issuer.app import discovery_document


@dataclass
class IdentityProvider:
    """Serves the keys in `keys`; `answers` replaces a path's answer. Its URL stays the same after `close` and `open`."""

    folder: Path
    keys: list[SigningKey] = field(default_factory=list)
    answers: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    port: int = 0
    _server: ThreadingHTTPServer | None = None

    def open(self) -> None:
        """Listen, from now on."""
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.asked.append(self.path)
                body = provider.answer(self.path)
                self.send_response(200 if body is not None else 404)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_args: Any) -> None:
                """Nothing: the test's output is not for this."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        """Refuse connections, from now on."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    @property
    def url(self) -> str:
        """The issuer, as it is in tokens."""
        return f"http://127.0.0.1:{self.port}"

    def answer(self, path: str) -> bytes | None:
        """The body for a path; None where there is nothing."""
        usual = {
            "/.well-known/openid-configuration": discovery_document(self.url),
            "/jwks": {"keys": [key.public_jwk() for key in self.keys]},
        }
        if path in self.answers:
            return self.answers[path]
        return json.dumps(usual[path]).encode() if path in usual else None

    def new_key(self, *, listed: bool = True) -> SigningKey:
        """A key of this issuer, listed among its keys or not."""
        key = SigningKey.of_file(self.folder / f"key-{len(list(self.folder.iterdir()))}.pem", self.url)
        if listed:
            self.keys.append(key)
        return key


def token(key: SigningKey, **changes: Any) -> str:
    """A token with these claims instead of sound ones; a claim that is None is left out."""
    claims = {"iss": key.issuer, "aud": "tuntas", "sub": "budi", "exp": 4_000_000_000, "roles": ["operator"]} | changes
    given = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(given, key.private, algorithm="ES256", headers={"kid": key.key_id})
