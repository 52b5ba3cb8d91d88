"""Settings are checked at start: what is not fit for production does not start there."""

import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from belt.io.http.issuer import DEV_ISSUER
from belt.io.kafka.access import Access, Unusable
from belt.io.kafka.brokers import Brokers
from belt.io.settings import Settings, unfit

DSN = "postgresql://belt:secret@db/belt"


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("CONVEYOR_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_bytes(os.urandom(32).hex().encode() + b"\n")
    return path


def production(key: Path, **changed: Any) -> dict[str, str]:
    password = key.with_name("password")
    password.write_text("of-things")
    whole: dict[str, Any] = {
        "CONVEYOR_ENVIRONMENT": "production",
        "CONVEYOR_DSN": DSN,
        "CONVEYOR_ISSUER": "https://login.example",
        "CONVEYOR_JWKS": "https://login.example/jwks",
        "CONVEYOR_KEY_FILE": key,
        "CONVEYOR_KAFKA_PROTOCOL": "SASL_SSL",
        "CONVEYOR_KAFKA_USERNAME": "things",
        "CONVEYOR_KAFKA_PASSWORD_FILE": password,
    }
    return {name: str(value) for name, value in (whole | changed).items() if value is not None}


def load(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> Settings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return Settings.load("things", 8001)


def test_development_needs_a_database_and_keys_only(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, {"CONVEYOR_DSN": DSN, "CONVEYOR_JWKS": ".conveyor/jwks.json"})
    assert (settings.service, settings.port, settings.issuer) == ("things", 8001, DEV_ISSUER)
    assert (settings.environment, settings.clock, settings.request_deadline) == ("development", "system", 10.0)
    with pytest.raises(ValueError, match="KEY_FILE"):
        _ = settings.sealing_key


def test_the_environment_rules_over_the_usual_port(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, {"CONVEYOR_DSN": DSN, "CONVEYOR_JWKS": "x", "CONVEYOR_PORT": "9"}).port == 9


def test_secrets_come_from_files_and_are_never_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, key: Path
) -> None:
    (tmp_path / "conveyor_dsn").write_text(DSN)
    settings = load(monkeypatch, production(key, CONVEYOR_DSN=None, CONVEYOR_SECRETS_DIR=tmp_path))
    assert settings.dsn == DSN
    assert settings.sealing_key == key.read_bytes().strip()
    assert "belt:secret" not in repr(settings)


UNFIT: dict[str, dict[str, Any]] = {
    "a driven clock": {"CONVEYOR_CLOCK": "driven"},
    "the development issuer": {"CONVEYOR_ISSUER": None},
    "an issuer without https": {"CONVEYOR_ISSUER": "http://login.example"},
    "keys over plain http": {"CONVEYOR_JWKS": "http://login.example/jwks"},
    "no sealing key": {"CONVEYOR_KEY_FILE": None},
    "a sealing key that is not there": {"CONVEYOR_KEY_FILE": "/nowhere/key"},
}


@pytest.mark.parametrize("name", UNFIT)
def test_production_refuses(monkeypatch: pytest.MonkeyPatch, key: Path, name: str) -> None:
    with pytest.raises(ValidationError) as refused:
        load(monkeypatch, production(key, **UNFIT[name]))
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("keys", ["https://login.example/jwks", "/keys/jwks.json", None])
def test_production_starts_when_all_is_well(monkeypatch: pytest.MonkeyPatch, key: Path, keys: str | None) -> None:
    """Without a word on the keys the issuer is asked."""
    assert load(monkeypatch, production(key, CONVEYOR_JWKS=keys)).environment == "production"


IN_THE_CLEAR: dict[str, dict[str, Any]] = {
    "with a name": {"CONVEYOR_KAFKA_PROTOCOL": "SASL_PLAINTEXT"},
    "without": {
        "CONVEYOR_KAFKA_PROTOCOL": None, "CONVEYOR_KAFKA_USERNAME": None, "CONVEYOR_KAFKA_PASSWORD_FILE": None
    },
}  # fmt: skip


@pytest.mark.parametrize("clear", IN_THE_CLEAR)
def test_production_speaks_to_kafka_over_tls_or_says_who_else_encrypts(
    monkeypatch: pytest.MonkeyPatch, key: Path, clear: str
) -> None:
    load(monkeypatch, production(key)).check_kafka()
    for name in IN_THE_CLEAR[clear]:
        monkeypatch.delenv(name)
    environment = production(key, **IN_THE_CLEAR[clear])
    with pytest.raises(ValueError, match="over TLS"):
        load(monkeypatch, environment).check_kafka()
    load(monkeypatch, environment | {"CONVEYOR_KAFKA_TRUSTED_NETWORK": "true"}).check_kafka()
    monkeypatch.delenv("CONVEYOR_KAFKA_TRUSTED_NETWORK")
    load(monkeypatch, environment | {"CONVEYOR_ENVIRONMENT": "development"}).check_kafka()


MUDDLED: dict[str, tuple[dict[str, Any], str]] = {
    "no password": ({"KAFKA_PASSWORD_FILE": None}, "needs a user name and a password file"),
    "a password that goes nowhere": ({"KAFKA_PROTOCOL": "SSL"}, "means nothing with SSL"),
    "a password in the clear": ({"KAFKA_PROTOCOL": "SASL_PLAINTEXT", "KAFKA_MECHANISM": "PLAIN"}, "readable to all"),
    "a password file that is not there": ({"KAFKA_PASSWORD_FILE": "/nowhere/password"}, "cannot be read: No such file"),
    "authorities that are not there": ({"KAFKA_CA_FILE": "/nowhere/ca.pem"}, "cannot be read: No such file"),
    "a certificate without its key": ({"KAFKA_CERT_FILE": "/nowhere/cert.pem"}, "go together"),
    "certificates without TLS": ({"KAFKA_PROTOCOL": "SASL_PLAINTEXT", "KAFKA_CA_FILE": "/ca.pem"}, "mean nothing with"),
}


@pytest.mark.parametrize("name", MUDDLED)
def test_a_muddled_way_to_kafka_ends_the_start(monkeypatch: pytest.MonkeyPatch, key: Path, name: str) -> None:
    changed, why = MUDDLED[name]
    changed = {f"CONVEYOR_{setting}": value for setting, value in changed.items()}
    with pytest.raises(ValidationError, match=why):
        load(monkeypatch, production(key, CONVEYOR_ENVIRONMENT=None, **changed))


def test_kafkas_password_is_read_anew_for_each_client_and_never_shown(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("first-of-all\n")
    brokers = Brokers("kafka:9093", Access("SASL_SSL", username="things", password_file=password))
    assert brokers.words()["sasl_plain_password"] == "first-of-all"
    assert "first-of-all" not in repr(brokers)
    password.write_text("second")
    assert brokers.words()["sasl_plain_password"] == "second"
    password.unlink()
    with pytest.raises(Unusable, match="No such file"):
        brokers.words()


FORMS: dict[str, tuple[str, str, str]] = {
    "a database without an address": ("DSN", "nonsense", "must be an address such as postgresql://"),
    "another kind of database": ("DSN", "mysql://belt:s3cret@db/belt", "must be an address such as postgresql://"),
    "the short name of PostgreSQL": ("DSN", "postgres://belt:s3cret@db/belt", "must begin with postgresql://"),
    "a password that cuts an address short": ("DSN", "postgresql://belt:s3cret/x@db/belt", "are written as %2F"),
    "the relay's database": ("RELAY_DSN", "postgres://belt:s3cret@db/belt", "must begin with postgresql://"),
    "a zone of another planet": ("ZONE", "Mars/Olympus", "no such IANA time zone"),
    "a zone that is a path": ("ZONE", "/etc/passwd", "no such IANA time zone"),
    "a zone that is a folder": ("ZONE", "Europe", "no such IANA time zone"),
    "no broker": ("BROKERS", "", "must be host:port"),
    "a broker without a port": ("BROKERS", "nonsense", "must be host:port"),
    "a port in letters": ("BROKERS", "127.0.0.1:abc", "must be host:port"),
    "a port that is none": ("BROKERS", "kafka:9092,kafka:70000", "must be host:port"),
    "an unknown service": ("PUBLISHERS", '{"lead-generation": "http://x"}', "lead-generation: no such service"),
    "an address without http": ("PUBLISHERS", '{"lead-gen": "127.0.0.1:8001"}', "lead-gen must begin with http://"),
    "an address without a host": ("PUBLISHERS", '{"lead-gen": "http://"}', "lead-gen must begin with http://"),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_text_of_the_wrong_form_ends_the_start_and_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    variable, value, why = FORMS[name]
    with pytest.raises(ValidationError) as refused:
        load(monkeypatch, {"CONVEYOR_DSN": DSN, "CONVEYOR_JWKS": "x", f"CONVEYOR_{variable}": value})
    said = unfit(refused.value)
    assert said.startswith(f"CONVEYOR_{variable}: ")
    assert why in said
    assert "\n" not in said
    assert "s3cret" not in said


def test_publishers_that_are_no_json_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="publishers") as refused:
        load(monkeypatch, {"CONVEYOR_DSN": DSN, "CONVEYOR_JWKS": "x", "CONVEYOR_PUBLISHERS": "nonsense"})
    assert unfit(refused.value) == "CONVEYOR_PUBLISHERS: it must be a JSON document"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DSN", "postgresql://belt@/belt?host=/var/run/postgresql"),
        ("DSN", "postgresql:///belt"),
        ("DSN", "postgresql://belt:a%2Fb@[::1]:5432/belt"),
        ("BROKERS", "kafka-0.kafka:9093, kafka_1:9093,[::1]:9092"),
        ("ZONE", "America/Argentina/Buenos_Aires"),
        ("PUBLISHERS", '{"lead-gen": "http://lead-gen-api:8001", "compensation": "https://pay.example/api"}'),
    ],
)
def test_what_is_of_the_right_form_is_taken(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    load(monkeypatch, {"CONVEYOR_DSN": DSN, "CONVEYOR_JWKS": "x", f"CONVEYOR_{variable}": value})


AWAY: dict[str, tuple[str, str | None, str]] = {
    "no sealing key": ("KEY_FILE", None, "is not set"),
    "a sealing key that is not there": ("KEY_FILE", "/nowhere/key", "No such file"),
    "a sealing key that is a folder": ("KEY_FILE", "/", "Is a directory"),
    "keys of the issuer that are not there": ("JWKS", "/nowhere/jwks.json", "No such file"),
    "a token that is not there": ("FEED_TOKEN_FILE", "/nowhere/token", "No such file"),
    "a volume that is not there": ("DISK_PATH", "/nowhere", "no such folder"),
}


@pytest.mark.parametrize("name", AWAY)
def test_a_file_that_is_not_there_ends_the_start_of_who_serves_and_of_nobody_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, key: Path, name: str
) -> None:
    jwks = tmp_path / "jwks.json"
    jwks.write_text("{}")
    variable, value, why = AWAY[name]
    whole = {"DSN": DSN, "JWKS": str(jwks), "KEY_FILE": str(key), "FEED_TOKEN_FILE": str(key), "DISK_PATH": "/"}
    given = {f"CONVEYOR_{one}": said for one, said in (whole | {variable: value}).items() if said is not None}
    settings = load(monkeypatch, given)
    settings.check_for("migrate")
    for role in ("api", "worker", "all"):
        with pytest.raises(ValueError, match=f"^CONVEYOR_{variable}.*{why}"):
            settings.check_for(role)


