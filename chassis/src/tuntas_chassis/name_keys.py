"""The setting of services that compute or compare the fingerprints of reporters' names."""

from pydantic import Field, SecretStr, field_validator

from tuntas_chassis.settings import ServiceSettings
from tuntas_contracts.texts.name_fingerprints import NameKeys


class NameKeySettings(ServiceSettings):
    """Intake computes them, triage and dispatch compare; all three are given the same keys."""

    name_keys: SecretStr = Field(
        description="Keys of 32 random bytes in base64, separated by commas, newest first, the same for intake, triage and dispatch: "
        "by them a reporter's name is recognised in officers' texts. Former ones are compared with too"
    )

    @field_validator("name_keys")
    @classmethod
    def _usable_name_keys(cls, keys: SecretStr) -> SecretStr:
        NameKeys.from_base64(keys.get_secret_value())
        return keys

    def fingerprint_keys(self) -> NameKeys:
        """The keys, ready to use."""
        return NameKeys.from_base64(self.name_keys.get_secret_value())
