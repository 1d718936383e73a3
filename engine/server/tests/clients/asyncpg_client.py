"""asyncpg: binary throughout, pools with resets, prepared statements, cursors, types it asks the catalogue for, COPY."""

import asyncio
import datetime as dt
import io
import json
from decimal import Decimal

import asyncpg

from check import DATABASE, ENDLESS, HOST, MEXICO_2023, MEXICO_YEARS, PASSWORD, PORT, READ_ONLY, USER, fail, same, true

MEXICO = "select iso3, year from mart.remittance_vs_oda where iso3 = $1 order by year"
SERVER = dict(host=HOST, port=PORT, user=USER, password=PASSWORD, database=DATABASE)
UTC = dt.timezone.utc


async def raises(what, kind, awaitable, codes):
    try:
        got = await awaitable
    except kind as error:
        if error.sqlstate not in ((codes,) if isinstance(codes, str) else codes):
            fail(f"{what}: SQLSTATE {error.sqlstate}, not {codes}: {error}")
        return error
    fail(f"{what}: no error, but {got!r}")


async def values(db):
    same("encoding", db.get_settings().client_encoding, "UTF8")
    true("version", tuple(db.get_server_version()) >= (9, 6), db.get_server_version())
    true("backend", db.get_server_pid() != 0)
    rows = await db.fetch(MEXICO, "MEX")
    same("years", [r["year"] for r in rows], MEXICO_YEARS)
    same("keys", list(rows[0].keys()), ["iso3", "year"])
    row = await db.fetchrow(
        "select remittance_usd, remit_oda_ratio, remit_exceeds_oda from mart.remittance_vs_oda"
        " where iso3 = $1 and year = $2",
        "CHN",
        2023,
    )
    same("row", tuple(row), (29484300000.0, None, True))
    same(
        "value",
        await db.fetchval("select remittance_usd from remittance_vs_oda where iso3 = 'MEX' and year = 2023"),
        MEXICO_2023,
    )
    same(
        "any",
        [r[0] for r in await db.fetch("select iso3 from lake.country where iso3 = any($1) order by 1", ["NPL", "MEX"])],
        ["MEX", "NPL"],
    )
    same(
        "any of numbers",
        await db.fetchval(
            "select count(*) from mart.remittance_vs_oda where iso3 = 'MEX' and year = any($1::int[])",
            [2000, 2005, 1900],
        ),
        2,
    )
    same("no row", await db.fetchrow("select 1 from lake.country where iso3 = 'none'"), None)
    same("status", await db.execute("select iso3 from lake.country where iso3 in ('MEX', 'NPL')"), "SELECT 2")
    same("several statements", await db.execute("select 1; select 2"), "SELECT 1")
    await db.execute("set time zone 'UTC'")
    for kind, value in [
        ("bool", True),
        ("int2", -3),
        ("int4", 2**31 - 1),
        ("int8", -(2**63)),
        ("float4", 0.5),
        ("float8", 0.1),
        ("numeric", Decimal("1234567890.0123456789")),
        ("numeric", Decimal("-0.00001")),
        ("text", "Côte d’Ivoire"),
        ("varchar", ""),
        ("bytea", b"\x00\xff"),
        ("date", dt.date(1582, 1, 1)),
        ("time", dt.time(1, 2, 3, 4)),
        ("timestamp", dt.datetime(1999, 12, 31, 23, 59, 59, 999999)),
        ("timestamptz", dt.datetime(2024, 2, 29, tzinfo=UTC)),
        ("interval", dt.timedelta(days=40, seconds=5)),
        ("int4[]", [1, None, 3]),
        ("text[]", ["a", None, ""]),
        ("float8[]", []),
        ("date[]", [dt.date(2020, 2, 29)]),
        ("json", '{"a": 1}'),
        ("int8", None),
    ]:
        same(f"{kind} round", await db.fetchval(f"select $1::{kind}", value), value)
    same("arithmetic", await db.fetchval("select $1::int4 + $2::int4", 40, 2), 42)


async def statements(db):
    prepared = await db.prepare(
        "select iso3, year, remittance_usd, remit_exceeds_oda from mart.remittance_vs_oda"
        " where iso3 = $1 and year >= $2::int4 order by year"
    )
    same(
        "parameters",
        [(p.name, p.schema, p.kind) for p in prepared.get_parameters()],
        [("text", "pg_catalog", "scalar"), ("int4", "pg_catalog", "scalar")],
    )
    same(
        "attributes",
        [(a.name, a.type.name, a.type.oid) for a in prepared.get_attributes()],
        [
            ("iso3", "text", 25),
            ("year", "int4", 23),
            ("remittance_usd", "float8", 701),
            ("remit_exceeds_oda", "bool", 16),
        ],
    )
    same("twice", [len(await prepared.fetch("MEX", 2020)), len(await prepared.fetch("NPL", 2023))], [4, 1])
    same("status", prepared.get_statusmsg(), "SELECT 1")
    await db.execute("deallocate all")
    await db.reload_schema_state()
    same(
        "prepared anew",
        await db.fetchval("select year from mart.remittance_vs_oda where iso3 = $1 order by 1", "NPL"),
        2000,
    )
    await raises("parameter", asyncpg.UndefinedColumnError, db.prepare("select nothing"), "42703")
    async with db.transaction(readonly=True, isolation="repeatable_read"):
        same("in it", await db.fetchval("show transaction_isolation"), "repeatable read")
        same("cursor", [r["year"] async for r in db.cursor(MEXICO, "MEX", prefetch=2)], MEXICO_YEARS)
        cursor = await db.cursor("select n from generate_series(1, 1000) as t(n) order by n")
        same("skipped", await cursor.forward(990), 990)
        same("row", (await cursor.fetchrow())[0], 991)
        same("the rest", len(await cursor.fetch(100)), 9)
    try:
        async with db.transaction():
            async with db.transaction():
                await db.execute("select nothing")
    except asyncpg.UndefinedColumnError:
        pass
    same("after a savepoint", await db.fetchval("select 1"), 1)
    await raises(
        "insert", asyncpg.PostgresError, db.execute("insert into lake.indicator (indicator) values ('x')"), READ_ONLY
    )
    await raises("table", asyncpg.UndefinedTableError, db.fetch("select * from lake.nothing"), "42P01")
    await raises(
        "division",
        asyncpg.DivisionByZeroError,
        db.fetch("select 1 / (year - year) from mart.remittance_vs_oda"),
        "22012",
    )


