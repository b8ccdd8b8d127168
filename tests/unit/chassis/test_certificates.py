"""When trust in the broker's and the database's authority ends."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from tuntas_chassis.settings import ServiceSettings
from tuntas_chassis.telemetry.certificates import trusted_until


def _authority(until: datetime) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"authority until {until.year}")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime(2024, 1, 1, tzinfo=UTC))
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)


def _settings(kafka: Path | None) -> ServiceSettings:
    return ServiceSettings(
        environment="test",
        kafka="127.0.0.1:1",
        database_url=SecretStr("postgresql://nobody:nothing@127.0.0.1:1/nowhere"),
        oidc_issuer="http://127.0.0.1:1",
        kafka_ca_file=kafka,
    )


def test_the_last_certificate_counts_and_a_renewed_file_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kafka, database = tmp_path / "kafka.crt", tmp_path / "database.crt"
    soon, later = datetime(2031, 5, 1, tzinfo=UTC), datetime(2036, 5, 1, tzinfo=UTC)
    kafka.write_bytes(_authority(soon))
    database.write_bytes(_authority(soon) + _authority(later))
    monkeypatch.setenv("PGSSLROOTCERT", str(database))
    settings = _settings(kafka)
    assert trusted_until(settings) == {"kafka": soon.timestamp(), "database": later.timestamp()}
    kafka.write_bytes(_authority(later) + _authority(soon))
    assert trusted_until(settings)["kafka"] == later.timestamp()


def test_a_file_that_is_none_or_unreadable_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PGSSLROOTCERT", raising=False)
    assert trusted_until(_settings(None)) == {}
    broken = tmp_path / "kafka.crt"
    broken.write_text("no certificate", encoding="utf-8")
    monkeypatch.setenv("PGSSLROOTCERT", str(tmp_path / "missing.crt"))
    assert trusted_until(_settings(broken)) == {}
