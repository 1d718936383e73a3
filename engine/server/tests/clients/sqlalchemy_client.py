"""SQLAlchemy over psycopg, psycopg2 and asyncpg: inspection, reflection, parameters, isolation, streaming."""

import asyncio
import datetime as dt

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import create_async_engine

from check import DATABASE, MEXICO_2023, MEXICO_YEARS, READ_ONLY, USER, raises, same, true, url


def inspected(db):
    """What ORMs, Superset and migrations ask: all of it from the catalogue."""
    seen = sa.inspect(db)
    true("schemas", {"lake", "mart"} <= set(seen.get_schema_names()), seen.get_schema_names())
    tables = seen.get_table_names(schema="lake")
    true("tables", {"country", "country_group", "indicator", "corridor_flow", "observation"} <= set(tables), tables)
    same("tables are no views", "remittance_vs_oda" in seen.get_table_names(schema="mart"), False)
    true("views", "remittance_vs_oda" in seen.get_view_names(schema="mart"), seen.get_view_names(schema="mart"))
    same("views of lake", seen.get_view_names(schema="lake"), [])
    same("materialized views", seen.get_materialized_view_names(schema="mart"), [])
    same("sequences", seen.get_sequence_names(schema="lake"), [])
    same("enums", seen.get_enums(schema="lake"), [])
    same(
        "has",
        [
            seen.has_table(t, schema=s)
            for t, s in (("indicator", "lake"), ("remittance_vs_oda", "mart"), ("nothing", "lake"))
        ],
        [True, True, False],
    )

    columns = seen.get_columns("remittance_vs_oda", schema="mart")
    same(
        "columns",
        [c["name"] for c in columns][:9],
        [
            "iso3",
            "name_en",
            "year",
            "wb_region",
            "income_group",
            "remittance_usd",
            "oda_usd",
            "remit_oda_ratio",
            "remit_exceeds_oda",
        ],
    )
    kinds = {c["name"]: str(c["type"]) for c in columns}
    same(
        "types",
        [kinds[c] for c in ("iso3", "year", "remittance_usd", "remit_exceeds_oda")],
        ["TEXT", "INTEGER", "DOUBLE PRECISION", "BOOLEAN"],
    )
    same(
        "comment of a column",
        {c["name"]: c["comment"] for c in columns}["remittance_usd"].split(" [")[0],
        "personal remittances received (WDI BX.TRF.PWKR.CD.DT)",
    )
    same("defaults", [c["default"] for c in columns], [None] * len(columns))
    comment = seen.get_table_comment("remittance_vs_oda", schema="mart")["text"]
    true(
        "comment of a view",
        (comment or "").startswith("Personal remittances and net ODA received, side by side"),
        comment,
    )
    columns = {c["name"]: c for c in seen.get_columns("indicator", schema="lake")}
    same("nullable", [columns[c]["nullable"] for c in ("indicator", "unit", "vintage")], [False, True, False])
    same("date", str(columns["vintage"]["type"]), "DATE")
    same(
        "comment of a table",
        seen.get_table_comment("indicator", schema="lake"),
        {"text": "Indicators with name, unit and definition; one row per indicator"},
    )

    same("key", seen.get_pk_constraint("indicator", schema="lake")["constrained_columns"], ["indicator"])
    same(
        "key of four",
        seen.get_pk_constraint("corridor_flow", schema="lake")["constrained_columns"],
        ["sender_iso3", "receiver_iso3", "year", "method"],
    )
    # Marts are views with keys, which PostgreSQL has not.
    key = seen.get_pk_constraint("remittance_vs_oda", schema="mart")["constrained_columns"]
    same("key of a view", key in ([], ["iso3", "year"]), True)
    for ask in (seen.get_unique_constraints, seen.get_check_constraints):
        same(f"{ask.__name__} of a view", ask("remittance_vs_oda", schema="mart"), [])
    same("indexes beside the key", seen.get_indexes("indicator", schema="lake"), [])
    # Tables of the lake name economies and sources by keys, those of the oracle have none.
    named = {key["referred_table"] for key in seen.get_foreign_keys("corridor_flow", schema="lake")}
    same("foreign keys", named <= {"country", "source"}, True)
    raises("columns of nothing", sa.exc.NoSuchTableError, lambda: seen.get_columns("nothing", schema="lake"))


