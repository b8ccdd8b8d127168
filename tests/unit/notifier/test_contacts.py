"""Looking contacts up at intake, with the notifier's own token."""

import json
from collections.abc import Callable

import httpx
import pytest

from notifier.adapters.contacts import IntakeContacts
from notifier.adapters.service_token import ServiceToken
from notifier.application.ports import Contact, ContactRequest, ContactsUnavailable
from tests.unit.notifier.builders import CASE_ID, REPORTER_REF

REQUEST = ContactRequest(REPORTER_REF, CASE_ID, "notice:receipt")


class FakeWorld:
    """An identity provider and intake behind one HTTP transport."""

    def __init__(self) -> None:
        self.tokens_given = 0
        self.accepted = {"token-1"}
        self.lookups: list[dict[str, object]] = []
        self.provider_status = 200
        self.intake_status = 200
        self.now = 0.0
        self.contacts: list[dict[str, object]] = [
            {
                "reporter_ref": str(REPORTER_REF),
                "case_id": str(CASE_ID),
                "tracking_id": "2611-7KQ4-XM",
                "language": "id",
                "name": "Siti",
                "email": "siti@contoh.example",
                "phone": None,
            }
        ]

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer as both."""
        if request.url.path.endswith("openid-configuration"):
            return httpx.Response(self.provider_status, json={"token_endpoint": "http://issuer.example/token"})
        if request.url.path == "/token":
            assert b"grant_type=client_credentials" in request.content
            assert b"client_id=notifier" in request.content
            self.tokens_given += 1
            return httpx.Response(200, json={"access_token": f"token-{self.tokens_given}", "expires_in": 300})
        assert str(request.url) == "http://intake.example/v1/contacts/lookup"
        if request.headers["Authorization"].removeprefix("Bearer ") not in self.accepted:
            return httpx.Response(401)
        self.lookups.append(json.loads(request.content))
        return httpx.Response(self.intake_status, json={"contacts": self.contacts, "missing": []})

    def directory(self, answer: Callable[[httpx.Request], httpx.Response] | None = None) -> IntakeContacts:
        """The gateway to it."""
        http = httpx.AsyncClient(transport=httpx.MockTransport(answer or self.answer))
        token = ServiceToken(http, "http://issuer.example/", "notifier", "secret", lambda: self.now)
        return IntakeContacts(http, "http://intake.example/", token)


async def test_contacts_are_asked_for_with_the_purpose_and_the_token_is_kept_until_it_expires() -> None:
    world = FakeWorld()
    directory = world.directory()
    for _ in range(3):
        assert await directory.look_up([REQUEST]) == {REPORTER_REF: Contact("Siti", "siti@contoh.example", None)}
    assert world.tokens_given == 1
    assert world.lookups[0] == {"contacts": [{"reporter_ref": str(REPORTER_REF), "case_id": str(CASE_ID), "purpose": "notice:receipt"}]}
    world.now = 271.0
    world.accepted.add("token-2")
    await directory.look_up([REQUEST])
    assert world.tokens_given == 2


async def test_only_for_a_receipt_an_access_code_is_asked_for_and_passed_to_the_mail() -> None:
    world = FakeWorld()
    world.contacts[0]["access_code"] = "AAAA-BBBB-CCCC-DDDD"
    found = await world.directory().look_up([ContactRequest(REPORTER_REF, CASE_ID, "notice:receipt", access_code=True)])
    assert found[REPORTER_REF].access_code == "AAAA-BBBB-CCCC-DDDD"
    assert world.lookups == [
        {"contacts": [{"reporter_ref": str(REPORTER_REF), "case_id": str(CASE_ID), "purpose": "notice:receipt", "access_code": True}]}
    ]


async def test_a_token_that_is_not_accepted_any_more_is_replaced_once() -> None:
    world = FakeWorld()
    directory = world.directory()
    await directory.look_up([REQUEST])
    world.accepted = {"token-2"}
    await directory.look_up([REQUEST])
    world.accepted = set()
    with pytest.raises(ContactsUnavailable, match="401"):
        await directory.look_up([REQUEST])


async def test_a_reporter_whose_data_were_erased_is_left_out() -> None:
    world = FakeWorld()
    world.contacts = []
    assert await world.directory().look_up([REQUEST]) == {}


@pytest.mark.parametrize("status", [403, 422, 500, 503])
async def test_whatever_intake_answers_but_contacts_is_no_look_up(status: int) -> None:
    world = FakeWorld()
    world.intake_status = status
    with pytest.raises(ContactsUnavailable, match=str(status)):
        await world.directory().look_up([REQUEST])


async def test_an_identity_provider_that_does_not_let_us_in_is_named() -> None:
    world = FakeWorld()
    world.provider_status = 503
    with pytest.raises(ContactsUnavailable, match=r"issuer\.example"):
        await world.directory().look_up([REQUEST])


async def test_a_broken_answer_is_reported_without_the_contacts_in_it() -> None:
    world = FakeWorld()
    world.contacts = [{"reporter_ref": "no uuid", "case_id": str(CASE_ID), "name": "Siti", "email": "siti@contoh.example", "phone": None}]
    with pytest.raises(ContactsUnavailable) as raised:
        await world.directory().look_up([REQUEST])
    assert "Siti" not in str(raised.value)
    assert "contacts.0.reporter_ref" in str(raised.value)


async def test_an_intake_that_cannot_be_reached_is_no_look_up() -> None:
    world = FakeWorld()

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "intake.example":
            raise httpx.ConnectError("refused", request=request)
        return world.answer(request)

    with pytest.raises(ContactsUnavailable, match="ConnectError"):
        await world.directory(answer).look_up([REQUEST])
