"""Contacts in one notation."""

import pytest

from intake.domain.contacts import normalised_phone


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("0812-3456-7890", "+6281234567890"),
        ("+62 812 3456 7890", "+6281234567890"),
        ("62812.3456.7890", "+6281234567890"),
        ("(021) 5551234", "+62215551234"),
        ("+60 12-345 6789", "+60123456789"),
    ],
)
def test_a_phone_is_kept_as_e164(typed: str, kept: str) -> None:
    assert normalised_phone(typed) == kept


@pytest.mark.parametrize("typed", ["12", "halo", "0812", "+999 123456", "08123456789012345"])
def test_what_is_no_phone_is_refused_with_an_example(typed: str) -> None:
    with pytest.raises(ValueError, match="0812-3456-7890"):
        normalised_phone(typed)
