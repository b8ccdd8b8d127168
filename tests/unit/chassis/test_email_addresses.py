"""E-mail addresses in one notation."""

import pytest

from tuntas_chassis.email_addresses import normalised_email


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" Siti.N@Contoh.CO.ID ", "Siti.N@contoh.co.id"),
        ("siti+lapor@kota.example", "siti+lapor@kota.example"),
        ("o'brien@contoh.id", "o'brien@contoh.id"),
        ("siti@m\u00fcnchen.de", "siti@xn--mnchen-3ya.de"),
        ("siti@M\u00dcNCHEN.DE", "siti@xn--mnchen-3ya.de"),
        ("siti@mu\u0308nchen.de", "siti@xn--mnchen-3ya.de"),
        ("siti@xn--mnchen-3ya.de", "siti@xn--mnchen-3ya.de"),
        ("siti@\u092d\u093e\u0930\u0924.\u092d\u093e\u0930\u0924", "siti@xn--h2brj9c.xn--h2brj9c"),
        ("siti@\ua98f\ua9a4.id", "siti@xn--tl9apb.id"),
    ],
)
def test_an_address_is_kept_in_ascii_with_a_small_domain(typed: str, kept: str) -> None:
    assert normalised_email(typed) == kept
    assert normalised_email(kept) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "siti",
        "siti@",
        "@contoh.id",
        "siti@contoh",
        "siti@localhost",
        "siti@[127.0.0.1]",
        "si ti@contoh.id",
        '"si ti"@contoh.id',
        "Siti <siti@contoh.id>",
        "siti@contoh.id, budi@contoh.id",
        "siti@-contoh.id",
        "siti@xn--.id",
        "a..b@contoh.id",
        ".a@contoh.id",
        "a.@contoh.id",
        "x" * 65 + "@contoh.id",
        "x@" + "\u00fc" * 60 + ".id",
        "x@" + ("a" * 63 + ".") * 4 + "id",
        "x@" + "a." * 5_000 + "id",
        "siti@contoh.id\r\nBcc: semua@contoh.id",
        "siti\x00@contoh.id",
    ],
)
def test_an_invalid_address_is_refused_with_an_example(typed: str) -> None:
    with pytest.raises(ValueError, match=r"name@example\.id"):
        normalised_email(typed)


@pytest.mark.parametrize("typed", ["\u0938\u0940\u0924\u093e@contoh.id", "s\u00efti@contoh.id", "s\u0456ti@contoh.id"])
def test_letters_that_many_servers_can_t_deliver_to_are_refused_with_the_reason(typed: str) -> None:
    with pytest.raises(ValueError, match=r"before the @"):
        normalised_email(typed)
