"""Contacts from intake: many at once, at the moment of sending, with the purpose that intake writes to its access log."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import httpx
from pydantic import BaseModel, ValidationError

from notifier.adapters.service_token import ServiceToken
from notifier.application.ports import Contact, ContactRequest, ContactsUnavailable


class _Found(BaseModel):
    reporter_ref: UUID
    case_id: UUID
    name: str | None
    email: str | None
    phone: str | None
    access_code: str | None = None


class _Answer(BaseModel):
    contacts: list[_Found]


class IntakeContacts:
    """Implements `notifier.application.ports.ContactDirectory`."""

    def __init__(self, http: httpx.AsyncClient, intake_url: str, token: ServiceToken) -> None:
        self._http = http
        self._url = f"{intake_url.rstrip('/')}/v1/contacts/lookup"
        self._token = token

    async def look_up(self, requests: Sequence[ContactRequest]) -> Mapping[UUID, Contact]:
        """Ask intake; a token that is not accepted is replaced once."""
        answer = await self._ask(requests)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self._token.refused()
            answer = await self._ask(requests)
        if answer.status_code != httpx.codes.OK:
            raise ContactsUnavailable(f"intake answered {answer.status_code} to the look-up of {len(requests)} contacts")
        try:
            found = _Answer.model_validate_json(answer.content)
        except ValidationError as error:
            fields = sorted({".".join(map(str, e["loc"])) for e in error.errors(include_input=False)})[:5]
            raise ContactsUnavailable(f"intake's answer is not what was agreed: {', '.join(fields)}") from None
        return {c.reporter_ref: Contact(c.name, c.email, c.phone, c.access_code) for c in found.contacts}

    async def _ask(self, requests: Sequence[ContactRequest]) -> httpx.Response:
        wanted = [
            {"reporter_ref": str(r.reporter_ref), "case_id": str(r.case_id), "purpose": r.purpose}
            | ({"access_code": True} if r.access_code else {})
            for r in requests
        ]
        try:
            return await self._http.post(
                self._url, json={"contacts": wanted}, headers={"Authorization": f"Bearer {await self._token.bearer()}"}
            )
        except httpx.HTTPError as error:
            raise ContactsUnavailable(f"intake does not answer: {type(error).__name__}") from error