def selected(db):
    meta = sa.MetaData()
    mart = sa.Table("remittance_vs_oda", meta, schema="mart", autoload_with=db)
    rows = db.execute(
        sa.select(mart.c.year, mart.c.remittance_usd).where(mart.c.iso3 == "MEX").order_by(mart.c.year)
    ).all()
    same("years", [r.year for r in rows], MEXICO_YEARS)
    same("value", rows[-1].remittance_usd, MEXICO_2023)
    flow = sa.Table("corridor_flow", meta, schema="lake", autoload_with=db)
    same("reflected key", [str(c.name) for c in flow.primary_key], ["sender_iso3", "receiver_iso3", "year", "method"])
    country = sa.Table("country", meta, schema="lake", autoload_with=db)
    same(
        "join",
        tuple(
            db.execute(
                sa.select(country.c.name_es, flow.c.remittance_usd)
                .join(flow, flow.c.receiver_iso3 == country.c.iso3)
                .where(flow.c.sender_iso3 == "USA", flow.c.receiver_iso3 == "MEX")
            ).one()
        ),
        ("México", 52595300000.0),
    )
    same(
        "in a list",
        db.execute(sa.select(country.c.iso3).where(country.c.iso3.in_(["NPL", "MEX"])).order_by(country.c.iso3))
        .scalars()
        .all(),
        ["MEX", "NPL"],
    )
    same(
        "any",
        db.execute(
            sa.text("select count(*) from lake.country where iso3 = any(:w)").bindparams(
                sa.bindparam("w", ["NPL", "MEX"], type_=postgresql.ARRAY(sa.Text))
            )
        ).scalar(),
        2,
    )
    same(
        "aggregates",
        tuple(
            db.execute(
                sa.select(sa.func.count(), sa.func.max(mart.c.remittance_usd))
                .where(mart.c.iso3 == "MEX")
                .group_by(mart.c.iso3)
                .having(sa.func.count() > 1)
            ).one()
        ),
        (9, MEXICO_2023),
    )
    same(
        "limit and offset",
        db.execute(sa.select(mart.c.year).where(mart.c.iso3 == "MEX").order_by(mart.c.year).limit(2).offset(1))
        .scalars()
        .all(),
        [2005, 2010],
    )
    same("ilike", db.execute(sa.select(country.c.iso3).where(country.c.name_en.ilike("mex%"))).scalar(), "MEX")
    same(
        "case and cast",
        db.execute(
            sa.select(sa.cast(sa.case((mart.c.remit_exceeds_oda, 1), else_=0), sa.String)).where(
                mart.c.iso3 == "SYR", mart.c.year == 2020
            )
        ).scalar(),
        "0",
    )
    same(
        "a date",
        db.execute(
            sa.text(
                "select valid_from from lake.country_group where iso3 = 'MEX' and valid_from > :d and group_code = 'UMC'"
            ),
            {"d": dt.date(2021, 1, 31)},
        ).scalar(),
        dt.date(2021, 7, 1),
    )
    # What the dialect asks when it connects.
    same("who and where", tuple(db.execute(sa.text("select current_database(), current_user")).one()), (DATABASE, USER))
    raises("table", sa.exc.ProgrammingError, lambda: db.execute(sa.text("select * from lake.nothing")), "42P01", state)
    db.rollback()
    raises(
        "insert",
        sa.exc.DBAPIError,
        lambda: db.execute(sa.text("insert into lake.indicator (indicator) values ('x')")),
        READ_ONLY,
        state,
    )
    db.rollback()
    with db.begin_nested():
        pass
    db.rollback()


def state(error):
    return getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None)


COUNT = sa.text("select n from generate_series(1, 1000) as t(n) order by n")
for driver in ("psycopg", "psycopg2"):
    engine = sa.create_engine(url(f"postgresql+{driver}"), pool_pre_ping=True)
    with engine.connect() as db:
        true("version", db.dialect.server_version_info >= (9, 6), db.dialect.server_version_info)
        inspected(db)
        selected(db)
        same("isolation", db.get_isolation_level(), "READ COMMITTED")
        db.rollback()
        streamed = db.execute(COUNT, execution_options={"yield_per": 100})
        same("yield_per", [len(p) for p in streamed.partitions(100)], [100] * 10)
    for level in ("REPEATABLE READ", "SERIALIZABLE", "AUTOCOMMIT"):
        with engine.connect().execution_options(isolation_level=level) as db:
            same(
                level,
                db.execute(sa.text("show transaction_isolation")).scalar(),
                "read committed" if level == "AUTOCOMMIT" else level.lower(),
            )
    with engine.connect().execution_options(postgresql_readonly=True, isolation_level="REPEATABLE READ") as db:
        same("read-only", db.execute(sa.text("show transaction_read_only")).scalar(), "on")
    with engine.connect().execution_options(stream_results=True) as db:
        same("stream_results", sum(db.execute(COUNT).scalars()), 500500)
    engine.dispose()


async def asynchronous():
    engine = create_async_engine(url("postgresql+asyncpg"))
    async with engine.connect() as db:
        await db.run_sync(inspected)
        await db.run_sync(selected)
        same("stream", sum([n async for n in (await db.stream(COUNT)).scalars()]), 500500)
    await engine.dispose()


asyncio.run(asynchronous())
print("sqlalchemy: ok")
