"""What is shown of pay is what the tables and the books say."""

from __future__ import annotations

from datetime import UTC, datetime

from pay_office import NOW, Office

from belt.io.watching import near
from compensation.clerk import gauges
from compensation.clerk.books import of

DUE = {"until": datetime(2100, 1, 1, tzinfo=UTC)}


async def test_pay_says_what_it_lacks_and_what_is_undecided(office: Office) -> None:
    await of(office.desk).current()
    shown = {(gauge, labels): value for gauge, labels, value in await gauges.read(office.desk)}
    assert {gauge for gauge, _ in shown} | {gauges.CONFLICTS_OPEN} == set(gauges.WATCHED.readings[0].gauges)
    assert shown[gauges.PAY_FACTS_UNREAD, ()] == 0
    assert shown[gauges.PAY_FACTS_UNREADABLE, ()] == 0
    assert shown[gauges.DISPUTES_OPEN, ("no",)] == 1
    assert shown[gauges.DISPUTES_OPEN, ("yes",)] == 0
    newest = max(envelope.recorded_at for envelope in office.said)
    assert shown[gauges.PAY_NEWEST_FACT_SECONDS, ()] == (NOW - newest).total_seconds()
    january_ended = datetime(2026, 1, 31, 23, tzinfo=UTC)  # in Berlin
    assert shown[gauges.PERIOD_OPEN_SECONDS, ()] == (NOW - january_ended).total_seconds()
    assert (shown[gauges.CLOSE_WAITS_FOR, ()], shown[gauges.CLOSE_SECONDS, ()]) == (0, 0)


async def test_the_date_of_an_answer_is_a_deadline(office: Office) -> None:
    (deadline,) = gauges.WATCHED.deadlines
    async with office.desk.engine.connect() as connection:
        ((line, person, count, due_at),) = (await connection.execute(near(deadline), DUE)).all()
    assert (line, person, count) == ("", "", 1)
    assert due_at > NOW
