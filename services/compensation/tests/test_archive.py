"""How the facts are read."""

import pytest
from pay_office import Office
from sqlalchemy import text

from compensation.clerk import archive


@pytest.mark.parametrize(("has", "then"), [("1", "128"), ("0", "0")], ids=["it can", "it cannot, or shall not"])
async def test_pages_are_asked_for_ahead_where_the_database_can(office: Office, has: str, then: str) -> None:
    """On a system that cannot, PostgreSQL has 0 and takes no other value."""
    async with office.desk.engine.connect() as connection:
        await connection.execute(text(f"set local effective_io_concurrency = {has}"))
        await archive.of_clients(connection, ["c1"])
        assert (await connection.execute(text("show effective_io_concurrency"))).scalar() == then
    async with office.desk.engine.connect() as connection:
        assert (await connection.execute(text("show effective_io_concurrency"))).scalar() == "1"
