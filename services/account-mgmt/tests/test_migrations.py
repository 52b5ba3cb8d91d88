"""A database of the first release, brought up to date."""

import asyncpg
from account_desk import Counter
from account_story import CLIENT, OFFER

from account_mgmt.main import SERVICE, STREAMS
from belt.io.store.migrate import upgrade
from belt.io.store.projection import rebuild

FIRST_RELEASE = """
    alter table accounts drop column journey_id, drop column risks, drop column at_risk_since, drop column lapse_due_at,
        drop column gone_at, drop column open_complaints, drop column last_contact_at, drop column next_contact_at;
    drop index if exists accounts_lapse, accounts_contact, offers_due, sales_sold;
    create or replace function keep_accounts(rows jsonb) returns void language sql as $$
        insert into accounts select * from jsonb_populate_recordset(null::accounts, rows)
        on conflict (client_id) do update set stage = excluded.stage, version = excluded.version, shape = excluded.shape
        where accounts.version <= excluded.version
    $$;
    update accounts set shape = 1;
    update alembic_version set version_num = '0001';
"""


async def columns(connection: "asyncpg.Connection[asyncpg.Record]") -> dict[str, str]:
    rows = await connection.fetch(
        "select column_name || ' ' || is_nullable as name, data_type from information_schema.columns "
        "where table_name = 'accounts' union all "
        "select indexname, indexdef from pg_indexes where tablename in ('accounts', 'offers', 'sales')"
    )
    return {row[0]: row[1] for row in rows}


async def test_a_database_of_the_first_release_is_brought_up_to_date(counter: Counter) -> None:
    await counter.begins()
    assert (await counter.get(f"/v1/offers/{OFFER}")).status_code == 200
    connection = await asyncpg.connect(counter.dsn)
    try:
        new = await columns(connection)
        for view in (stream.view for stream in STREAMS.values() if stream.view is not None):
            if view.name not in ("offers", "accounts", "sales"):
                await connection.execute(f"drop table {view.name}")  # came later
        await connection.execute(FIRST_RELEASE)
        assert await columns(connection) != new
        await upgrade(counter.dsn, SERVICE.package)
        assert await columns(connection) == new
    finally:
        await connection.close()
    await counter.accepted()
    (row,) = (await counter.get("/v1/accounts", order="lapse")).json()["items"]
    assert (row["client_id"], row["stage"], row["risks"]) == (CLIENT, "buyer", [])
    assert row["lapse_due_at"] is not None
    await counter.query("update accounts set lapse_due_at = null")
    await rebuild(counter.dsn, STREAMS["account"], counter.parts.desk.writer.vault)
    (again,) = (await counter.get("/v1/accounts", order="lapse")).json()["items"]
    assert again == row
