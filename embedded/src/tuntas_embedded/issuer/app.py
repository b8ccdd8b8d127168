"""The issuer's HTTP face: discovery document, keys, and the token endpoint (client credentials, RFC 6749)."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tuntas_embedded.issuer.clients import TOKEN_ROLES, Client, authenticated
from tuntas_embedded.issuer.tokens import ALGORITHM, SigningKey, mint_token

_DEFAULT_TTL_S = 3600
_LONGEST_TTL_S = 24 * 3600


class Refused(Exception):
    """A token request that is not granted, with RFC 6749's error code."""

    def __init__(self, code: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.code = code
        self.status = status


def discovery_document(issuer: str) -> dict[str, Any]:
    """What a client needs to know of the issuer (OpenID Connect Discovery 1.0)."""
    return {
        "issuer": issuer,
        "jwks_uri": f"{issuer}/jwks",
        "token_endpoint": f"{issuer}/token",
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
    }


def grant(key: SigningKey, clients: Mapping[str, Client], form: Mapping[str, str], basic: str | None) -> dict[str, Any]:
    """The answer to a token request; `basic` is the Authorization header, if any.

    Raises:
        Refused: with the reason.
    """
    if form.get("grant_type") != "client_credentials":
        raise Refused("unsupported_grant_type", "only client_credentials is granted here")
    client_id, secret = _credentials(form, basic)
    client = authenticated(clients, client_id, secret)
    if client is None:
        raise Refused("invalid_client", "no such client, or another secret", 401)
    agency = form.get("agency") or None
    roles, sub, name = client.roles, client.client_id, client.name
    if client.any_claims:
        roles = tuple(form.get("roles", "").replace(",", " ").split())
        sub, name = form.get("sub", client.client_id), form.get("name", form.get("sub", client.name))
        unknown = sorted(set(roles) - TOKEN_ROLES)
        if unknown or not roles:
            raise Refused("invalid_request", f"roles: give some of {', '.join(sorted(TOKEN_ROLES))}; not {unknown}")
    elif client.needs_agency:
        if agency is None:
            raise Refused("invalid_request", f"agency: say for which agency's code {client_id} acts")
        sub, name = f"{client_id}@{agency}", f"{client.name} of {agency}"
    elif agency is not None:
        raise Refused("invalid_request", f"agency: {client_id} acts for no agency")
    ttl_s = _ttl(form.get("ttl_s"))
    token = mint_token(key, sub=sub, roles=roles, agency=agency, name=name, ttl_s=ttl_s)
    return {"access_token": token, "token_type": "Bearer", "expires_in": ttl_s}


def _credentials(form: Mapping[str, str], basic: str | None) -> tuple[str, str]:
    if basic is None:
        return form.get("client_id", ""), form.get("client_secret", "")
    scheme, _, encoded = basic.partition(" ")
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        scheme = ""
    if scheme.lower() != "basic":
        raise Refused("invalid_client", "the Authorization header is not Basic", 401)
    return unquote(client_id), unquote(secret)


def _ttl(given: str | None) -> int:
    try:
        ttl_s = int(given or _DEFAULT_TTL_S)
    except ValueError:
        ttl_s = 0
    if not 1 <= ttl_s <= _LONGEST_TTL_S:
        raise Refused("invalid_request", f"ttl_s: give seconds between 1 and {_LONGEST_TTL_S}")
    return ttl_s


def build(key: SigningKey, clients: Mapping[str, Client]) -> Starlette:
    """The ASGI application."""

    async def token(request: Request) -> Response:
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode("utf-8", "replace")).items()}
        headers = {"Cache-Control": "no-store"}
        try:
            granted = grant(key, clients, form, request.headers.get("Authorization"))
        except Refused as refused:
            body = {"error": refused.code, "error_description": str(refused)}
            return JSONResponse(body, refused.status, headers)
        return JSONResponse(granted, headers=headers)

    async def discovery(_: Request) -> Response:
        return JSONResponse(discovery_document(key.issuer))

    async def jwks(_: Request) -> Response:
        return JSONResponse({"keys": [key.public_jwk()]})

    async def ready(_: Request) -> Response:
        return JSONResponse({"status": "ready"})

    return Starlette(
        routes=[
            Route("/.well-known/openid-configuration", discovery),
            Route("/jwks", jwks),
            Route("/token", token, methods=["POST"]),
            Route("/readyz", ready),
        ]
    )
