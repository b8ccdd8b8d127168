"""What officers and agencies' systems write: it must be readable, and nobody's identifiers leave dispatch in it."""

from typing import Final

from tuntas_contracts.agencies import AgencyCommand
from tuntas_contracts.refusal import Refusal
from tuntas_contracts.texts.masking import mask_identifiers
from tuntas_contracts.texts.normalisation import is_blank

_WRITTEN: Final = ("reason", "note", "answer", "title")


def readable(command: AgencyCommand) -> AgencyCommand:
    """The command with phone numbers, e-mail addresses, NIK and accounts masked in its texts. Raises Refusal `unreadable_text`."""
    for name, value in command:
        texts = value if isinstance(value, tuple) else (value,)
        if any(isinstance(text, str) and "\x00" in text for text in texts):
            raise Refusal("unreadable_text", f"{name} contains a NUL character, which no database of the platform stores; remove it")
    written = {name: text for name in _WRITTEN if isinstance(text := getattr(command, name, None), str)}
    for name, text in written.items():
        if is_blank(text):
            raise Refusal("unreadable_text", f"{name} holds nothing that can be read; write at least one letter")
    masked: dict[str, object] = {name: mask_identifiers(text).text for name, text in written.items()}
    if evidence := getattr(command, "evidence", ()):
        # an address of a document is left as it is: it would lead nowhere
        masked["evidence"] = tuple(item if "://" in item else mask_identifiers(item).text for item in evidence)
    if all(getattr(command, name) == text for name, text in masked.items()):
        return command
    try:
        return type(command).model_validate(command.model_dump() | masked)
    except ValueError:
        raise Refusal("unreadable_text", "with identifiers masked a text is too long; shorten it or leave them out") from None
