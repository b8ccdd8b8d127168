"""Which of a situation's texts go together: a title, detail or answer about one variant isn't put beside another."""

import re
from collections.abc import Sequence
from functools import lru_cache

_TOKEN = re.compile(r"\{\w+\}|[a-z]{4,}")
_STEM = 5


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_GENERAL = _words(
    "yang tidak sudah saya kami dengan untuk sampai belum dari pada karena mohon tolong ada bisa juga hanya lagi kalau padahal "
    "setiap saat terima kasih sekarang dalam akan oleh atas telah dapat saudara laporan petugas kata katanya harus masih lebih "
    "seperti sama"
)
_GENERIC_SLOTS = _words(
    "{place} {road} {region} {region_short} {province} {village} {district} {date} {since} {duration} {count} {time} {facility} "
    "{officer_title} {agency} {unit} {amount}"
)


def fitting(texts: Sequence[str], variants: Sequence[str], chosen: str) -> tuple[str, ...]:
    """Those of the texts that share no more words with another variant than with the chosen one; all of them if none does."""
    return _fitting(tuple(texts), tuple(variants), chosen)


def matching(texts: Sequence[str], variants: Sequence[str], chosen: str) -> tuple[str, ...]:
    """Like `fitting`, but only those that share words with the chosen variant, if there are any."""
    fits = fitting(texts, variants, chosen)
    return tuple(text for text in fits if _shared(text, chosen)) or fits


def closeness(text: str, chosen: str) -> int:
    """How many words the text shares with the chosen variant."""
    return _shared(text, chosen)


@lru_cache(maxsize=4096)
def _fitting(texts: tuple[str, ...], variants: tuple[str, ...], chosen: str) -> tuple[str, ...]:
    found = tuple(text for text in texts if _shared(text, chosen) >= max(_shared(text, variant) for variant in variants))
    return found or texts


@lru_cache(maxsize=4096)
def _stems(text: str) -> frozenset[str]:
    words = set(_TOKEN.findall(text.lower())) - _GENERAL - _GENERIC_SLOTS
    return frozenset(word if word[0] == "{" else word[:_STEM] for word in words)


def _shared(text: str, variant: str) -> int:
    return len(_stems(text) & _stems(variant))
