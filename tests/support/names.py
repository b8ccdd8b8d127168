"""A key of name fingerprints for tests, as a setting and ready to use."""

from tuntas_contracts.texts.name_fingerprints import NameKeys

NAME_KEY = "bmFtZS1rZXktb2YtdGhpcnR5LXR3by1ieXRlcy4uLi4="
NAMES = NameKeys.from_base64(NAME_KEY)
