"""What officers and agencies' systems write: it must be readable, and nobody's identifiers leave dispatch in it."""

import re
from collections.abc import Callable
from typing import Final

from tuntas_contracts.agencies import AgencyCommand
from tuntas_contracts.base import MAX_LONG_TEXT, MAX_SHORT_TEXT, MAX_TITLE
from tuntas_contracts.refusal import Refusal, RefusalCode
from tuntas_contracts.texts.masking import mask_identifiers
from tuntas_contracts.texts.normalisation import is_blank

MaskName = Callable[[str, int], str]
"""A text with the reporter's name masked, no longer than so many characters."""

WRITTEN: Final = {"reason": MAX_LONG_TEXT, "note": MAX_LONG_TEXT, "answer": MAX_LONG_TEXT, "title": MAX_TITLE}
"""The texts of commands, with the characters that each may have; `evidence` is a list of them."""
_ADDRESS: Final = re.compile(r"\S*://\S+")


def readable(command: AgencyCommand, mask_name: MaskName) -> AgencyCommand:
    """The command with phone numbers, e-mail addresses, NIK, accounts and the reporter's name masked in its texts.

    Raises Refusal `unreadable_text`.
    """
    for name, value in command:
        texts = value if isinstance(value, tuple) else (value,)
        if any(isinstance(text, str) and "\x00" in text for text in texts):
            raise Refusal(
                RefusalCode.UNREADABLE_TEXT, f"{name} contains a NUL character, which no database of the platform stores; remove it"
            )
    written = {name: text for name in WRITTEN if isinstance(text := getattr(command, name, None), str)}
    for name, text in written.items():
        if is_blank(text):
            raise Refusal(RefusalCode.UNREADABLE_TEXT, f"{name} holds nothing that can be read; write at least one letter")
    masked: dict[str, object] = {name: mask_identifiers(text).text for name, text in written.items()}
    if evidence := getattr(command, "evidence", ()):
        masked["evidence"] = tuple(map(_masked_evidence, evidence))
    if any(getattr(command, name) != text for name, text in masked.items()):
        try:
            command = type(command).model_validate(command.model_dump() | masked)
        except ValueError:
            raise Refusal(RefusalCode.UNREADABLE_TEXT, "with identifiers masked a text is too long; shorten it or leave them out") from None
    return _without_name(command, mask_name)


def _masked_evidence(item: str) -> str:
    """Identifiers in the address of a document are left, for it would lead nowhere; those beside it are masked."""
    if "://" not in item:
        return mask_identifiers(item).text
    pieces: list[str] = []
    done = 0
    for address in _ADDRESS.finditer(item):
        pieces += (mask_identifiers(item[done : address.start()]).text, address[0])
        done = address.end()
    pieces.append(mask_identifiers(item[done:]).text)
    return "".join(pieces)


def _without_name(command: AgencyCommand, mask_name: MaskName) -> AgencyCommand:
    """After identifiers, and never refused: who must not know the name could try guesses at it."""
    masked: dict[str, object] = {}
    for name, longest in WRITTEN.items():
        text = getattr(command, name, None)
        if isinstance(text, str) and (without := mask_name(text, longest)) != text:
            masked[name] = without
    if evidence := getattr(command, "evidence", ()):
        without_names = tuple(mask_name(item, MAX_SHORT_TEXT) for item in evidence)
        if without_names != evidence:
            masked["evidence"] = without_names
    return command.model_copy(update=masked) if masked else command
