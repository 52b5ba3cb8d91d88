"""The same prospect in the Python library `eventsourcing`, as its documentation would have it."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event


class Prospect(Aggregate):
    @event("Registered")
    def __init__(self, id: UUID, client: str, line: str, name: str, country: str, source: str, keys: list[str]) -> None:  # noqa: A002
        self._id = id
        self.client, self.line, self.name, self.country, self.source = client, line, name, country, source
        self.keys, self.calls = keys, 0

    @staticmethod
    def create_id(id: UUID, **_: Any) -> UUID:  # noqa: A002
        return id

    @event("CallLogged")
    def call(self, outcome: str, duration_s: int) -> None:
        if not outcome:
            raise ValueError("a call has an outcome")
        self.calls += 1


class Prospects(Application):
    @classmethod
    def on(cls, dsn: str) -> Prospects:
        """The application on this database, its pool as large as FastAPI's threads need."""
        at = urlsplit(dsn)
        return cls(
            env={
                "PERSISTENCE_MODULE": "eventsourcing.postgres",
                "POSTGRES_DBNAME": at.path.lstrip("/"),
                "POSTGRES_HOST": str(at.hostname),
                "POSTGRES_PORT": str(at.port),
                "POSTGRES_USER": unquote(at.username or ""),
                "POSTGRES_PASSWORD": unquote(at.password or ""),
                "POSTGRES_POOL_SIZE": "20",
                "POSTGRES_MAX_OVERFLOW": "20",
            }
        )

    def register(self, id: UUID, *said: Any) -> int:  # noqa: A002
        client, line, name, country, source, keys = said
        prospect = Prospect(id=id, client=client, line=line, name=name, country=country, source=source, keys=keys)
        self.save(prospect)
        return int(prospect.version)

    def call(self, id: UUID, outcome: str, duration_s: int) -> int:  # noqa: A002
        prospect: Prospect = self.repository.get(id)
        prospect.call(outcome=outcome, duration_s=duration_s)
        self.save(prospect)
        return int(prospect.version)

    def calls(self, id: UUID, count: int) -> None:  # noqa: A002
        """So many at once."""
        prospect: Prospect = self.repository.get(id)
        for number in range(count):
            prospect.call(outcome="no_answer", duration_s=number)
        self.save(prospect)
