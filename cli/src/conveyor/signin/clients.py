"""The applications that may ask for a sign-in, and the addresses that answers go to: exactly these, on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class NotRegistrable(ValueError):
    """An address that no answer may be sent to."""


@dataclass(frozen=True)
class Client:
    """A public client: it has no secret, its proof is PKCE. Addresses are compared letter by letter (RFC 9700, 2.1)."""

    id: str
    redirects: frozenset[str]
    after_logout: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for address in self.redirects | self.after_logout:
            _check(address)

    @property
    def origins(self) -> tuple[str, ...]:
        """Where its pages are."""
        return tuple(sorted({"{0.scheme}://{0.netloc}".format(urlsplit(address)) for address in self.redirects}))


def _check(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or parts.hostname not in LOOPBACK or "@" in parts.netloc:
        raise NotRegistrable(f"{address} is no address on this machine")
    if (
        "#" in address
        or not address.isascii()
        or not address.isprintable()
        or any(mark in address for mark in " \\*\"'<>;")
    ):
        raise NotRegistrable(f"{address} is not a plain address")
    if not parts.path:
        raise NotRegistrable(f"{address} needs a path")
