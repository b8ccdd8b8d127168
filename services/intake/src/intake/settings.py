"""Intake's settings beside the chassis'."""

from pydantic import Field, SecretStr, field_validator

from intake.adapters.vault import Vault
from tuntas_chassis.http.client_address import Networks
from tuntas_chassis.name_keys import NameKeySettings
from tuntas_reference.profile import DEFAULT_PROFILE, known_profiles

_PEPPER_CHARACTERS = 32


class Settings(NameKeySettings):
    """Environment variables `TUNTAS_*`."""

    encryption_key: SecretStr = Field(description="32 random bytes in base64; wraps the key of each reporter")
    former_encryption_keys: SecretStr = Field(
        default=SecretStr(""), description="Keys that still open what they wrapped, separated by commas"
    )
    access_code_pepper: SecretStr = Field(
        description="At least 32 characters; keys the hashes of access codes. Changing it voids every code"
    )
    profile: str = Field(default=DEFAULT_PROFILE, description="The regulation profile that new reports are received under")
    public_url: str = Field(default="", description="Where reporters reach this service, before /v1; relative links where empty")
    trusted_proxies: Networks = Field(
        default="", description="Networks of the proxies whose X-Forwarded-For is believed, such as 10.0.0.0/8; none where empty"
    )
    access_log_retention_days: int = Field(default=1_825, ge=365, description="How long it is kept who read personal data")

    @field_validator("profile")
    @classmethod
    def _known_profile(cls, name: str) -> str:
        if name not in known_profiles():
            raise ValueError(f"no regulation profile {name!r}: the known ones are {', '.join(known_profiles())}")
        return name

    @field_validator("access_code_pepper")
    @classmethod
    def _long_pepper(cls, pepper: SecretStr) -> SecretStr:
        if len(pepper.get_secret_value()) < _PEPPER_CHARACTERS:
            raise ValueError(f"give at least {_PEPPER_CHARACTERS} characters; make one with `openssl rand -base64 32`")
        return pepper

    @field_validator("encryption_key")
    @classmethod
    def _usable_key(cls, key: SecretStr) -> SecretStr:
        Vault.from_base64(key.get_secret_value())
        return key

    def vault(self) -> Vault:
        """The vault with these keys; raises ValueError where a former key is unusable."""
        former = [key.strip() for key in self.former_encryption_keys.get_secret_value().split(",") if key.strip()]
        return Vault.from_base64(self.encryption_key.get_secret_value(), former)

    @property
    def pepper(self) -> bytes:
        """The pepper as a key."""
        return self.access_code_pepper.get_secret_value().encode()
