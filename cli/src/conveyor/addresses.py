"""Where the four services are, and the development issuer: what the environment names, else what runs."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from conveyor.exits import NotRunning, Unusable
from conveyor.running import Running

SERVICES = ("lead-gen", "conversion", "account-mgmt", "compensation")


def variable(service: str) -> str:
    """The environment variable that names a service's address."""
    return f"CONVEYOR_{service.upper().replace('-', '_')}_URL"


def known(running: Running | None) -> dict[str, str]:
    """Addresses: what the environment names first, then what runs."""
    named = {service: _named(variable(service)) for service in SERVICES}
    if not all(named.values()) and running is None:
        raise NotRunning(
            "no services are known: run `conveyor up`, or name them in " + ", ".join(map(variable, SERVICES))
        )
    found = running.addresses if running else {}
    return {service: named[service] or found[service] for service in SERVICES}


def _named(variable: str) -> str:
    """The address that stands there; none where nothing does."""
    address = os.environ.get(variable, "")
    if address and not _usable(address):
        raise Unusable(f"{variable} must be an address such as http://127.0.0.1:8001")
    return address


def _usable(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def issuer_of(running: Running | None) -> Path:
    """The folder of the development issuer: the one the environment names, else that of what runs."""
    folder = os.environ.get("CONVEYOR_ISSUER_FOLDER") or (str(running.issuer) if running else "")
    if not folder:
        raise NotRunning(
            "CONVEYOR_TOKEN_FILE must name a file with a token, "
            "or CONVEYOR_ISSUER_FOLDER the folder with the development issuer's key"
        )
    return Path(folder)
