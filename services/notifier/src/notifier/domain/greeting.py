"""How a reporter is addressed. The name is what somebody typed: it must not turn our mail into somebody's advertisement."""

import re

_NOT_OF_A_NAME = re.compile(r"[^\w\s.'’,()-]|[\d_]")
_LIKE_A_HOST = re.compile(r"\S*[^\W\d_]{2,}\.[^\W\d_]{2,}\S*")
_DOT_IN_A_WORD = re.compile(r"\.(?=[a-z])")
_LIMIT = 80


def greeting_name(name: str | None) -> str | None:
    """The name fit for a greeting: one line of letters and a name's punctuation, nothing that a mail reader makes a link of.

    None where nothing is left.
    """
    if not name:
        return None
    letters = _NOT_OF_A_NAME.sub(" ", _LIKE_A_HOST.sub(" ", name))
    cleaned = " ".join(_DOT_IN_A_WORD.sub(". ", letters).split())[:_LIMIT].strip(" .,'’()-")
    return cleaned if any(c.isalpha() for c in cleaned) else None
