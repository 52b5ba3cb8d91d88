"""`python -m conveyor.signin`: serves the sign-in on this machine alone. `conveyor up` starts it."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import uvicorn

from belt.io.http.issuer import DevelopmentIssuer
from conveyor.line import Line
from conveyor.running import address
from conveyor.signin.app import People, SignIn
from conveyor.signin.clients import Client
from conveyor.signin.people import Person, on_the_line
from conveyor.tokens import Tokens

HOST = "127.0.0.1"
PATIENCE = 2.0
UNFIT = 2
END_SECONDS = 3


def main(arguments: list[str] | None = None) -> int:
    """Serves until it is ended. Production refuses it, as the services refuse its issuer there."""
    parser = argparse.ArgumentParser(prog="python -m conveyor.signin", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where the development issuer's key is")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--lead-gen", required=True, help="address of the service that knows who works where")
    parser.add_argument("--client", default="board", help="the application that may ask")
    parser.add_argument("--redirect", action="append", required=True, help="where its answers go; may be repeated")
    parser.add_argument("--after-logout", action="append", default=[], help="where it is left to; may be repeated")
    given = parser.parse_args(arguments)
    if os.environ.get("CONVEYOR_ENVIRONMENT", "development") != "development":
        print("not fit for production: here anybody may be anybody", file=sys.stderr)
        return UNFIT
    client = Client(given.client, frozenset(given.redirect), frozenset(given.after_logout))
    people = asking(given.folder, given.lead_gen)
    signin = SignIn(address(given.port), DevelopmentIssuer(given.folder), {client.id: client}, people)
    uvicorn.run(
        signin.app(),
        host=HOST,
        port=given.port,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=END_SECONDS,
    )
    return 0


def asking(folder: Path, lead_gen: str) -> People:
    """People as lead-gen knows them at this moment."""

    async def people() -> list[Person]:
        async with Line({"lead-gen": lead_gen}, Tokens(folder), patience=PATIENCE, connections=2) as line:
            return await on_the_line(line)

    return people


if __name__ == "__main__":
    sys.exit(main())