def test_keys_at_an_address_are_asked_for_later(monkeypatch: pytest.MonkeyPatch, key: Path) -> None:
    given = {"CONVEYOR_DSN": DSN, "CONVEYOR_JWKS": "http://127.0.0.1:9/keys", "CONVEYOR_KEY_FILE": str(key)}
    load(monkeypatch, given).check_for("all")


def test_a_folder_of_secrets_that_is_not_there_ends_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"^CONVEYOR_SECRETS_DIR: there is no such folder"):
        load(monkeypatch, {"CONVEYOR_DSN": DSN, "CONVEYOR_JWKS": "x", "CONVEYOR_SECRETS_DIR": "/nowhere"})


def test_every_setting_says_what_it_is_for() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


@pytest.mark.parametrize("content", [b"short", b"0" * 64, b""])
def test_a_weak_sealing_key_is_refused(monkeypatch: pytest.MonkeyPatch, key: Path, content: bytes) -> None:
    key.write_bytes(content)
    with pytest.raises(ValidationError, match="random bytes"):
        load(monkeypatch, production(key))


@pytest.mark.parametrize(("name", "value"), [("CLOCK", "lunar"), ("PORT", "70000"), ("BODY_BYTES", "0"), ("DSN", "")])
def test_nonsense_is_refused(monkeypatch: pytest.MonkeyPatch, key: Path, name: str, value: str) -> None:
    with pytest.raises(ValueError, match=name.lower()):
        load(monkeypatch, production(key, **{f"CONVEYOR_{name}": value}))


def test_a_process_that_does_not_start_names_the_variables_and_none_of_their_values(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(ValidationError) as refused:
        load(monkeypatch, {"CONVEYOR_POOL": "s3cret", "CONVEYOR_PORT": "door", "CONVEYOR_JWKS": "jwks.json"})
    said = unfit(refused.value)
    assert all(name in said for name in ("CONVEYOR_DSN: Field required", "CONVEYOR_POOL: ", "CONVEYOR_PORT: "))
    assert "s3cret" not in said
    assert "http" not in said  # no page of a library that nobody here has heard of


def test_one_subject_has_a_measure_in_production_and_none_in_development(
    monkeypatch: pytest.MonkeyPatch, key: Path
) -> None:
    assert load(monkeypatch, {"CONVEYOR_DSN": DSN, "CONVEYOR_JWKS": "jwks.json"}).measure == 0
    assert load(monkeypatch, production(key)).measure == 200
    for chosen in (0, 5):
        assert load(monkeypatch, production(key, CONVEYOR_RATE=chosen)).measure == chosen
