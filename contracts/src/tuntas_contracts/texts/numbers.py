"""Finds NIK, phone and bank account numbers in the ways people in Indonesia write them.

Amounts of money, dates, years and region codes are left: a verifier needs them. Texts are `skeleton`s: digits, blanks and dashes
of every kind are ASCII already. The time taken grows with the length of the text and no faster.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from tuntas_contracts.texts.spans import Identifier, Span

_CANDIDATE: Final = re.compile(r"\d(?:[ \t.\-_/()]{0,3}\d){7,}")
# A number in which letters stand for digits: O812-3456-789l.
_LETTER_BESIDE_DIGIT: Final = re.compile(r"\d[ .\-]?[oOlI](?![A-Za-z]{2})|[oOlI][ .\-]?\d")
_WITH_LETTERS: Final = re.compile(r"(?<![A-Za-z0-9])[0-9oOlI](?:[ .\-]?[0-9oOlI]){8,17}(?![A-Za-z0-9])")
_AS_DIGITS: Final = str.maketrans("oOlI", "0011")
_FEWEST_DIGITS: Final = 7
_GROUP: Final = re.compile(r"\d+")
_DATE: Final = re.compile(
    r"(?:(?:0?[1-9]|[12]\d|3[01])(?P<s>[-/. ])(?:0?[1-9]|1[0-2])(?P=s)(?:(?:19|20)\d\d|\d\d)(?!\d|(?P=s)\d)"
    r"|(?:19|20)\d\d(?P<t>[-/.])\d{1,2}(?P=t)\d{1,2}(?!\d))"
)
_TIME: Final = re.compile(r"(?:[01]\d|2[0-3])\.[0-5]\d(?!\.?\d)")
_REGION: Final = re.compile(r"[1-9]\d\.\d\d(?:\.\d\d(?:\.\d{4})?)?(?!\.{0,3}\d)")
_MONEY: Final = re.compile(r"(?:rp|idr)[.:\s]*$", re.IGNORECASE)
_ACCOUNT: Final = re.compile(r"\b(?:no\.?\s?)?rek(?:ening|\.)?\b|\bnorek\b|\bva\b|\bvirtual account\b", re.IGNORECASE)
_NIK: Final = re.compile(r"[1-9]\d{5}(?:[04][1-9]|[1256]\d|[37][01])(?:0[1-9]|1[0-2])\d{6}")
_BANK: Final = re.compile(
    r"\b(?:bca|bri|bni|btn|bsi|bjb|bpd|mandiri|permata|danamon|cimb|niaga|ocbc|maybank|muamalat|panin|bukopin|seabank|bank\s\w+)\b",
    re.IGNORECASE,
)
_BANK_REACH: Final = 24
_ACCOUNT_REACH: Final = 40  # characters between the word and the number: "rekening BCA atas nama saya 123…"
_YEAR: Final = re.compile(r"(?:19|20)\d\d")
_NIK_DIGITS: Final = 16
_MOBILE: Final = range(8, 13)  # digits after 62 or 0: 811-98765 … 812-3456-7890-1
_LANDLINE: Final = range(8, 12)
_COMPLETE: Final = 10  # from so many national digits on, a short further group is another number


class _Group(NamedTuple):
    start: int
    end: int
    digits: str
    separator: str  # what stands between the group before and this one


def number_spans(text: str, own: Mapping[str, Identifier]) -> list[Span]:
    """The identifying numbers of a text. The reporter's `own` (see `own_numbers`) are found however they are grouped."""
    spans: list[Span] = []
    if sum(map(text.count, "0123456789")) < _FEWEST_DIGITS:
        return spans  # most texts; this look costs less than one pattern
    if _LETTER_BESIDE_DIGIT.search(text):
        text = _WITH_LETTERS.sub(_letters_as_digits, text)
    for match in _CANDIDATE.finditer(text):
        groups = _groups(text, match.start(), match.end())
        index = 0
        while index < len(groups):
            length, kind = _read(text, groups, index, own)
            if kind:
                spans.append(Span(_opening(text, groups[index].start), groups[index + length - 1].end, kind))
            index += length
    return spans


def _letters_as_digits(match: "re.Match[str]") -> str:
    found = match[0]
    return found.translate(_AS_DIGITS) if sum(map(str.isdigit, found)) >= _FEWEST_DIGITS else found


def own_numbers(phone: str | None, nik: str | None) -> Mapping[str, Identifier]:
    """A reporter's own numbers as `number_spans` wants them; `phone` is E.164."""
    return {number: kind for number, kind in ((_national(phone), Identifier.PHONE), (nik, Identifier.NIK)) if number}


def _national(phone: str | None) -> str | None:
    return phone.removeprefix("+62").lstrip("+") if phone else None


