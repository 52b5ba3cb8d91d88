"""All that can be set from outside: environment variables CONVEYOR_*, secrets from files. Checked once, at start.

A secret may come as a file: CONVEYOR_SECRETS_DIR names a folder with a file per setting (`conveyor_dsn`, …); the
sealing key and Kafka's password are always files. Nothing secret is ever shown by repr. docs/settings.md is made here.
"""

from __future__ import annotations

import os
import re
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, JsonValue, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from belt.io.forms import WEB, BrokerList, DatabaseAddress, Publishers, Zone
from belt.io.http.issuer import AUDIENCE, DEV_ISSUER
from belt.io.kafka.access import Access, Mechanism, Protocol

KEY_BYTES = 32
SECRET: dict[str, JsonValue] = {"secret": True}  # marks what docs/settings.md calls a secret
RATE = 200.0
UNREAD = re.compile('field "(\\w+)"')  # in what pydantic says of a value that is no JSON
CARRIES = frozenset({"worker", "all"})  # the roles that speak to Kafka
SERVES = CARRIES | {"api"}  # those that stay
Seconds = Annotated[float, Field(gt=0, le=3_600)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]


class Settings(BaseSettings):
    """The settings of one service's process."""

    model_config = SettingsConfigDict(
        env_prefix="CONVEYOR_", extra="ignore", frozen=True, hide_input_in_errors=True, validate_default=True
    )

    service: Annotated[str, Field(min_length=1, description="the service's name; given by the service itself")]
    environment: Annotated[
        Literal["development", "production"], Field(description="production refuses to start unfit; see below")
    ] = "development"
    host: Annotated[str, Field(description="the address on which HTTP is served")] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535, description="its port; default: the service's usual one")]
    dsn: Annotated[
        DatabaseAddress,
        Field(repr=False, min_length=1, description="the database, as the service's role", json_schema_extra=SECRET),
    ]
    relay_dsn: Annotated[
        DatabaseAddress | None,
        Field(repr=False, min_length=1, description="the same database, as the relay's role", json_schema_extra=SECRET),
    ] = None
    role_service: Annotated[
        str | None, Field(min_length=1, description="migrate: the role that is to do a service's work")
    ] = None
    role_relay: Annotated[str | None, Field(min_length=1, description="migrate: the role of the relay")] = None
    role_reader: Annotated[
        str | None, Field(min_length=1, description="migrate: a role that may look, but not at keys")
    ] = None
    clock: Annotated[
        Literal["system", "driven"], Field(description="driven: time stands still until it is set; never in production")
    ] = "system"
    zone: Annotated[Zone, Field(description="the company's IANA time zone: its periods and calendar days")] = "UTC"
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"], Field(description="the least that is logged")
    ] = "INFO"

    brokers: Annotated[BrokerList, Field(description="Kafka: host:port, more separated by commas")] = "127.0.0.1:9092"
    kafka_protocol: Annotated[
        Protocol, Field(description="how Kafka is spoken to: SASL_SSL is the one for production")
    ] = "PLAINTEXT"
    kafka_mechanism: Annotated[Mechanism, Field(description="how the password is proved to Kafka")] = "SCRAM-SHA-512"
    kafka_username: Annotated[str | None, Field(min_length=1, description="the service's user name at Kafka")] = None
    kafka_password_file: Annotated[
        Path | None,
        Field(description="file with the password; read anew for each connection", json_schema_extra=SECRET),
    ] = None
    kafka_ca_file: Annotated[
        Path | None, Field(description="certificates of those who may vouch for a broker; default: the system's")
    ] = None
    kafka_cert_file: Annotated[Path | None, Field(description="the service's own certificate, if Kafka asks")] = None
    kafka_key_file: Annotated[Path | None, Field(description="its private key", json_schema_extra=SECRET)] = None
    kafka_trusted_network: Annotated[
        bool, Field(description="production without TLS to Kafka: said where a mesh or a tunnel encrypts")
    ] = False

    watch_every: Annotated[Seconds, Field(description="between two looks at the gauges of the work")] = 15.0
    otlp_endpoint: Annotated[
        str | None, Field(pattern="^https?://", description="where traces are sent (OTLP over HTTP); unset: nowhere")
    ] = None
    trace_ratio: Annotated[
        float, Field(ge=0, le=1, description="how many requests are traced whose callers do not say so")
    ] = 0.01

    publishers: Annotated[
        Publishers, Field(description="address of each other service, by name: where missing events are fetched")
    ] = {}
    feed_token_file: Annotated[
        Path | None,
        Field(description="file with the token that opens their feeds; read anew each time", json_schema_extra=SECRET),
    ] = None

    issuer: Annotated[
        str, Field(description="who signs the tokens that are let in; the default is for development")
    ] = DEV_ISSUER
    audience: Annotated[str, Field(description="for whom a token must be meant")] = AUDIENCE
    jwks: Annotated[
        str | None,
        Field(min_length=1, description="file or https address of the issuer's public keys; else the issuer is asked"),
    ] = None
    roles_claim: Annotated[
        str | None,
        Field(min_length=1, max_length=200, description="claim whose roles are bundles of ours: name or path"),
    ] = None
    token_life: Annotated[
        float,
        Field(
            ge=60,
            le=31 * 86_400,
            description="how many seconds ahead a token may end, at most; not asked of the development issuer's tokens",
        ),
    ] = 86_400.0
    key_file: Annotated[
        Path | None,
        Field(description="file with the key that wraps the keys of personal data", json_schema_extra=SECRET),
    ] = None

    request_deadline: Annotated[Seconds, Field(description="how long a caller waits for a reply at most")] = 10.0
    database_deadline: Annotated[Seconds, Field(description="how long one question to the database may take")] = 5.0
    kafka_deadline: Annotated[Seconds, Field(description="how long the consumer waits for an answer of Kafka")] = 10.0
    shutdown_deadline: Annotated[Seconds, Field(description="how long the end of a process may take")] = 20.0

    database_limit_bytes: Annotated[
        int, Field(ge=0, description="size of the database from which on commands are refused; 0: no limit")
    ] = 0
    worker_port: Annotated[
        int | None, Field(ge=1, le=65_535, description="where a worker shows /livez, /readyz and /metrics")
    ] = None
    disk_path: Annotated[Path | None, Field(description="a folder on the volume of the database, if it is seen")] = None
    disk_free_bytes: Annotated[int, Field(ge=0, description="room that must be left there for commands")] = 1024**3

    body_bytes: Annotated[int, Field(ge=1_024, le=16 * 1024 * 1024, description="the largest body of a request")] = (
        256 * 1024
    )
    in_flight: Annotated[Count, Field(description="requests at once; more are told to come back")] = 512
    streams: Annotated[Count, Field(description="streams of the feed that one process serves at once")] = 128
    streams_of_subject: Annotated[Count, Field(description="of these, streams of one subject")] = 16
    backlog: Annotated[Count, Field(description="commands that may wait for the writer")] = 20_000
    batch: Annotated[int, Field(ge=1, le=5_000, description="commands that share a commit at most")] = 512
    pool: Annotated[int, Field(ge=1, le=200, description="connections for lists, and as many for consuming")] = 8
    rate: Annotated[
        float | None,
        Field(
            ge=0,
            description="requests a second for one subject; 0: no limit; default: 200 in production, else none",
        ),
    ] = None
    burst: Annotated[float, Field(ge=0, description="requests of one subject at once; 0: those of two seconds")] = 0.0
    api_pages: Annotated[bool, Field(description="whether /docs and /openapi.json are served")] = True

    seals: ClassVar[frozenset[str]] = SERVES | {"rebuild"}
    """The roles that need the sealing key."""

    @property
    def kafka_access(self) -> Access:
        """How Kafka lets this service in."""
        return Access(
            self.kafka_protocol,
            self.kafka_mechanism,
            self.kafka_username,
            self.kafka_password_file,
            self.kafka_ca_file,
            self.kafka_cert_file,
            self.kafka_key_file,
        )

    @model_validator(mode="after")
    def _kafka_can_be_used(self) -> Self:
        self.kafka_access.check()  # at start, so that a file that is missing ends the start
        return self

    @model_validator(mode="after")
    def _keys_can_be_found(self) -> Self:
        if self.jwks is None and not self.issuer.startswith(("https://", "http://")):
            raise ValueError("the issuer has no address to be asked at: say where its keys are (CONVEYOR_JWKS)")
        return self

    @model_validator(mode="after")
    def _fit_for_production(self) -> Self:
        if self.environment != "production":
            return self
        wrong = []
        if self.clock != "system":
            wrong.append("the clock must be the system's")
        if self.issuer == DEV_ISSUER or not self.issuer.startswith("https://"):
            wrong.append("the issuer must be a real one (https), not the development issuer")
        if self.jwks is not None and self.jwks.startswith("http://"):
            wrong.append("the issuer's keys must come from a file or over https")
        if self.key_file is None:
            wrong.append("a key file for sealing personal data is needed")
        if wrong:
            raise ValueError("not fit for production: " + "; ".join(wrong))
        self.sealing_key  # noqa: B018 - read at start, so that a missing or short key ends the start, not a command
        return self

    def check_for(self, role: str) -> None:
        """What this role needs, and only a look can tell. Raises ValueError."""
        if role in CARRIES:
            self.check_kafka()
        if role in self.seals:
            self.sealing_key  # noqa: B018 - reads it
        if role not in SERVES:
            return
        if self.jwks is not None and not self.jwks.startswith(WEB):
            _look(Path(self.jwks), "JWKS")
        if self.feed_token_file is not None:
            _look(self.feed_token_file, "FEED_TOKEN_FILE")
        if self.disk_path is not None and not self.disk_path.is_dir():
            raise ValueError("CONVEYOR_DISK_PATH: there is no such folder")

    def check_kafka(self) -> None:
        """For processes that speak to Kafka: in production over TLS, unless the network encrypts. Raises ValueError."""
        if self.environment == "production" and not (self.kafka_access.encrypted or self.kafka_trusted_network):
            raise ValueError(
                "not fit for production: Kafka must be spoken to over TLS (CONVEYOR_KAFKA_PROTOCOL=SASL_SSL), "
                "or CONVEYOR_KAFKA_TRUSTED_NETWORK=true must say that the network encrypts"
            )

    @property
    def measure(self) -> float:
        """Requests a second for one subject: as set, else 200 in production and no limit in development.

        200 is far above what a person or an integration sends one by one (who has more to say says it in bulk), and
        far below what a process can do: one caller gone wild leaves the others room.
        """
        if self.rate is not None:
            return self.rate
        return RATE if self.environment == "production" else 0.0

    @cached_property
    def sealing_key(self) -> bytes:
        """The key that wraps the keys of personal data: at least 32 bytes, from a file of its own."""
        if self.key_file is None:
            raise ValueError("CONVEYOR_KEY_FILE is not set: personal data cannot be sealed")
        try:
            raw = self.key_file.read_bytes()
        except OSError as unreadable:
            raise ValueError(f"CONVEYOR_KEY_FILE: the key file cannot be read: {unreadable.strerror}") from None
        key = raw.strip() if raw.isascii() else raw
        if len(key) < KEY_BYTES or len(set(key)) < KEY_BYTES // 4:
            raise ValueError(
                f"CONVEYOR_KEY_FILE: it must hold at least {KEY_BYTES} random bytes (or their hex or base64 text)"
            )
        return key

    def feed_token(self) -> str:
        """Read each time it is needed: tokens are renewed."""
        return self.feed_token_file.read_text().strip() if self.feed_token_file is not None else ""

    @classmethod
    def load(cls, service: str, port: int) -> Self:
        """From the environment and the secrets folder; `port` is used where CONVEYOR_PORT is not set."""
        folder = os.environ.get("CONVEYOR_SECRETS_DIR") or None
        if folder is not None and not Path(folder).is_dir():
            raise ValueError("CONVEYOR_SECRETS_DIR: there is no such folder")
        given: Any = os.environ.get("CONVEYOR_PORT", port)
        return cls(_secrets_dir=folder, service=service, port=given)


def _look(file: Path, variable: str) -> None:
    try:
        file.read_bytes()
    except OSError as unreadable:
        raise ValueError(f"CONVEYOR_{variable}: the file cannot be read: {unreadable.strerror}") from None


def unfit(wrong: ValueError) -> str:
    """Why a process does not start, each fault with the variable that mends it."""
    if isinstance(wrong, SettingsError) and (found := UNREAD.search(str(wrong))):
        return f"CONVEYOR_{found[1]}: ".upper() + "it must be a JSON document"
    if not isinstance(wrong, ValidationError):
        return str(wrong)
    faults = wrong.errors(include_url=False, include_input=False)
    said = (([f"CONVEYOR_{part}".upper() for part in one["loc"][:1]], one["msg"]) for one in faults)
    return "; ".join(": ".join([*variable, why.removeprefix("Value error, ")]) for variable, why in said)
