"""Bearer tokens of everybody who acts, minted in this process and kept."""

from tuntas_contracts.vocabulary import Role
from tuntas_embedded.issuer import SigningKey, mint_token

_TTL_S = 4 * 3600


class Tokens:
    """One token per role, agency and person."""

    def __init__(self, key: SigningKey) -> None:
        self._key = key
        self._known: dict[tuple[Role, str | None, int], str] = {}

    def of(self, role: Role, agency: str | None = None, person: int = 1) -> str:
        """The token of a person in a role, at an agency where the role is an agency's."""
        known = self._known.get((role, agency, person))
        if known is None:
            subject = "-".join(part for part in (role.value.replace("_", "-"), agency, str(person)) if part)
            known = mint_token(self._key, sub=subject, roles=[role.value], agency=agency, ttl_s=_TTL_S)
            self._known[role, agency, person] = known
        return known