async def types(db):
    """What the driver asks the catalogue for by itself."""
    await db.set_type_codec("json", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
    same("json codec", await db.fetchval("select $1::json", {"a": [1, None]}), {"a": [1, None]})
    await db.set_type_codec("numeric", encoder=str, decoder=float, schema="pg_catalog", format="text")
    same("numeric in text", await db.fetchval("select 1.25::numeric"), 1.25)
    await db.reset_type_codec("numeric", schema="pg_catalog")
    same(
        "name[]",
        await db.fetchval(
            "select array_agg(nspname order by nspname) from pg_namespace where nspname in ('lake', 'mart')"
        ),
        ["lake", "mart"],
    )
    same(
        "oid",
        await db.fetchval("select 'lake.indicator'::regclass::oid = c.oid from pg_class c where relname = 'indicator'"),
        True,
    )
    same("regclass", await db.fetchval("select 'lake.indicator'::regclass::text"), "indicator")
    same(
        "a domain",
        await db.fetchval(
            "select column_name from information_schema.columns where table_schema = 'lake'"
            " and table_name = 'indicator' and ordinal_position = 2"
        ),
        "name",
    )
    same(
        "information_schema",
        [
            tuple(r)
            for r in await db.fetch(
                "select column_name::text, data_type::text, ordinal_position::int4 from information_schema.columns"
                " where table_schema = 'mart' and table_name = 'remittance_vs_oda' order by ordinal_position limit 3"
            )
        ],
        [("iso3", "text", 1), ("name_en", "text", 2), ("year", "integer", 3)],
    )


async def copies(db):
    out = io.BytesIO()
    same(
        "COPY of a query",
        await db.copy_from_query(
            "select iso3, year, remit_oda_ratio from mart.remittance_vs_oda where iso3 = $1 and year = 2023",
            "CHN",
            output=out,
            format="csv",
            header=True,
        ),
        "COPY 1",
    )
    same("its bytes", out.getvalue(), b"iso3,year,remit_oda_ratio\nCHN,2023,\n")
    out = io.BytesIO()
    true(
        "COPY of a table",
        (await db.copy_from_table("indicator", schema_name="lake", columns=["indicator"], output=out)).startswith(
            "COPY "
        ),
    )
    true("its lines", b"BX.TRF.PWKR.CD.DT\n" in out.getvalue(), out.getvalue())
    out = io.BytesIO()
    await db.copy_from_query("select 1::int4", output=out, format="binary")
    same("binary", out.getvalue(), b"PGCOPY\n\xff\r\n\0" + bytes(8) + b"\0\1\0\0\0\4\0\0\0\1\xff\xff")


async def cancelling(db):
    for _ in range(2):
        try:
            await db.fetch(ENDLESS, timeout=0.3)
            fail("no timeout")
        except asyncio.TimeoutError:
            pass
        same("after a timeout", await db.fetchval("select 2"), 2)
    task = asyncio.create_task(db.fetch(ENDLESS))
    await asyncio.sleep(0.3)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        pass
    same("after a cancelled task", await db.fetchval("select 3"), 3)
    await db.execute("set statement_timeout = '200ms'")
    await raises("too long", asyncpg.QueryCanceledError, db.fetch(ENDLESS), "57014")
    await db.execute("reset statement_timeout")


async def pools():
    async with asyncpg.create_pool(**SERVER, min_size=5, max_size=5) as pool:

        async def ask(i):
            async with pool.acquire() as one:
                await one.execute(f"set application_name = 'client {i}'")
                return await one.fetchval("select $1::int4 * 2", i)

        same("pool", await asyncio.gather(*(ask(i) for i in range(30))), list(range(0, 60, 2)))
        async with pool.acquire() as one:  # the reset between uses took the setting back
            same("reset", await one.fetchval("show application_name"), "")
        same("pool's own", await pool.fetchval("select 4"), 4)


async def main():
    db = await asyncpg.connect(**SERVER)
    for part in (values, statements, types, copies, cancelling):
        await part(db)
    await db.close()
    await pools()


asyncio.run(main())
print("asyncpg: ok")
