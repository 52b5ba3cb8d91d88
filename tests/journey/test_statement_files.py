"""A statement goes from the service into files: to print, and to calculate with."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from pathlib import Path

import pytest
from journey_firm import Firm, plans
from pypdf import PdfReader
from typer.testing import CliRunner

from conveyor.addresses import variable
from conveyor.line import Line
from conveyor.main import app
from conveyor.running import Running

pytestmark = [pytest.mark.journey, pytest.mark.timeout(60)]


def test_a_statement_is_written_as_pdf_and_csv(
    running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def prepared() -> str:
        async with Line.of(running) as line:
            await plans(line)
            firm = Firm(line, "printed", "scout-hunter-farmer")
            await firm.open()
            _, deal = await firm.deal("2026-03-10T10:00:00+01:00", "10000.00")
            await firm.paid(deal, "2026-03-15T10:00:00+01:00", "10000.00")
            await line.drained()
            return firm.hunter

    hunter = asyncio.run(prepared())
    for service, address in running.addresses.items():
        monkeypatch.setenv(variable(service), address)
    monkeypatch.setenv("CONVEYOR_ISSUER_FOLDER", str(running.issuer))
    page, table = tmp_path / "march.pdf", tmp_path / "march.csv"
    asked = ["statement", hunter, "2026-03", "--pdf", str(page), "--csv", str(table), "--name", "Анна", "--lang", "ru"]
    done = CliRunner().invoke(app, [*asked, "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.output) == {"written": [str(page), str(table)]}
    text = PdfReader(page).pages[0].extract_text()
    assert "Расчётный лист" in text
    assert "Анна" in text
    assert "1\u00a0100.00" in text or "1 100.00" in text
    rows = list(csv.DictReader(io.StringIO(table.read_text(encoding="utf-8"))))
    assert [(row["kind"], row["amount"]) for row in rows] == [
        ("fixed", "500.00"), ("commission", "600.00"), ("release", "600.00"),
    ]  # fmt: skip
    unknown = CliRunner().invoke(app, ["statement", "nobody", "2026-03", "--pdf", str(tmp_path / "none.pdf")])
    assert unknown.exit_code == 4
    assert not (tmp_path / "none.pdf").exists()
