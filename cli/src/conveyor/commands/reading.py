"""people, statement, explain, journey: what the services know, as people read it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from conveyor.commands.options import AsJson
from conveyor.explaining import in_the_feeds
from conveyor.line import Line
from conveyor.screen import console, print_json

READER = "conveyor-cli"
PAYROLL = ("payroll",)
OPERATOR = ("operator",)


MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


class Language(StrEnum):
    """The languages of a printed statement."""

    EN = "en"
    RU = "ru"


def people(
    line: Annotated[str | None, typer.Option(help="Only what happened on this line.")] = None, as_json: AsJson = False
) -> None:
    """What each person did and earned: prospects, accepted leads, deals, first and repeat sales, pay by month."""
    from conveyor.pay_tables import people_table

    found = asyncio.run(_people(line))
    if as_json:
        print_json(found)
    else:
        console().print(people_table(found, line))


def statement(
    person: Annotated[str, typer.Argument(help="Whose pay.")],
    period: Annotated[str, typer.Argument(help="The month, such as 2026-03.")],
    known_at: Annotated[str | None, typer.Option(help="As it was known at this instant (RFC 3339).")] = None,
    pdf: Annotated[Path | None, typer.Option(help="Write it to this file, to print.", dir_okay=False)] = None,
    csv: Annotated[Path | None, typer.Option(help="Write its lines to this file, as CSV.", dir_okay=False)] = None,
    name: Annotated[str | None, typer.Option(help="With --pdf: how the person is called on the page.")] = None,
    lang: Annotated[Language, typer.Option(help="With --pdf: the language of the page.")] = Language.EN,
    as_json: AsJson = False,
) -> None:
    """A person's statement of a month, line by line: on the screen, or as a PDF or CSV file."""
    from conveyor.pay_tables import statement_table

    if not MONTH.fullmatch(period):
        raise typer.BadParameter(f"{period!r} is not a month such as 2026-03", param_hint="PERIOD")
    if name is not None and pdf is None:
        raise typer.BadParameter("a name stands on the printed page only: give --pdf", param_hint="--name")
    path = f"/v1/statements/{quote(person, safe='')}/{period}"
    if pdf is not None or csv is not None:
        if pdf is not None:
            page = {"known_at": known_at, "lang": str(lang), "name": name}
            pdf.write_bytes(asyncio.run(_file(f"{path}.pdf", page)))
        if csv is not None:
            csv.write_bytes(asyncio.run(_file(f"{path}.csv", {"known_at": known_at})))
        written = [str(file) for file in (pdf, csv) if file is not None]
        if as_json:
            print_json({"written": written})
        else:
            console().print("written: " + ", ".join(written), markup=False)
        return
    found = asyncio.run(_get(path, PAYROLL, known_at=known_at))
    if as_json:
        print_json(found)
    else:
        console().print(statement_table(found))


def explain(line_id: Annotated[str, typer.Argument(help="A line of a statement.")], as_json: AsJson = False) -> None:
    """One line of a statement: its rule, its calculation, and the events it comes from, looked up in the feeds."""
    from conveyor.pay_tables import line_tree

    shown, found = asyncio.run(_explained(line_id))
    if as_json:
        print_json(shown | {"published": {cause: found.get(cause) for cause in shown["causes"]}})
    else:
        console().print(line_tree(shown, found))


def journey(client: Annotated[str, typer.Argument(help="The client's id.")], as_json: AsJson = False) -> None:
    """Everything that happened to one client, from cold call to repeat sale."""
    from conveyor.pay_tables import journey_table

    found = asyncio.run(_get(f"/v1/journeys/{client}", OPERATOR))
    if as_json:
        print_json(found)
    else:
        console().print(journey_table(found))


async def _file(path: str, params: Mapping[str, Any]) -> bytes:
    async with Line.find() as line:
        return await line.file("compensation", path, params, person=READER, roles=PAYROLL)


async def _people(of: str | None) -> dict[str, Any]:
    async with Line.find() as line:
        return await line.people({"line": of}, person=READER, roles=PAYROLL)


async def _get(path: str, roles: tuple[str, ...], **params: Any) -> dict[str, Any]:
    async with Line.find() as line:
        return await line.get("compensation", path, params, person=READER, roles=roles)


async def _explained(line_id: str) -> tuple[dict[str, Any], Mapping[str, Mapping[str, Any]]]:
    async with Line.find() as line:
        shown = await line.get("compensation", f"/v1/lines/{line_id}", person=READER, roles=PAYROLL)
        return shown, await in_the_feeds(line, shown["events"])
