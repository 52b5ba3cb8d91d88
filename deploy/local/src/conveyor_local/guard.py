"""What makes a broker ask who is there: TLS, passwords, and an authorizer that allows nothing that is not allowed.

Two doors, SASL_SSL and SASL_PLAINTEXT; both take SCRAM-SHA-512, and PLAIN for the one administrator, who is a super
user and makes everybody else. The controller listens on this machine only and takes the same administrator.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ADMINISTRATOR = "admin"
PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule"
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"


@dataclass(frozen=True)
class Guard:
    """`identity`: a PEM file with the broker's key and certificate; `authorities`: whose certificates it trusts."""

    identity: Path
    authorities: Path
    password: str  # the administrator's

    @classmethod
    def recalled(cls, record: Mapping[str, Any]) -> "Guard":
        """The one that `record` was written for."""
        return cls(Path(record["identity"]), Path(record["authorities"]), record["password"])

    def record(self) -> dict[str, str]:
        """What `recalled` needs; it holds the password."""
        return {"identity": str(self.identity), "authorities": str(self.authorities), "password": self.password}

    def properties(self, clear: int, encrypted: int, controller: int) -> dict[str, str]:
        """For server.properties. `clear` and `encrypted`: the ports of the two doors."""
        name = f'username="{ADMINISTRATOR}" password="{self.password}"'
        administrator = f'{PLAIN} required {name} user_{ADMINISTRATOR}="{self.password}";'
        doors = {
            f"listener.name.{door}.{setting}": value
            for door in ("sasl_ssl", "sasl_plaintext")
            for setting, value in {
                "sasl.enabled.mechanisms": "SCRAM-SHA-512,PLAIN",
                "plain.sasl.jaas.config": administrator,
                "scram-sha-512.sasl.jaas.config": f"{SCRAM} required;",
            }.items()
        }
        return doors | {
            "listeners": f"SASL_PLAINTEXT://127.0.0.1:{clear},SASL_SSL://127.0.0.1:{encrypted},"
            f"CONTROLLER://127.0.0.1:{controller}",
            "listener.security.protocol.map": "SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL,"
            "CONTROLLER:SASL_PLAINTEXT",
            "inter.broker.listener.name": "SASL_PLAINTEXT",
            "sasl.mechanism.inter.broker.protocol": "PLAIN",
            "sasl.mechanism.controller.protocol": "PLAIN",
            "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.controller.plain.sasl.jaas.config": administrator,
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self.identity),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.authorities),
            "listener.name.sasl_ssl.ssl.client.auth": "requested",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "allow.everyone.if.no.acl.found": "false",
            "super.users": f"User:{ADMINISTRATOR}",
        }
