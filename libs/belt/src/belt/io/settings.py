"""All that can be set from outside: environment variables CONVEYOR_*, secrets from files. Checked once, at start.

A secret may come as a file: CONVEYOR_SECRETS_DIR names a folder with a file per setting (`conveyor_dsn`, …), and the
sealing key is always a file (CONVEYOR_KEY_FILE). Nothing secret is ever shown by repr.
"""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from belt.io.issuer import AUDIENCE, DEV_ISSUER

KEY_BYTES = 32
Seconds = Annotated[float, Field(gt=0, le=3_600)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]


class Settings(BaseSettings):
    """The settings of one service's process."""

    model_config = SettingsConfigDict(
        env_prefix="CONVEYOR_", extra="ignore", frozen=True, hide_input_in_errors=True, validate_default=True
    )

    service: Annotated[str, Field(min_length=1)]
    environment: Literal["development", "production"] = "development"
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)]
    dsn: Annotated[str, Field(repr=False, min_length=1)]
    brokers: Annotated[str, Field(description="host:port, more separated by commas")] = "127.0.0.1:9092"
    clock: Literal["system", "driven"] = "system"
    zone: Annotated[str, Field(description="the company's IANA time zone: its periods and calendar days")] = "UTC"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    publishers: Annotated[
        dict[str, str], Field(description="address of each other service, by name: where missing events are fetched")
    ] = {}
    feed_token_file: Annotated[Path | None, Field(description="file with the token that opens their feeds")] = None

    issuer: str = DEV_ISSUER
    audience: str = AUDIENCE
    jwks: Annotated[str, Field(min_length=1, description="file or https address of the issuer's public keys")]
    key_file: Annotated[Path | None, Field(description="file with the key that wraps the keys of personal data")] = None

    request_deadline: Seconds = 10.0
    database_deadline: Seconds = 5.0
    kafka_deadline: Seconds = 10.0
    shutdown_deadline: Seconds = 20.0

    database_limit_bytes: Annotated[
        int, Field(ge=0, description="size of the database from which on commands are refused; 0: no limit")
    ] = 0
    worker_port: Annotated[
        int | None, Field(ge=1, le=65_535, description="where a worker shows /livez, /readyz and /metrics")
    ] = None
    disk_path: Annotated[Path | None, Field(description="a folder on the volume of the database, if it is seen")] = None
    disk_free_bytes: Annotated[int, Field(ge=0, description="room that must be left there for commands")] = 1024**3

    body_bytes: Annotated[int, Field(ge=1_024, le=16 * 1024 * 1024)] = 256 * 1024
    in_flight: Count = 512
    backlog: Count = 20_000
    batch: Annotated[int, Field(ge=1, le=5_000)] = 512
    pool: Annotated[int, Field(ge=1, le=200)] = 8
    rate: Annotated[float, Field(ge=0, description="requests a second for one subject; 0: no limit")] = 0.0
    burst: Annotated[float, Field(ge=0, description="requests of one subject at once")] = 0.0

    @model_validator(mode="after")
    def _fit_for_production(self) -> Self:
        if self.environment != "production":
            return self
        wrong = []
        if self.clock != "system":
            wrong.append("the clock must be the system's")
        if self.issuer == DEV_ISSUER or not self.issuer.startswith("https://"):
            wrong.append("the issuer must be a real one (https), not the development issuer")
        if self.jwks.startswith("http://"):
            wrong.append("the issuer's keys must come from a file or over https")
        if self.key_file is None:
            wrong.append("a key file for sealing personal data is needed")
        if wrong:
            raise ValueError("not fit for production: " + "; ".join(wrong))
        self.sealing_key  # noqa: B018 - read at start, so that a missing or short key ends the start, not a command
        return self

    @cached_property
    def sealing_key(self) -> bytes:
        """The key that wraps the keys of personal data: at least 32 bytes, from a file of its own."""
        if self.key_file is None:
            raise ValueError("CONVEYOR_KEY_FILE is not set: personal data cannot be sealed")
        try:
            raw = self.key_file.read_bytes()
        except OSError as unreadable:
            raise ValueError(f"the key file cannot be read: {unreadable.strerror}") from None
        key = raw.strip() if raw.isascii() else raw
        if len(key) < KEY_BYTES or len(set(key)) < KEY_BYTES // 4:
            raise ValueError(f"the key file must hold at least {KEY_BYTES} random bytes (or their hex or base64 text)")
        return key

    def feed_token(self) -> str:
        """Read each time it is needed: tokens are renewed."""
        return self.feed_token_file.read_text().strip() if self.feed_token_file is not None else ""

    @classmethod
    def load(cls, service: str, port: int) -> Self:
        """From the environment and the secrets folder; `port` is used where CONVEYOR_PORT is not set."""
        folder = os.environ.get("CONVEYOR_SECRETS_DIR")
        port = int(os.environ.get("CONVEYOR_PORT", port))
        return cls(_secrets_dir=folder, service=service, port=port)
