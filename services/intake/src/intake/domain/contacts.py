"""Contacts of a reporter: checked, and brought into one notation."""

import re
from typing import Final

import phonenumbers

_EMAIL: Final = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]"
)
_SEPARATORS: Final = str.maketrans("", "", " .-()\u00a0")
_PLAIN_MOBILE: Final = re.compile(r"(?:\+62|62|0)(8[1-9][0-9]{8,10})")
_LOCAL_PART_LIMIT: Final = 64
_ADDRESS_LIMIT: Final = 254


def normalised_email(text: str) -> str:
    """The e-mail address with its domain in small letters; raises ValueError if it is none."""
    address = text.strip()
    local, _, domain = address.rpartition("@")
    if len(address) > _ADDRESS_LIMIT or len(local) > _LOCAL_PART_LIMIT or not _EMAIL.fullmatch(address):
        raise ValueError("this is not an e-mail address; write it as name@example.id")
    return f"{local}@{domain.lower()}"


def normalised_phone(text: str) -> str:
    """The phone number in E.164 (`+6281234567890`), read as Indonesian where it names no country; raises ValueError."""
    # The library takes about a hundred microseconds; nearly every reporter writes one of three plain notations.
    plain = _PLAIN_MOBILE.fullmatch(text.translate(_SEPARATORS))
    if plain:
        return f"+62{plain[1]}"
    try:
        number = phonenumbers.parse(text, "ID")
    except phonenumbers.NumberParseException as error:
        raise ValueError("this is not a phone number; write it as 0812-3456-7890 or with its country as +62 812 3456 7890") from error
    if not phonenumbers.is_valid_number(number):
        raise ValueError("no such phone number can exist; write it as 0812-3456-7890 or with its country as +62 812 3456 7890")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
