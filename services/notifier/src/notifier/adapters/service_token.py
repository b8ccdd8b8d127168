"""The notifier's own bearer token: client credentials at the identity provider (RFC 6749, section 4.4), kept until it expires."""

import asyncio
from collections.abc import Callable

import httpx

from notifier.application.ports import ContactsUnavailable

_EARLY_S = 30.0


class ServiceToken:
    """Asks for a token when there is none, or when it is about to expire."""

    def __init__(self, http: httpx.AsyncClient, issuer: str, client_id: str, client_secret: str, monotonic: Callable[[], float]) -> None:
        self._http = http
        self._issuer = issuer.rstrip("/")
        self._credentials = (client_id, client_secret)
        self._monotonic = monotonic
        self._endpoint: str | None = None
        self._token = ""
        self._good_until = -1.0
        self._asking = asyncio.Lock()

    async def bearer(self) -> str:
        """A token that is good for a while yet. Raises ContactsUnavailable."""
        async with self._asking:
            if self._monotonic() >= self._good_until:
                await self._ask()
            return self._token

    def refused(self) -> None:
        """The token was not accepted: ask for another next time."""
        self._good_until = -1.0

    async def _ask(self) -> None:
        endpoint = self._endpoint or await self._discover()
        client_id, secret = self._credentials
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
        answer = await self._request("POST", endpoint, data=form)
        token, lifetime = answer.get("access_token"), answer.get("expires_in", 60)
        if not isinstance(token, str) or not isinstance(lifetime, int | float):
            raise ContactsUnavailable(f"the token endpoint {endpoint} answered without an access_token")
        self._endpoint, self._token = endpoint, token
        self._good_until = self._monotonic() + max(1.0, float(lifetime) - _EARLY_S)

    async def _discover(self) -> str:
        document = await self._request("GET", f"{self._issuer}/.well-known/openid-configuration")
        endpoint = document.get("token_endpoint")
        if not isinstance(endpoint, str):
            raise ContactsUnavailable(f"the issuer {self._issuer} names no token_endpoint in its discovery document")
        return endpoint

    async def _request(self, method: str, url: str, data: dict[str, str] | None = None) -> dict[str, object]:
        try:
            answer = await self._http.request(method, url, data=data)
            if answer.status_code != httpx.codes.OK:
                raise ContactsUnavailable(f"{url} answered {answer.status_code}: check the notifier's client id and secret there")
            found = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise ContactsUnavailable(f"{url} can't be asked for a token: {type(error).__name__}") from error
        return found if isinstance(found, dict) else {}
