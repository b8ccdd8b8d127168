"""E-mail addresses, wherever one is taken: checked, and in the one notation in which every mail server takes them."""

import re
from typing import Annotated, Final

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email
from pydantic import AfterValidator, Field

MAX_CHARACTERS: Final = 254
"""RFC 5321, with the domain in its ASCII form."""

_PLAIN: Final = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9._+-]{0,62}[A-Za-z0-9])?@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+([A-Za-z]{2,63})"
)
_RESERVED: Final = frozenset(name.rpartition(".")[2] for name in SPECIAL_USE_DOMAIN_NAMES)
"""Top-level domains of which some or all names are nobody's (RFC 6761): the library decides."""
_WRONG: Final = "this is not an e-mail address; write it as name@example.id"


def normalised_email(text: str) -> str:
    """The address with its domain in small letters and in ASCII (IDNA 2008): `siti@desa-müller.id` is kept as `siti@xn--…`.

    The part before the @ stays as it is and must be ASCII: one with other letters needs SMTPUTF8 on every server on the way,
    which most have not, so its mail would be lost. No DNS is asked. Raises ValueError.
    """
    address = text.strip()
    if len(address) > MAX_CHARACTERS:
        raise ValueError(_WRONG)
    # The library takes about sixty microseconds; nearly every reporter has a plain address.
    plain = _PLAIN.fullmatch(address)
    if plain and plain[1].lower() not in _RESERVED and ".." not in address and "--" not in address:
        local, _, domain = address.rpartition("@")
        return f"{local}@{domain.lower()}"
    try:
        found = validate_email(address, check_deliverability=False, allow_smtputf8=True, strict=True)
    except EmailNotValidError as error:
        raise ValueError(_WRONG) from error
    if not found.local_part.isascii() or found.ascii_email is None:
        raise ValueError("the part before the @ holds letters that many mail servers can't deliver to; give an address with a to z there")
    if len(found.ascii_email) > MAX_CHARACTERS:
        raise ValueError(_WRONG)
    return found.ascii_email


EmailAddress = Annotated[str, Field(min_length=6, max_length=MAX_CHARACTERS), AfterValidator(normalised_email)]
"""A checked address in ASCII. Internationalised domains are accepted."""
