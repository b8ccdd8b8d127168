"""Bearer tokens of an OpenID Connect provider: who it is, in which roles, for which agency."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic, time
from typing import Annotated, Any

import httpx
import jwt
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from tuntas_chassis.http.problems import Problem
from tuntas_contracts.vocabulary import Role

_ALGORITHMS = ["ES256", "RS256"]
_REFRESH_KEYS_S = 300.0
_UNKNOWN_KEY_BACKOFF_S = 5.0
_CACHED_TOKENS = 10_000


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls. National roles have no agency; an officer's or agency system's scope is one agency."""

    subject: str
    roles: frozenset[Role]
    agency: str | None = None
    name: str | None = None

    def act_for(self, agency: str) -> None:
        """Raise 403 unless this principal may act for the agency: its own, or a national administrator for all."""
        if Role.NATIONAL_ADMINISTRATOR in self.roles or self.agency == agency:
            return
        raise Problem(403, "Another agency's case", "Your token's agency does not cover this case.", "other_agency")


class TokenVerifier:
    """Verifies tokens against the provider's keys, which it fetches once and again when they change."""

    def __init__(self, issuer: str, audience: str) -> None:
        self._issuer = issuer.rstrip("/")
        self._audience = audience
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at = -float("inf")
        self._asked_at = -float("inf")
        self._lock = asyncio.Lock()
        self._known: dict[str, tuple[float, Principal]] = {}

    async def verify(self, token: str) -> Principal:
        """The principal of a valid token; raises Problem 401 or 503."""
        known = self._known.get(token)
        if known is not None and known[0] > time():
            return known[1]
        try:
            header = jwt.get_unverified_header(token)
            key = await self._key(str(header.get("kid", "")))
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=_ALGORITHMS,
                audience=self._audience,
                issuer=self._issuer,
                options={"require": ["exp", "sub", "iss", "aud"]},
            )
        except jwt.ExpiredSignatureError as error:
            raise _unauthorised("The token has expired; ask for a new one.") from error
        except (jwt.PyJWTError, ValueError) as error:
            raise _unauthorised(f"The token is not valid for this platform ({type(error).__name__}).") from error
        principal = Principal(
            subject=str(claims["sub"])[:200],
            roles=frozenset(Role(r) for r in _strings(claims.get("roles")) if r in Role._value2member_map_),
            agency=claims["agency"] if isinstance(claims.get("agency"), str) else None,
            name=claims["name"] if isinstance(claims.get("name"), str) else None,
        )
        if len(self._known) >= _CACHED_TOKENS:
            self._known.clear()
        self._known[token] = (float(claims["exp"]), principal)
        return principal

    async def _key(self, kid: str) -> jwt.PyJWK:
        age = monotonic() - self._fetched_at
        if age > _REFRESH_KEYS_S or (kid not in self._keys and age > _UNKNOWN_KEY_BACKOFF_S):
            async with self._lock:
                if monotonic() - self._asked_at >= min(age, _UNKNOWN_KEY_BACKOFF_S):
                    await self._fetch()
        try:
            return self._keys[kid]
        except KeyError as error:
            raise _unauthorised("The token is signed with a key that the identity provider does not list.") from error

    async def _fetch(self) -> None:
        try:
            async with httpx.AsyncClient(timeout=5) as client:
                discovery = await client.get(f"{self._issuer}/.well-known/openid-configuration")
                found = await client.get(discovery.raise_for_status().json()["jwks_uri"])
                keys = jwt.PyJWKSet.from_dict(found.raise_for_status().json())
        except (httpx.HTTPError, httpx.InvalidURL, AttributeError, KeyError, TypeError, ValueError, jwt.PyJWTError) as error:
            if self._keys:  # those that we have may be good for long; a provider that is away must not hold up each request
                self._asked_at = monotonic()
                return
            raise Problem(
                503,
                "The identity provider does not answer",
                "Try again in a few seconds.",
                "no_identity_provider",
                headers={"Retry-After": "5"},
            ) from error
        self._keys = {str(key.key_id): key for key in keys.keys}
        self._fetched_at = self._asked_at = monotonic()


def _strings(value: object) -> list[str]:
    return [v for v in value if isinstance(v, str)] if isinstance(value, list) else []


def _unauthorised(detail: str) -> Problem:
    return Problem(401, "Not authorised", detail, "not_authorised", headers={"WWW-Authenticate": 'Bearer realm="tuntas"'})


_bearer = HTTPBearer(auto_error=False, description="Token of the identity provider")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


async def optional_principal(request: Request, credentials: Credentials) -> Principal | None:
    """The caller, or None where no token was sent."""
    if credentials is None:
        if "authorization" in request.headers:
            raise _unauthorised("Send the token as `Authorization: Bearer <token>`.")
        return None
    verifier: TokenVerifier = request.app.state.tokens
    return await verifier.verify(credentials.credentials)


def require(*roles: Role) -> Callable[..., Awaitable[Principal]]:
    """A FastAPI dependency: the caller, who must have one of these roles (401 without a token, 403 otherwise)."""

    async def principal(found: Annotated[Principal | None, Depends(optional_principal)]) -> Principal:
        if found is None:
            raise _unauthorised("Send a bearer token of the identity provider.")
        if roles and not found.roles.intersection(roles):
            wanted = ", ".join(sorted(roles))
            raise Problem(403, "Not allowed", f"This needs one of the roles: {wanted}.", "wrong_role")
        return found

    return principal
