"""What can be set from outside: the settings of every service, and where people sign in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from belt.io.settings import SECRET, Settings
from board.apis import SERVICES

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class BoardSettings(Settings):
    """The settings of the board. The sealing key seals what a session holds; `publishers` names the services."""

    public_address: Annotated[
        str, Field(pattern=r"^https?://[^/]+$", description="the address under which browsers see it")
    ] = "http://127.0.0.1:8080"
    signin_address: Annotated[
        str | None,
        Field(pattern="^https?://", description="where the issuer is found, if its name is no address"),
    ] = None
    signin_client: Annotated[
        str, Field(min_length=1, max_length=200, description="the client id that the issuer knows it by")
    ] = "board"
    signin_secret_file: Annotated[
        Path | None,
        Field(description="file with the client's secret, if the issuer gave one", json_schema_extra=SECRET),
    ] = None
    signin_scope: Annotated[str, Field(min_length=1, description="the scopes it asks the issuer for")] = "openid"
    look_again: Annotated[float, Field(ge=0, le=600, description="seconds until it asks again who may see a line")] = (
        60.0
    )

    seals: ClassVar[frozenset[str]] = frozenset({"api", "all"})

    def check_for(self, role: str) -> None:
        """Pages ask every service, so each must be named. Raises ValueError."""
        super().check_for(role)
        missing = [service for service in SERVICES if service not in self.publishers]
        if role in self.seals and missing:
            raise ValueError(f"CONVEYOR_PUBLISHERS names no address of {', '.join(missing)}")

    @property
    def secure(self) -> bool:
        """Whether browsers come over TLS: then cookies are sent over nothing else."""
        return self.public_address.startswith("https://")

    @property
    def signin_name(self) -> str:
        """How the issuer that people sign in at calls itself: its address, which is the name in tokens as a rule."""
        return self.signin_address or self.issuer

    @property
    def discovery(self) -> str:
        """Where it describes itself."""
        return self.signin_name.removesuffix("/") + "/.well-known/openid-configuration"

    @model_validator(mode="after")
    def _sessions_are_safe(self) -> Self:
        if not self.secure and (
            self.environment == "production" or urlsplit(self.public_address).hostname not in LOOPBACK
        ):
            raise ValueError("the board must be seen over https: without it, only at a loopback address in development")
        return self
