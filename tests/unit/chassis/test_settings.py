"""A process with unusable settings ends at once, with a sentence for each fault and exit status 2."""

from pathlib import Path

import pytest

from tuntas_chassis.settings import ServiceSettings, load_settings

GOOD = {
    "TUNTAS_ENVIRONMENT": "production",
    "TUNTAS_KAFKA": "kafka-1:9092, kafka-2:9092",
    "TUNTAS_DATABASE_URL": "postgresql://role:p%40ss@db:5432/intake",
    "TUNTAS_OIDC_ISSUER": "https://login.example",
}


@pytest.fixture(autouse=True)
def _good_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)


def _printed(capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        load_settings(ServiceSettings)
    assert ended.value.code == 2
    return capsys.readouterr().err


def test_usable_settings_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNTAS_BATCH_MAX", "17")
    found = load_settings(ServiceSettings)
    assert (found.environment, found.batch_max) == ("production", 17)
    assert found.sqlalchemy_url == "postgresql+asyncpg://role:p%40ss@db:5432/intake"


def test_an_empty_setting_counts_as_not_set(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("TUNTAS_OTLP_ENDPOINT", "")
    assert load_settings(ServiceSettings).otlp_endpoint is None
    monkeypatch.setenv("TUNTAS_KAFKA", "")
    assert _printed(capsys) == "TUNTAS_KAFKA: Field required\n"


@pytest.mark.parametrize("name", ["TUNTAS_KAFKA", "TUNTAS_DATABASE_URL", "TUNTAS_OIDC_ISSUER"])
def test_a_missing_setting_is_named(name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv(name)
    assert _printed(capsys) == f"{name}: Field required\n"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("TUNTAS_ENVIRONMENT", "live", "'development', 'test', 'staging' or 'production'"),
        ("TUNTAS_LOG_LEVEL", "loud", "'debug', 'info', 'warning' or 'error'"),
        ("TUNTAS_HTTP_PORT", "65536", "65535"),
        ("TUNTAS_HTTP_PORT", "http", "integer"),
        ("TUNTAS_TRACE_RATIO", "1.5", "less than or equal to 1"),
        ("TUNTAS_MAX_BODY_BYTES", "10", "1024"),
        ("TUNTAS_DATABASE_POOL_SIZE", "0", "greater than or equal to 1"),
        ("TUNTAS_OUTBOX_SHARDS", "0", "greater than or equal to 1"),
        ("TUNTAS_WATERMARK_INTERVAL_S", "0", "greater than 0"),
        ("TUNTAS_DRAIN_TIMEOUT_S", "-1", "greater than 0"),
        ("TUNTAS_KAFKA_TLS", "perhaps", "boolean"),
        ("TUNTAS_KAFKA", "kafka", "host:port"),
        ("TUNTAS_KAFKA", "kafka:9092,", "host:port"),
        ("TUNTAS_KAFKA", "kafka:port", "host:port"),
        ("TUNTAS_DATABASE_URL", "somewhere", "postgresql://role:password@host:port/database"),
        ("TUNTAS_DATABASE_URL", "mysql://role:secret@db/intake", "postgresql://role:password@host:port/database"),
        ("TUNTAS_DATABASE_URL", "postgresql://role:secret@db:port/intake", "postgresql://role:password@host:port/database"),
        ("TUNTAS_DATABASE_URL", "postgresql://role:secret@db", "postgresql://role:password@host:port/database"),
        ("TUNTAS_OIDC_ISSUER", "login.example", "https://"),
        ("TUNTAS_OTLP_ENDPOINT", "collector:4318", "'collector:4318' is no address; write http://host:port"),
        ("TUNTAS_KAFKA_CA_FILE", "/nowhere/ca.pem", "no file /nowhere/ca.pem"),
        ("TUNTAS_SIMULATED_CLOCK", "/nowhere/clock", "no file /nowhere/clock"),
    ],
)
def test_a_bad_value_is_reported_in_one_sentence(
    name: str, value: str, says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)
    message = _printed(capsys)
    assert message.startswith(f"{name}: ")
    assert says in message
    assert message.count("\n") == 1
    assert "secret" not in message, "a password in a faulty URL is shown to nobody"


def test_every_fault_is_reported_at_once(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("TUNTAS_HTTP_PORT", "x")
    monkeypatch.setenv("TUNTAS_TRACE_RATIO", "y")
    assert [line.split(":")[0] for line in _printed(capsys).splitlines()] == ["TUNTAS_HTTP_PORT", "TUNTAS_TRACE_RATIO"]


@pytest.mark.parametrize(("environment", "refused"), [("production", True), ("staging", True), ("development", False), ("test", False)])
def test_simulated_time_is_refused_where_deadlines_are_legal(
    environment: str, refused: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = tmp_path / "clock"
    clock.touch()
    monkeypatch.setenv("TUNTAS_ENVIRONMENT", environment)
    monkeypatch.setenv("TUNTAS_SIMULATED_CLOCK", str(clock))
    if refused:
        message = _printed(capsys)
        assert "TUNTAS_SIMULATED_CLOCK" in message
        assert environment in message
    else:
        assert load_settings(ServiceSettings).simulated_clock == clock


@pytest.mark.parametrize("one", ["TUNTAS_KAFKA_USERNAME", "TUNTAS_KAFKA_PASSWORD"])
def test_user_name_and_password_go_together(one: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv(one, "topsecret")
    message = _printed(capsys)
    assert "set both or neither" in message
    assert "topsecret" not in message


def test_an_environment_that_is_not_named_is_taken_for_production(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TUNTAS_ENVIRONMENT")
    assert load_settings(ServiceSettings).environment == "production"
