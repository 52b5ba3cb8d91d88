"""A guarded Kafka for tests: its certificates, its users, and exactly the permissions of the table."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._acl import AclBinding, AclOperation, AclPermissionType
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType
from confluent_kafka.admin._scram import (
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialUpsertion,
)
from confluent_kafka.cimpl import NewTopic
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from belt.io.kafka.access import Access
from belt.io.kafka.brokers import Brokers
from checks.access.kafka import Rule
from conveyor_local.guard import ADMINISTRATOR, Guard
from conveyor_local.kafka import Kafka

WITHIN = 15.0
ITERATIONS = 4096  # the least that Kafka takes


class Authority:
    """Somebody who signs certificates."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        basic = x509.BasicConstraints(ca=True, path_length=0)
        mine = self._draft(self._name, self._key.public_key()).add_extension(basic, critical=True)
        usage = x509.KeyUsage(
            key_cert_sign=True, crl_sign=True, digital_signature=False, content_commitment=False,
            key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
            decipher_only=False,
        )  # fmt: skip
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(_pem(mine.add_extension(usage, critical=True).sign(self._key, hashes.SHA256())))

    def identity(self, name: str, address: str) -> Path:
        """A key and a certificate for an address, in one file."""
        key = ec.generate_private_key(ec.SECP256R1())
        where = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        signed = self._draft(subject, key.public_key()).add_extension(where, critical=False)
        path = self._folder / f"{name}.pem"
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(secret + _pem(signed.sign(self._key, hashes.SHA256())))
        return path

    def _draft(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + timedelta(days=1))
        )


@dataclass(frozen=True)
class Guarded:
    """A running broker that asks who is there, and its administrator."""

    kafka: Kafka
    authority: Authority
    folder: Path
    admin: AdminClient

    def password(self, user: str) -> Path:
        """The file with a user's password."""
        return self.folder / f"{user}.password"

    def access(self, user: str, **changed: object) -> Access:
        """How a service of that name comes in."""
        usual = Access(
            "SASL_SSL", username=user, password_file=self.password(user), ca_file=self.authority.file
        )  # fmt: skip
        return replace(usual, **changed)  # type: ignore[arg-type]

    def brokers(self, user: str, **changed: object) -> Brokers:
        return Brokers(self.kafka.encrypted_brokers, self.access(user, **changed))

    def environment(self, user: str) -> dict[str, str]:
        """The same as settings of a process."""
        return {
            "CONVEYOR_BROKERS": self.kafka.encrypted_brokers,
            "CONVEYOR_KAFKA_PROTOCOL": "SASL_SSL",
            "CONVEYOR_KAFKA_USERNAME": user,
            "CONVEYOR_KAFKA_PASSWORD_FILE": str(self.password(user)),
            "CONVEYOR_KAFKA_CA_FILE": str(self.authority.file),
        }

    def admit(self, passwords: Mapping[str, str]) -> None:
        """Makes users, or gives them other passwords; writes each where its user finds it."""
        secret = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, ITERATIONS)
        wanted: list[UserScramCredentialAlteration] = [
            UserScramCredentialUpsertion(user, secret, word.encode()) for user, word in passwords.items()
        ]
        for done in self.admin.alter_user_scram_credentials(wanted).values():
            done.result(WITHIN)
        for user, word in passwords.items():
            self.password(user).write_text(word + "\n")

    def allow(self, rules: Iterable[Rule]) -> None:
        """Exactly these."""
        bindings = [
            AclBinding(
                ResourceType[rule.resource.upper()],
                rule.name,
                ResourcePatternType["LITERAL" if rule.pattern == "literal" else "PREFIXED"],
                f"User:{rule.user}",
                "*",
                AclOperation[operation.upper()],
                AclPermissionType.ALLOW,
            )
            for rule in rules
            for operation in rule.operations
        ]
        for done in self.admin.create_acls(bindings).values():
            done.result(WITHIN)

    def make_topics(self, topics: dict[str, int]) -> None:
        for done in self.admin.create_topics([NewTopic(name, n, 1) for name, n in topics.items()]).values():
            done.result(WITHIN)


def started(folder: Path) -> Guarded:
    """A guarded broker of its own; the caller stops it."""
    authority = Authority(folder, "authority")
    guard = Guard(authority.identity("broker", "127.0.0.1"), authority.file, "the-administrators")
    kafka = Kafka.new(folder / "kafka", fast=True, guard=guard)
    kafka.launch()
    kafka.wait()
    login: dict[str, str | int | float] = {
        "bootstrap.servers": kafka.encrypted_brokers,
        "security.protocol": "SASL_SSL",
        "ssl.ca.location": str(authority.file),
        "sasl.mechanism": "PLAIN",
        "sasl.username": ADMINISTRATOR,
        "sasl.password": guard.password,
        "log_level": 0,
    }
    return Guarded(kafka, authority, folder, AdminClient(login))


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
