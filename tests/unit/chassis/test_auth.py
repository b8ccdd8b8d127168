"""Bearer tokens against a real issuer over HTTP: who is admitted, in which roles, for which agency."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated, Any

import httpx
import jwt
import pytest
from fastapi import Depends, FastAPI

from tests.unit.chassis.identity_provider import IdentityProvider, token
from tuntas_chassis.http.auth import Principal, TokenVerifier, require
from tuntas_chassis.http.problems import Problem, install_problems
from tuntas_contracts.vocabulary import Role
from tuntas_embedded.issuer import SigningKey, mint_token


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[IdentityProvider]:
    made = IdentityProvider(tmp_path)
    made.open()
    yield made
    made.close()


@pytest.fixture
def key(provider: IdentityProvider) -> SigningKey:
    return provider.new_key()


@pytest.fixture
def verifier(provider: IdentityProvider) -> TokenVerifier:
    return TokenVerifier(provider.url, "tuntas")


async def _refused(verifier: TokenVerifier, text: str) -> Problem:
    with pytest.raises(Problem) as refusal:
        await verifier.verify(text)
    return refusal.value


async def test_a_sound_token_says_who_it_is(verifier: TokenVerifier, key: SigningKey) -> None:
    text = mint_token(key, sub="budi", roles=[Role.LIAISON_OFFICER, Role.HEAD], agency="kemenkes", name="Budi")
    assert await verifier.verify(text) == Principal("budi", frozenset({Role.LIAISON_OFFICER, Role.HEAD}), "kemenkes", "Budi")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"exp": 1_700_000_000}, "expired"),
        ({"aud": "another"}, "InvalidAudience"),
        ({"iss": "http://127.0.0.1:1"}, "InvalidIssuer"),
        ({"exp": None}, "MissingRequiredClaim"),
        ({"sub": None}, "MissingRequiredClaim"),
        ({"aud": None}, "MissingRequiredClaim"),
        ({"nbf": 4_000_000_000}, "ImmatureSignature"),
    ],
)
async def test_a_token_not_meant_for_us_now_is_refused(
    verifier: TokenVerifier, key: SigningKey, changes: dict[str, Any], says: str
) -> None:
    refusal = await _refused(verifier, token(key, **changes))
    assert refusal.status == 401
    assert says in refusal.detail
    assert refusal.headers == {"WWW-Authenticate": 'Bearer realm="tuntas"'}


async def test_a_signature_counts_only_by_a_listed_key(verifier: TokenVerifier, key: SigningKey, provider: IdentityProvider) -> None:
    stranger = provider.new_key(listed=False)
    assert "does not list" in (await _refused(verifier, token(stranger))).detail
    forged = jwt.encode(jwt.decode(token(key), options={"verify_signature": False}), stranger.private, "ES256", {"kid": key.key_id})
    assert (await _refused(verifier, forged)).status == 401


async def test_no_signature_and_a_borrowed_one_are_refused(verifier: TokenVerifier, key: SigningKey) -> None:
    claims = jwt.decode(token(key), options={"verify_signature": False})
    unsigned = jwt.encode(claims, "", "none", {"kid": key.key_id})
    by_secret = jwt.encode(claims, "a secret that is long enough for HS256", "HS256", {"kid": key.key_id})
    for text in (unsigned, by_secret, "", "x", "a.b.c", token(key)[:-4], token(key) + "A" * 5000):
        assert (await _refused(verifier, text)).status == 401


async def test_a_token_is_not_remembered_beyond_its_end(verifier: TokenVerifier, key: SigningKey) -> None:
    text = mint_token(key, sub="budi", roles=[Role.OPERATOR], ttl_s=2)
    await verifier.verify(text)

    async def refused() -> bool:
        try:
            await verifier.verify(text)
        except Problem as problem:
            return "expired" in problem.detail
        return False

    async with asyncio.timeout(10):
        while not await refused():
            await asyncio.sleep(0.05)


async def test_roles_that_we_do_not_know_and_claims_of_another_shape_give_nothing(verifier: TokenVerifier, key: SigningKey) -> None:
    found = await verifier.verify(token(key, roles=["operator", "king", 7, None], agency=["kemenkes"], name={"first": "Budi"}))
    assert found == Principal("budi", frozenset({Role.OPERATOR}))
    for roles in ("operator", {"operator": True}, 7, None):
        assert (await verifier.verify(token(key, roles=roles))).roles == frozenset()


async def test_the_keys_are_fetched_once_for_many_and_a_token_is_verified_once(
    verifier: TokenVerifier, key: SigningKey, provider: IdentityProvider
) -> None:
    tokens = [token(key, sub=f"officer-{n}") for n in range(20)]
    found = await asyncio.gather(*(verifier.verify(text) for text in tokens))
    assert {p.subject for p in found} == {f"officer-{n}" for n in range(20)}
    assert provider.asked.count("/jwks") == 1


async def test_a_new_key_is_taken_up_and_strangers_keys_do_not_make_us_ask_each_time(
    verifier: TokenVerifier, key: SigningKey, provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    await verifier.verify(token(key))
    for n in range(10):
        await _refused(verifier, token(provider.new_key(listed=False), sub=f"stranger-{n}"))
    assert provider.asked.count("/jwks") == 1, "just asked: who signs with unknown keys can't make us flood the provider"
    rotated = provider.new_key()
    monkeypatch.setattr("tuntas_chassis.http.auth._UNKNOWN_KEY_BACKOFF_S", 0.0)
    assert (await verifier.verify(token(rotated))).subject == "budi"


async def test_a_key_that_is_withdrawn_is_refused_after_the_next_fetch(
    verifier: TokenVerifier, key: SigningKey, provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    await verifier.verify(token(key))
    provider.keys = []
    provider.new_key()
    monkeypatch.setattr("tuntas_chassis.http.auth._REFRESH_KEYS_S", 0.0)
    monkeypatch.setattr("tuntas_chassis.http.auth._UNKNOWN_KEY_BACKOFF_S", 0.0)
    assert (await _refused(verifier, token(key, sub="another token"))).status == 401


async def test_while_the_provider_is_away_all_are_refused_and_afterwards_admitted(
    verifier: TokenVerifier, key: SigningKey, provider: IdentityProvider
) -> None:
    provider.close()
    refusal = await _refused(verifier, token(key))
    assert (refusal.status, refusal.code) == (503, "no_identity_provider")
    assert refusal.headers == {"Retry-After": "5"}
    provider.open()
    assert (await verifier.verify(token(key))).subject == "budi"


async def test_known_keys_serve_on_while_the_provider_is_away(
    verifier: TokenVerifier, key: SigningKey, provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    await verifier.verify(token(key))
    provider.close()
    monkeypatch.setattr("tuntas_chassis.http.auth._REFRESH_KEYS_S", 0.0)
    assert (await verifier.verify(token(key, sub="siti"))).subject == "siti"


async def test_a_provider_that_is_away_is_not_asked_for_each_request(
    verifier: TokenVerifier, key: SigningKey, provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    await verifier.verify(token(key))
    provider.answers["/jwks"] = b"<html>"
    monkeypatch.setattr("tuntas_chassis.http.auth._REFRESH_KEYS_S", 0.0)
    for n in range(20):
        await verifier.verify(token(key, sub=f"officer-{n}"))
    assert provider.asked.count("/jwks") == 2, "the first fetch, and one that failed"


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/jwks"])
@pytest.mark.parametrize("answer", [b"<html>", b"[]", b"{}", b'{"jwks_uri": "http://["}', b'{"keys": [{"kty": "none"}]}'])
async def test_a_provider_that_talks_nonsense_is_as_one_that_is_away(
    verifier: TokenVerifier, key: SigningKey, provider: IdentityProvider, path: str, answer: bytes
) -> None:
    provider.answers[path] = answer
    assert (await _refused(verifier, token(key))).status == 503


@pytest.mark.parametrize(
    ("roles", "agency", "covered"),
    [
        ({Role.LIAISON_OFFICER}, "kemenkes", True),
        ({Role.LIAISON_OFFICER}, "kab-sleman", False),
        ({Role.LIAISON_OFFICER}, None, False),
        ({Role.NATIONAL_ADMINISTRATOR}, None, True),
        ({Role.OPERATOR}, None, False),
    ],
)
def test_an_agencys_cases_are_its_own_and_the_national_administrators(roles: set[Role], agency: str | None, covered: bool) -> None:
    caller = Principal("budi", frozenset(roles), agency)
    if covered:
        caller.act_for("kemenkes")
    else:
        with pytest.raises(Problem, match="other_agency") as refusal:
            caller.act_for("kemenkes")
        assert refusal.value.status == 403


@pytest.fixture
async def http(verifier: TokenVerifier) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.state.tokens = verifier
    install_problems(app)

    @app.get("/parked")
    async def parked(caller: Annotated[Principal, Depends(require(Role.OPERATOR, Role.SUPERVISOR))]) -> str:
        return caller.subject

    @app.get("/anybody")
    async def anybody(caller: Annotated[Principal, Depends(require())]) -> str:
        return caller.subject

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tests") as client:
        yield client


async def test_an_endpoint_asks_for_a_token_and_for_one_of_its_roles(http: httpx.AsyncClient, key: SigningKey) -> None:
    async def ask(path: str, authorization: str | None) -> httpx.Response:
        return await http.get(path, headers={"Authorization": authorization} if authorization is not None else {})

    operator, officer = (f"Bearer {mint_token(key, sub='budi', roles=[role])}" for role in (Role.OPERATOR, Role.LIAISON_OFFICER))
    assert (await ask("/parked", operator)).json() == "budi"
    wrong_role = await ask("/parked", officer)
    assert (wrong_role.status_code, wrong_role.json()["code"]) == (403, "wrong_role")
    assert "operator, supervisor" in wrong_role.json()["detail"]
    assert (await ask("/anybody", officer)).json() == "budi"
    for missing in (None, "", "Basic YTpi", "Bearer", "Bearer "):
        answer = await ask("/parked", missing)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authorised"), missing
        assert answer.headers["www-authenticate"].startswith("Bearer")
