"""The issuer's tokens verify against the keys that it publishes, and nobody gets one that is not theirs."""

import stat
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from tuntas_contracts.vocabulary import Role, Service
from tuntas_embedded.issuer import AUDIENCE, SigningKey, mint_token
from tuntas_embedded.issuer.app import build
from tuntas_embedded.issuer.clients import ADMIN, TOKEN_ROLES, client_id_of, make_clients, read_clients, write_clients

ISSUER = "http://127.0.0.1:8099"
CLIENTS = make_clients(lambda client_id: f"secret of {client_id}")


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    return SigningKey.of_file(tmp_path / "key.pem", ISSUER)


@pytest.fixture
def http(key: SigningKey) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(build(key, CLIENTS)), base_url=ISSUER)


async def verified(http: httpx.AsyncClient, token: str) -> dict[str, Any]:
    """The claims of a token, checked as a service checks them: by discovery and published keys."""
    discovery = (await http.get("/.well-known/openid-configuration")).json()
    keys = jwt.PyJWKSet.from_dict((await http.get(discovery["jwks_uri"])).json())
    signing = keys[jwt.get_unverified_header(token)["kid"]]
    return jwt.decode(token, signing, ["ES256"], audience=AUDIENCE, issuer=discovery["issuer"])


async def ask(http: httpx.AsyncClient, client_id: str, **form: str) -> httpx.Response:
    endpoint = (await http.get("/.well-known/openid-configuration")).json()["token_endpoint"]
    secret = form.pop("secret", f"secret of {client_id}")
    return await http.post(
        endpoint,
        data={"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret, **form},
    )


async def test_a_minted_token_verifies_and_carries_its_claims(http: httpx.AsyncClient, key: SigningKey) -> None:
    token = mint_token(key, sub="budi", roles=[Role.AGENCY_ADMINISTRATOR], agency="kemenkes", name="Budi")
    claims = await verified(http, token)
    assert (claims["sub"], claims["roles"], claims["agency"]) == ("budi", ["agency_administrator"], "kemenkes")
    assert claims["name"] == "Budi"
    assert claims["exp"] - claims["iat"] == 3600


async def test_without_an_agency_the_claim_is_absent(http: httpx.AsyncClient, key: SigningKey) -> None:
    assert "agency" not in await verified(http, mint_token(key, sub="a", roles=[Role.OPERATOR]))


async def test_an_expired_token_is_refused(http: httpx.AsyncClient, key: SigningKey) -> None:
    with pytest.raises(jwt.ExpiredSignatureError):
        await verified(http, mint_token(key, sub="a", roles=[Role.OPERATOR], ttl_s=-10))


@pytest.mark.parametrize("service", list(Service))
async def test_every_service_gets_its_own_token(http: httpx.AsyncClient, service: Service) -> None:
    answer = await ask(http, service.value)
    claims = await verified(http, answer.json()["access_token"])
    assert (claims["sub"], claims["roles"]) == (service.value, ["service"])


async def test_the_secret_may_come_in_the_header(http: httpx.AsyncClient) -> None:
    answer = await http.post("/token", data={"grant_type": "client_credentials"}, auth=("notifier", "secret of notifier"))
    assert (await verified(http, answer.json()["access_token"]))["sub"] == "notifier"


async def test_an_agencys_client_says_for_which_agency(http: httpx.AsyncClient) -> None:
    client_id = client_id_of(Role.AGENCY_SYSTEM)
    refused = await ask(http, client_id)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")
    claims = await verified(http, (await ask(http, client_id, agency="kemenhub")).json()["access_token"])
    assert (claims["roles"], claims["agency"]) == (["agency_system"], "kemenhub")


async def test_the_administrator_may_have_any_claims(http: httpx.AsyncClient) -> None:
    answer = await ask(http, ADMIN, sub="siti", roles="head, inspectorate", agency="kemenkeu", ttl_s="60")
    claims = await verified(http, answer.json()["access_token"])
    assert (claims["sub"], claims["roles"], claims["agency"]) == ("siti", ["head", "inspectorate"], "kemenkeu")
    assert answer.json()["expires_in"] == 60


@pytest.mark.parametrize(
    ("client_id", "form", "status", "error"),
    [
        ("intake", {"secret": "guessed"}, 401, "invalid_client"),
        ("nobody", {}, 401, "invalid_client"),
        ("intake", {"grant_type": "password"}, 400, "unsupported_grant_type"),
        ("intake", {"agency": "kemenkes"}, 400, "invalid_request"),
        ("intake", {"ttl_s": "999999999"}, 400, "invalid_request"),
        (ADMIN, {"roles": "emperor"}, 400, "invalid_request"),
        (ADMIN, {}, 400, "invalid_request"),
    ],
)
async def test_what_is_not_granted_is_refused_with_a_reason(
    http: httpx.AsyncClient, client_id: str, form: dict[str, str], status: int, error: str
) -> None:
    answer = await ask(http, client_id, **form)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json()["error_description"]


def test_key_and_clients_survive_in_files_of_their_owner(tmp_path: Path, key: SigningKey) -> None:
    again = SigningKey.of_file(tmp_path / "key.pem", ISSUER)
    assert again.public_jwk() == key.public_jwk()
    write_clients(tmp_path / "clients.json", CLIENTS)
    assert read_clients(tmp_path / "clients.json") == CLIENTS
    for name in ("key.pem", "clients.json"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_there_is_a_client_for_every_role_of_a_token() -> None:
    assert {role for client in CLIENTS.values() for role in client.roles} == TOKEN_ROLES
