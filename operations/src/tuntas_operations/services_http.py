"""The services over HTTP as the operator: with a bearer token, and with every refusal as a sentence."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import httpx

from tuntas_contracts.vocabulary import Service
from tuntas_operations.errors import StackError, Unreachable
from tuntas_operations.installation import Installation, NotSet
from tuntas_operations.settings import variable

_WITHIN_S = 60.0
Json = dict[str, Any]


class Refused(StackError):
    """A service said no. `status` is HTTP's, `code` the problem's; `faults` are the single fields that it names."""

    def __init__(self, sentence: str, status: int, code: str, faults: Sequence[str] = ()) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code
        self.faults = faults


class ServicesHttp:
    """Calls the services of one installation; a `with` block leaves no connection behind."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._http = httpx.Client(timeout=_WITHIN_S)
        self._token: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def call(
        self,
        service: Service,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
        if_match: str | None = None,
    ) -> Json:
        """One request; gives the answer's JSON. `if_match` is the version that is to be changed.

        Raises:
            NotSet: the service's address or a token is not there.
            Unreachable: the service does not answer.
            Refused: it refuses.
        """
        url = self._installation.needs_url(service) + path
        if self._token is None:
            self._token = operator_token(self._installation, self._http)
        headers = {"Authorization": f"Bearer {self._token}"} | ({"If-Match": f'"{if_match}"'} if if_match else {})
        try:
            answer = self._http.request(method, url, params=query, json=body, headers=headers)
        except httpx.HTTPError as error:
            raise Unreachable(f"{service} at {self._installation.needs_url(service)} does not answer: {_named(error)}") from error
        content = _json(answer)
        if answer.is_success:
            return content
        why = content.get("detail") or content.get("title") or answer.reason_phrase
        faults = [f"{fault.get('field')}: {fault.get('message')}" for fault in content.get("errors") or []]
        raise Refused(f"{service}: {why}", answer.status_code, str(content.get("code", "")), faults)


def operator_token(installation: Installation, http: httpx.Client) -> str:
    """The operator's bearer token: the one given, minted for a local stack, or the issuer's for the client's credentials.

    Raises:
        NotSet: there is no way to have one.
        Unreachable: the issuer does not answer, or refuses the client.
    """
    if installation.token is not None:
        return installation.token()
    if installation.client is None or installation.issuer is None:
        raise NotSet(
            f"no token: set {variable('token')} to your own bearer token with the role operator, "
            f"or {variable('oidc_issuer')}, {variable('client_id')} and {variable('client_secret')}"
        )
    client_id, secret = installation.client
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    try:
        found = http.get(f"{installation.issuer.rstrip('/')}/.well-known/openid-configuration").raise_for_status().json()
        answer = http.post(found["token_endpoint"], data=form).raise_for_status().json()
        return str(answer["access_token"])
    except httpx.HTTPStatusError as error:
        status = error.response.status_code
        raise Unreachable(f"the issuer {installation.issuer} gives the client {client_id} no token: it answers {status}") from error
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        raise Unreachable(f"the issuer {installation.issuer} can't be asked for a token: {_named(error)}") from error


def _named(error: Exception) -> str:
    return f"{type(error).__name__} {error}".strip()


def _json(answer: httpx.Response) -> Json:
    try:
        content = answer.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