def _groups(text: str, start: int, end: int) -> list[_Group]:
    groups: list[_Group] = []
    for match in _GROUP.finditer(text, start, end):
        groups.append(_Group(*match.span(), match[0], text[groups[-1].end : match.start()] if groups else ""))
    return groups


def _opening(text: str, start: int) -> int:
    while start and text[start - 1] in "+(":
        start -= 1
    return start


def _read(text: str, groups: Sequence[_Group], index: int, own: Mapping[str, Identifier]) -> tuple[int, Identifier | None]:
    """How many groups belong together from `index` on, and what they are."""
    group = groups[index]
    for number, kind in own.items():
        length = _same(groups, index, number)
        if length:
            return length, kind
    harmless = _DATE.match(text, group.start) or _TIME.match(text, group.start)
    if harmless:
        return _covered(groups, index, harmless.end()), None
    if _MONEY.search(text[max(0, group.start - 6) : group.start]):
        return _thousands(groups, index), None
    length = _phone(text, groups, index)
    if length:
        return length, Identifier.PHONE
    length = _exactly(groups, index, range(_NIK_DIGITS, _NIK_DIGITS + 1))
    if length:
        digits = "".join(g.digits for g in groups[index : index + length])
        if all(_YEAR.fullmatch(g.digits) for g in groups[index : index + length]):
            return length, None
        return length, Identifier.NIK if length == 1 or _NIK.fullmatch(digits) else Identifier.ACCOUNT
    if _ACCOUNT.search(text[max(0, group.start - _ACCOUNT_REACH) : group.start]) or _BANK.search(
        text[max(0, group.start - _BANK_REACH) : group.start]
    ):
        length = _exactly(groups, index, range(10, 17))
        if length:
            return length, Identifier.ACCOUNT
    return 1, None


def _covered(groups: Sequence[_Group], index: int, end: int) -> int:
    last = index
    while last < len(groups) and groups[last].start < end:
        last += 1
    return last - index


def _thousands(groups: Sequence[_Group], index: int) -> int:
    length = 1
    while index + length < len(groups) and groups[index + length].separator in (".", ",") and len(groups[index + length].digits) <= 3:
        length += 1
    return length


def _exactly(groups: Sequence[_Group], index: int, wanted: range) -> int:
    """The longest run of groups with one separator whose digits number as wanted; 0 if none."""
    total, found, separator = 0, 0, None
    for length, group in enumerate(groups[index : index + wanted[-1]], 1):
        if length > 1:
            separator = group.separator if separator is None else separator
            if group.separator != separator or separator.strip() in ("/", "(", ")"):
                break
        total += len(group.digits)
        if total in wanted:
            found = length
        if total >= wanted[-1]:
            break
    return found


def _same(groups: Sequence[_Group], index: int, number: str) -> int:
    """How many groups from `index` on spell this number, with or without the zero or country code of a phone."""
    digits = ""
    for length, group in enumerate(groups[index : index + len(number) + 6], 1):
        digits += group.digits
        if digits == number or digits.removeprefix("0062").removeprefix("62").lstrip("0") == number:
            return length
        if len(digits) > len(number) + 5:
            break
    return 0


def _phone(text: str, groups: Sequence[_Group], index: int) -> int:
    group = groups[index]
    if _REGION.match(text, group.start):
        return 0
    signed = text[max(0, group.start - 1) : group.start] == "+" or text[max(0, group.start - 2) : group.start] in ("+(", "(+")
    prefix = group.digits.startswith("0062") * 4 or (group.digits.startswith("62") and 2) or (group.digits.startswith("0") and 1)
    if not prefix or (group.digits == "0" and not signed and index + 1 < len(groups) and groups[index + 1].separator == "."):
        return 0  # the latter is a decimal fraction, such as a latitude near the equator
    national = len(group.digits) - prefix
    digits, length = group.digits[prefix:], 1
    used: str | None = None
    while index + length < len(groups):
        following = groups[index + length]
        separator = following.separator.strip() or " "
        if national >= _MOBILE.start and (used is None or separator != used or "/" in separator):
            break
        size = len(following.digits)
        if "/" in separator and (length > 1 or size < 5 or "/" in group.separator):
            break  # the number of a letter: 0231/2024/…
        if national + size > _MOBILE.stop or (national >= _COMPLETE and size < 3 and size != len(groups[index + length - 1].digits)):
            break
        # after "+62", "(021)" the separator says nothing yet of how the number itself is grouped
        used = separator if length > 1 or (prefix < len(group.digits) and ")" not in separator) else used
        digits, national, length = digits + following.digits, national + size, length + 1
    if prefix > 1 and digits.startswith("0"):
        digits = digits[1:]  # +62 (0)812 …
    if digits.startswith("8"):
        return length if len(digits) in _MOBILE else 0
    plain_country_code = prefix == 2 and not signed
    fixed = digits[:1] in tuple("2345679") and len(digits) in _LANDLINE and not plain_country_code
    return length if fixed else 0
