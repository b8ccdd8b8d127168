"""Addresses and files as settings name them, checked before anything is reached."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr


def _servers(value: str) -> str:
    for server in value.split(","):
        host, _, port = server.strip().rpartition(":")
        if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65_536:
            raise ValueError(f"{server.strip()!r} is no address; write host:port, several separated by commas")
    return value


def _database(value: SecretStr) -> SecretStr:
    if not _is_url(value.get_secret_value(), "postgresql", path=True):
        raise ValueError("is no address of a database; write postgresql://role:password@host:port/database")
    return value


def _web(value: str) -> str:
    if not _is_url(value, "http", "https"):
        raise ValueError(f"{value!r} is no address; write http://host:port or https://…")
    return value


def _file(value: Path) -> Path:
    if not value.is_file():
        raise ValueError(f"there is no file {value}")
    return value


def _is_url(value: str, *schemes: str, path: bool = False) -> bool:
    try:
        parts = urlsplit(value)
        _ = parts.port  # read only here: a port that is none raises
    except ValueError:
        return False
    return parts.scheme in schemes and bool(parts.netloc) and (len(parts.path) > 1 or not path)


KafkaServers = Annotated[str, AfterValidator(_servers)]
"""Bootstrap servers: host:port, several separated by commas."""
DatabaseUrl = Annotated[SecretStr, AfterValidator(_database)]
"""postgresql://role:password@host:port/database."""
WebUrl = Annotated[str, AfterValidator(_web)]
"""http:// or https:// with a host."""
ExistingFile = Annotated[Path, AfterValidator(_file)]
"""A file that is there at the start."""
