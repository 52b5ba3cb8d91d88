"""What `conveyor up` has left running: addresses, processes, folders. One JSON file in the folder of the stack."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from conveyor_local.home import stack_home

FILE = "conveyor.json"


def address(port: int) -> str:
    """Where a service of ours listens."""
    return f"http://127.0.0.1:{port}"


@dataclass
class ServiceProcess:
    """One service: its process by id and birth (an id alone may belong to a stranger by now), its port and log."""

    pid: int
    born: float
    port: int
    log: str


@dataclass
class Running:
    """The contents of the file."""

    name: str
    home: Path
    clock: str = "system"
    services: dict[str, ServiceProcess] = field(default_factory=dict)
    pages: dict[str, ServiceProcess] = field(default_factory=dict)
    """What people open in a browser, by name. Nothing of the line needs them."""

    @classmethod
    def found(cls, name: str = "dev", home: Path | None = None) -> Self | None:
        """What an earlier `up` has written; None if there was none."""
        home = home or stack_home(name)
        path = home / FILE
        if not path.exists():
            return None
        record: dict[str, Any] = json.loads(path.read_text())
        services, pages = (
            {name: ServiceProcess(**process) for name, process in record.get(kind, {}).items()}
            for kind in ("services", "pages")
        )
        return cls(record["name"], home, record["clock"], services, pages)

    @property
    def addresses(self) -> dict[str, str]:
        return {service: address(process.port) for service, process in self.services.items()}

    @property
    def issuer(self) -> Path:
        """The folder of the development issuer's key."""
        return self.home / "issuer"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    def write(self) -> None:
        record = {
            "name": self.name,
            "clock": self.clock,
            "services": {service: asdict(process) for service, process in self.services.items()},
            "pages": {name: asdict(process) for name, process in self.pages.items()},
        }
        partial = self.home / f"{FILE}.partial"
        partial.write_text(json.dumps(record, indent=2) + "\n")
        partial.replace(self.home / FILE)

    def forget(self) -> None:
        (self.home / FILE).unlink(missing_ok=True)
