"""How a client is let in to Kafka, and in words that an operator can act on why it is not.

Files (password, certificates) are read anew for every client, and a client that fails is replaced by a new one: so what
is rotated on disk is used from the next connection on, without a restart.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from aiokafka import errors
from aiokafka.conn import collect_hosts, create_conn

Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"]

ASK_WITHIN = 5.0


class Unusable(ValueError):
    """What is needed to be let in is missing or cannot be read."""


@dataclass(frozen=True)
class Access:
    """The way in. It holds the places of secrets, never a secret; names of hosts are always checked."""

    protocol: Protocol = "PLAINTEXT"
    mechanism: Mechanism = "SCRAM-SHA-512"
    username: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

    @property
    def encrypted(self) -> bool:
        return self.protocol in ("SSL", "SASL_SSL")

    @property
    def by_name(self) -> bool:
        """Whether the client says a name and proves it with a password."""
        return self.protocol.startswith("SASL_")

    def check(self) -> None:
        """Raises Unusable. Whether it can be used at all, and all its files can be read now."""
        if self.by_name and not (self.username and self.password_file):
            raise Unusable(f"{self.protocol} needs a user name and a password file")
        if not self.by_name and (self.username or self.password_file):
            raise Unusable(f"a user name or a password means nothing with {self.protocol}: SASL_SSL is missing")
        if self.mechanism == "PLAIN" and self.protocol == "SASL_PLAINTEXT":
            raise Unusable("PLAIN would send the password readable to all; it needs SASL_SSL")
        if not self.encrypted and (self.ca_file or self.cert_file or self.key_file):
            raise Unusable(f"certificates mean nothing with {self.protocol}")
        if (self.cert_file is None) != (self.key_file is None):
            raise Unusable("a client's certificate and its key go together")
        self.words()

    def words(self) -> dict[str, Any]:
        """The same in aiokafka's words, with the files as they are now. Raises Unusable."""
        if self.protocol == "PLAINTEXT":
            return {}
        words: dict[str, Any] = {"security_protocol": self.protocol}
        if self.by_name:
            words |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self._password(),
            }
        if self.encrypted:
            words["ssl_context"] = self._certificates()
        return words

    def _password(self) -> str:
        try:
            password = self.password_file.read_text().strip() if self.password_file is not None else ""
        except (OSError, UnicodeDecodeError) as wrong:
            raise Unusable(f"Kafka's password file cannot be read: {_short(wrong)}") from None
        if not password:
            raise Unusable("Kafka's password file is empty")
        return password

    def _certificates(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if self.cert_file is not None:
                context.load_cert_chain(self.cert_file, self.key_file)
        except (OSError, ValueError) as wrong:
            raise Unusable(f"Kafka's certificates cannot be read: {_short(wrong)}") from None
        return context


async def reason(servers: str, access: Access, failed: BaseException) -> str:
    """Why Kafka could not be used, in one line. Knocks once more where the client kept the reason to itself."""
    if isinstance(failed, errors.KafkaConnectionError | TimeoutError) and access.protocol != "PLAINTEXT":
        try:
            async with asyncio.timeout(ASK_WITHIN):
                await _knock(servers, access)
        except (errors.KafkaError, OSError, TimeoutError, Unusable) as why:
            failed = why
    return said(failed)


async def _knock(servers: str, access: Access) -> None:
    """Logs in to the first server that lets us; raises what the last one said."""
    refused: BaseException | None = None
    for host, port, _ in collect_hosts(servers, randomize=False):
        try:
            door = await create_conn(host, port, request_timeout_ms=int(ASK_WITHIN * 1000), **access.words())
        except (errors.KafkaError, OSError, TimeoutError) as why:
            refused = why
        else:
            door.close()
            return
    if refused is not None:
        raise refused


def said(failed: BaseException) -> str:
    """A refusal by Kafka, or anything else that went wrong with it, as a person would say it."""
    match failed:
        case ssl.SSLCertVerificationError():
            return f"refused: the broker's certificate is not to be trusted ({failed.verify_message})"
        case ssl.SSLError():
            return f"refused: no TLS with the broker ({failed.reason or _short(failed)})"
        case errors.SaslAuthenticationFailed():
            return "refused: Kafka does not accept this user name and password"
        case errors.UnsupportedSaslMechanismError():
            return "refused: Kafka does not offer this SASL mechanism"
        case errors.TopicAuthorizationFailedError():
            return f"refused: this user may not do that with the topic {_names(failed)}"
        case errors.GroupAuthorizationFailedError():
            return f"refused: this user may not be in the group {_names(failed)}"
        case errors.ClusterAuthorizationFailedError():
            return "refused: this user may not do that with the cluster"
        case _:
            return repr(failed)


def _names(failed: BaseException) -> str:
    about = failed.args[0] if failed.args else ""
    return ", ".join(sorted(map(str, about))) if isinstance(about, set | frozenset | list | tuple) else str(about)


def _short(wrong: BaseException) -> str:
    return getattr(wrong, "strerror", None) or str(wrong)
