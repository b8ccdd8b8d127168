"""What an SMTP server's refusal means: the enhanced status code decides (RFC 3463, RFC 5248, RFC 7372), then the basic code and the text.

A mail is lost by a wrong "for ever" and only delayed by a wrong "for now", so that whatever is not known as lasting is tried again.
"""

import re
from enum import StrEnum

_ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_LIMIT = re.compile(
    r"too (?:many|much|fast|frequent)|\brates?\b|\blimit(?:s|ed|ing)?\b|\bquotas?\b|throttl|exceed|\bvolume\b|try again|\blater\b",
    re.IGNORECASE,
)
_OUR_SETUP = re.compile(r"\brelay|authenticat|\bSPF\b|\bDKIM\b|\bDMARC\b|reverse dns|\bPTR\b", re.IGNORECASE)


class Verdict(StrEnum):
    """What to do about a refusal."""

    DEAD_ADDRESS = "dead_address"  # nobody reads mail at that address
    REFUSED = "refused"  # this mail is not taken there, now or later
    TEMPORARY = "temporary"  # for now, or for a fault of ours or of the server that somebody will mend
    SENDING_LIMIT = "sending_limit"  # too many mails: from us, or to that reader
    NOT_OF_THE_MAIL = "not_of_the_mail"  # we and the server misunderstand each other, or it wants a login: another connection


_NOT_OF_THE_MAIL = frozenset({421, 500, 501, 502, 503, 504, 530, 534, 535, 538})
_DEAD, _NO, _NOW, _MANY, _OURS = (
    Verdict.DEAD_ADDRESS,
    Verdict.REFUSED,
    Verdict.TEMPORARY,
    Verdict.SENDING_LIMIT,
    Verdict.NOT_OF_THE_MAIL,
)
# (subject, detail) of a 5.x.x that is not as its subject
_DETAILS: dict[tuple[int, int], Verdict] = {
    (1, 4): _NOW,  # ambiguous
    (1, 7): _NOW,  # the sender's address: ours
    (1, 8): _NOW,  # the sender's domain: ours
    (2, 1): _DEAD,  # disabled
    (2, 3): _NO,  # too long for that mailbox
    (3, 3): _NO,  # the system lacks what the mail needs
    (3, 4): _NO,  # too big
    (4, 5): _MANY,  # congestion; a day's quota used up
    (7, 8): _OURS,  # credentials
    (7, 9): _OURS,
    (7, 10): _OURS,
    (7, 11): _OURS,
    (7, 12): _OURS,
    (7, 13): _OURS,
    (7, 14): _OURS,
    (7, 17): _DEAD,  # the mailbox has another owner now
    (7, 18): _DEAD,  # so has the domain
    (7, 20): _NOW,  # our signature (DKIM), our sender policy (SPF), our address' name
    (7, 21): _NOW,
    (7, 22): _NOW,
    (7, 23): _NOW,
    (7, 24): _NOW,
    (7, 25): _NOW,
    (7, 26): _NOW,
    (7, 27): _NOW,
}
# 0 other, 1 address, 2 mailbox (full), 3 system, 4 network and routing, 5 protocol, 6 content, 7 policy
_SUBJECTS: dict[int, Verdict] = {0: _NO, 1: _DEAD, 2: _NOW, 3: _NOW, 4: _NOW, 5: _OURS, 6: _NO, 7: _NO}
# without an enhanced code; 552 is a full mailbox (RFC 5321), 556 a domain that takes no mail (RFC 7504)
_BASIC: dict[int, Verdict] = {521: _DEAD, 550: _DEAD, 551: _DEAD, 552: _NOW, 553: _DEAD, 556: _DEAD}


def verdict_of(code: int, text: str) -> Verdict:
    """What the refusal `code text` means; `text` may hold an enhanced status code."""
    if code in _NOT_OF_THE_MAIL:
        return _OURS
    enhanced = _ENHANCED.search(text)
    if code < 500 or (enhanced is not None and enhanced[1] == "4"):
        return _MANY if enhanced is not None and (enhanced[2], enhanced[3]) == ("4", "5") else _NOW
    if enhanced is None or enhanced[1] != "5":
        return _by_text(text) or _BASIC.get(code, _NO)
    subject, detail = int(enhanced[2]), int(enhanced[3])
    known = _DETAILS.get((subject, detail))
    if known is not None:
        return known
    if subject in (0, 7):  # too broad to say more than the text does
        return _by_text(text) or _NO
    return _SUBJECTS.get(subject, _NO)


def codes_of(code: int, text: str) -> str:
    """The codes of an answer, never its text, which often repeats the address."""
    enhanced = _ENHANCED.search(text)
    return f"{code} {enhanced[0]}" if enhanced else str(code)


def _by_text(text: str) -> Verdict | None:
    if _LIMIT.search(text):
        return _MANY
    return _NOW if _OUR_SETUP.search(text) else None
