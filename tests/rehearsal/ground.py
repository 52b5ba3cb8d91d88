"""What the pods stand on: PostgreSQL with TLS and a role for each kind of work, Kafka with TLS, names and permissions,
an issuer, a collector of traces, and the files that are mounted. All of this run alone.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import ssl
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import asyncpg
import jwt
from guarded import Authority, Guarded, started
from overlay import Here, Told, Unsaid, environment, told
from pods import Pod
from received_spans import Collector, collecting

from belt.io.http.issuer import AUDIENCE, DevelopmentIssuer
from checks.access.__main__ import table
from checks.k8s.cluster import Cluster
from conveyor_events.catalog import TOPICS
from conveyor_events.scopes import scopes_of
from conveyor_local.admin import create_database, create_role
from conveyor_local.guard import ADMINISTRATOR
from conveyor_local.home import free_port, passing_home, server_account
from conveyor_local.postgres import Postgres
from conveyor_local.watch import Watch

ROLES = ("service", "relay", "reader")
LIFE = 3_600.0
MIGRATED_WITHIN = 120.0


class Issuer(DevelopmentIssuer):
    """Signs with a key of this run in the name of the company's issuer."""

    def __init__(self, folder: Path, name: str) -> None:
        super().__init__(folder)
        self.name = name

    def issue(
        self,
        sub: str,
        *,
        roles: Iterable[str] = (),
        scopes: Iterable[str] = (),
        ttl: float = LIFE,
        audience: str = AUDIENCE,
        claims: Mapping[str, Any] | None = None,
    ) -> str:
        now = int(time.time())
        claims = {"iss": self.name, "aud": audience, "sub": sub, "iat": now, "exp": now + int(min(ttl, LIFE))}
        scope = " ".join(sorted(scopes_of(*roles, *scopes)))
        return jwt.encode(claims | {"scope": scope}, self._key, algorithm="EdDSA", headers={"kid": self.kid})


class Ground:
    """`contents`: what is in each secret, by its name and key."""

    def __init__(self, home: Path, postgres: Postgres, broker: Guarded, issuer: Issuer, collector: Collector) -> None:
        self.home, self.postgres, self.broker = home, postgres, broker
        self.issuer, self.collector = issuer, collector
        self.contents: dict[tuple[str, str], str] = {}

    def dsn(self, service: str) -> str:
        """As who may do everything: for looking, past the services."""
        return self.postgres.dsn(service.replace("-", "_"))

    @property
    def reading(self) -> Mapping[str, object]:
        """How a consumer that may read everything comes in."""
        assert self.broker.kafka.guard is not None
        return {
            "security_protocol": "SASL_SSL",
            "ssl_context": ssl.create_default_context(cafile=str(self.broker.authority.file)),
            "sasl_mechanism": "PLAIN",
            "sasl_plain_username": ADMINISTRATOR,
            "sasl_plain_password": self.broker.kafka.guard.password,
        }

    def here(self, publishers: Mapping[str, str]) -> Here:
        return Here(
            self.broker.kafka.encrypted_brokers, str(self.issuer.jwks), self.collector.address, json.dumps(publishers)
        )

    def mounted(self, one: Told) -> Path:
        """The root below which the files of its pods lie."""
        root = self.home / "files" / one.called
        for secret, key, path in one.files():
            if (secret, key) not in self.contents:
                raise Unsaid(f"{one.called}: mounts {key} of the secret {secret}, which nobody makes here")
            file = root / path.lstrip("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(self.contents[secret, key])
        for _, place in one.mounts:
            (root / place.lstrip("/")).mkdir(parents=True, exist_ok=True)
        return root

    async def furnish(self, cluster: Cluster, services: Iterable[str], authority: Authority) -> None:
        """A database, a user of Kafka and all secrets for each service."""
        for one in told(cluster, services, ("migrate",)):
            service, database = one.service, one.service.replace("-", "_")
            await create_database(self.postgres.dsn("postgres"), database)
            owner = await create_role(self.dsn(service), database, owns=database)
            dsns = {}
            for role in ROLES:
                named = one.settings[f"CONVEYOR_ROLE_{role.upper()}"]
                dsns[role] = await create_role(self.dsn(service), named)
            word = secrets.token_urlsafe(24)
            self.broker.admit({service: word})
            self.contents |= {
                (f"{service}-secrets", "conveyor_dsn"): dsns["service"],
                (f"{service}-secrets", "conveyor_relay_dsn"): dsns["relay"],
                (f"{service}-secrets", "sealing.key"): secrets.token_hex(32),
                (f"{service}-secrets", "feed.token"): self.issuer.issue(service, scopes=("events:read",)),
                (f"{service}-db-app", "uri"): owner,
                (f"{service}-db-ca", "ca.crt"): authority.file.read_text(),
                ("conveyor-cluster-ca-cert", "ca.crt"): self.broker.authority.file.read_text(),
                (service, "password"): word,
            }

    async def migrate(self, cluster: Cluster, services: Iterable[str], here: Here) -> None:
        """The migration Jobs, each with its own settings and files."""

        async def run(one: Told) -> None:
            port = free_port()
            pod = Pod(one, 1, port, environment(one, here, port, self.mounted(one)), self.home, lambda: None)
            status = await pod.completed(MIGRATED_WITHIN)
            if status != 0:
                raise RuntimeError(f"{one.called} ended with {status}: {pod.log.read_text()[-2000:]}")

        await asyncio.gather(*(run(one) for one in told(cluster, services, ("migrate",))))


@asynccontextmanager
async def ground(issuer: str) -> AsyncIterator[tuple[Ground, Authority]]:
    """Brings it up, and takes it down however this ends."""
    watch = Watch()
    home = passing_home(f"rehearsal-{os.getpid()}")
    home.mkdir(parents=True, exist_ok=True)
    papers = Path(mkdtemp(prefix="rehearsal-"))
    for folder in (home, papers):
        watch.over("folder", folder)
    postgres = Postgres.new(home / "postgres", fast=True)
    watch.over("server", (await asyncio.to_thread(postgres.launch)).pid)
    broker = await asyncio.to_thread(started, papers)
    assert broker.kafka.server is not None
    watch.over("server", broker.kafka.server.pid)
    try:
        await asyncio.to_thread(postgres.wait)
        authority = Authority(papers, "databases")
        await _encrypt(postgres, authority.identity("postgres", "127.0.0.1"))
        broker.make_topics({name: topic.partitions for name, topic in TOPICS.items()})
        broker.allow(table())
        with collecting() as collector:
            yield Ground(home, postgres, broker, Issuer(papers, issuer), collector), authority
    finally:
        await asyncio.to_thread(broker.kafka.stop)
        await asyncio.to_thread(postgres.stop)
        for folder in (home, papers):
            shutil.rmtree(folder, ignore_errors=True)
        watch.done()


async def _encrypt(postgres: Postgres, identity: Path) -> None:
    """PostgreSQL speaks TLS from now on, so that clients may insist on it and look at its certificate."""
    mine, account = postgres.data / "identity.pem", server_account()
    shutil.copy(identity, mine)
    mine.chmod(0o600)
    if account is not None:
        os.chown(mine, account.uid, account.gid)
    db = await asyncpg.connect(postgres.dsn("postgres"), timeout=10, command_timeout=10)
    try:
        for setting, value in (("ssl_cert_file", "identity.pem"), ("ssl_key_file", "identity.pem"), ("ssl", "on")):
            await db.execute(f"alter system set {setting} = '{value}'")
        await db.execute("select pg_reload_conf()")
    finally:
        await db.close(timeout=10)
