"""How a reporter is addressed. The name is what somebody typed: it must not turn our mail into somebody's advertisement."""

import re

from tuntas_contracts.texts.normalisation import normalised

_NOT_OF_A_NAME = re.compile(r"[^\w\s.'’,()-]|[\d_]")
# A title or a shortened first name, written to the next name without a blank: Hj.Siti, Muh.Rizal, Abd.Rahman.
_SHORTENED = re.compile(
    r"\b(abd|abdl|ahm|alm|almh|bpk|dr|dra|drg|drh|drs|hj|ir|kh|moch|moh|mohd|muh|muhd|nn|ny|prof|rd|rr|sdr|sdri|st|tn|ust)"
    r"\.(?=[^\W\d_]{3})(?!(?:com|net|org|info|biz|xyz|top|site|online|shop|store|app|dev|link|click|live|club|web|edu|gov|mil)\b)",
    re.IGNORECASE,
)
_LIKE_A_HOST = re.compile(r"\S*[^\W\d_]{2,}\.[^\W\d_]{2,}\S*")
_DOT_IN_A_WORD = re.compile(r"\.(?=[a-z])")
_LIMIT = 80


def greeting_name(name: str | None) -> str | None:
    """The name fit for a greeting: one line of letters and a name's punctuation, nothing that a mail reader makes a link of.

    None where nothing is left.
    """
    if not name:
        return None
    apart = _SHORTENED.sub(r"\1. ", normalised(name))
    letters = _NOT_OF_A_NAME.sub(" ", _LIKE_A_HOST.sub(" ", apart))
    cleaned = " ".join(_DOT_IN_A_WORD.sub(". ", letters).split())[:_LIMIT].strip(" .,'’()-")
    return cleaned if any(c.isalpha() for c in cleaned) else None
