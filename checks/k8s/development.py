"""`make k8s-secrets`: the Secrets of a development namespace, made on the spot, as JSON for `kubectl create -f -`.

`create`, not `apply`: where they exist they stay, for what was sealed with a lost key is lost. The development issuer
is this checkout's own, so its tokens (`conveyor token`) open the doors of the namespace.
"""

from __future__ import annotations

import json
import secrets
import sys
from pathlib import Path
from typing import Any

from belt.io.http.issuer import DevelopmentIssuer
from conveyor.addresses import SERVICES
from conveyor.pages import BOARD
from conveyor.running import Running
from conveyor_local.home import stack_home

A_YEAR = 365 * 24 * 3_600.0
ROLES = ("service", "relay", "reader")


def manifests(issuer: DevelopmentIssuer | None) -> list[dict[str, Any]]:
    """For each service and the board: what its pods read, and the passwords of its database's roles.

    Without issuer: no tokens.
    """
    found = []
    for service in (*SERVICES, BOARD):
        database = service.replace("-", "_")
        passwords = {role: secrets.token_urlsafe(24) for role in ROLES if service != BOARD or role != "relay"}
        dsn = {
            role: f"postgresql://{database}_{role}:{password}@{service}-db-rw:5432/{database}"
            for role, password in passwords.items()
        }
        feed = issuer.issue(service, scopes=["events:read"], ttl=A_YEAR) if issuer is not None else ""
        found.append(
            _secret(
                f"{service}-secrets",
                {
                    "conveyor_dsn": dsn["service"],
                    **({"conveyor_relay_dsn": dsn["relay"]} if "relay" in dsn else {}),
                    "sealing.key": secrets.token_hex(32),
                    "feed.token": feed,
                    "jwks.json": issuer.jwks.read_text() if issuer is not None else "",
                },
            )
        )
        found += [
            _secret(
                f"{service}-db-{role}",
                {"username": f"{database}_{role}", "password": password},
                "kubernetes.io/basic-auth",
                {"cnpg.io/reload": "true"},
            )
            for role, password in passwords.items()
        ]
    return found


def _secret(
    name: str, data: dict[str, str], kind: str = "Opaque", labels: dict[str, str] | None = None
) -> dict[str, Any]:
    about = {"name": name, "labels": labels or {}}
    return {"apiVersion": "v1", "kind": "Secret", "type": kind, "metadata": about, "stringData": data}


def main(folder: Path) -> None:
    """Prints them: nothing is kept here."""
    items = manifests(DevelopmentIssuer(folder))
    json.dump({"apiVersion": "v1", "kind": "List", "items": items}, sys.stdout)


if __name__ == "__main__":
    main(Running("dev", stack_home("dev")).issuer)
