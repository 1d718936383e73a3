"""pyodbc over psqlODBC: whole results and UseDeclareFetch's cursors, parameters on either side, the catalogue."""

import datetime as dt
import glob
from decimal import Decimal

import pyodbc

from check import DATABASE, HOST, MEXICO_2023, MEXICO_YEARS, PASSWORD, PORT, READ_ONLY, USER, fail, raises, same, true

DRIVERS = glob.glob("/usr/lib/*/odbc/psqlodbcw.so") + glob.glob("/usr/lib*/psqlodbcw.so")
if not DRIVERS:
    fail("no psqlodbcw.so: install odbc-postgresql")


def state(error):
    return error.args[0]


for fetch, prepare in ((0, 1), (1, 1), (0, 0)):
    db = pyodbc.connect(
        f"Driver={DRIVERS[0]};Server={HOST};Port={PORT};Database={DATABASE};Uid={USER};Pwd={PASSWORD or ''};"
        f"UseDeclareFetch={fetch};Fetch=4;UseServerSidePrepare={prepare};BoolsAsChar=0",
        autocommit=True,
    )
    cursor = db.cursor()
    same("DBMS", db.getinfo(pyodbc.SQL_DBMS_NAME), "PostgreSQL")
    same("database", db.getinfo(pyodbc.SQL_DATABASE_NAME), DATABASE)

    rows = cursor.execute(
        "select iso3, year from mart.remittance_vs_oda where iso3 = ? order by year", "MEX"
    ).fetchall()
    same("years", [tuple(r) for r in rows], [("MEX", y) for y in MEXICO_YEARS])
    cursor.execute(
        "select iso3, year, remittance_usd, remit_oda_ratio, remit_exceeds_oda from mart.remittance_vs_oda"
        " where iso3 = 'CHN' and year = ?",
        2023,
    )
    same(
        "kinds",
        [(d[0], d[1]) for d in cursor.description],
        [
            ("iso3", str),
            ("year", int),
            ("remittance_usd", float),
            ("remit_oda_ratio", float),
            ("remit_exceeds_oda", bool),
        ],
    )
    same("row", tuple(cursor.fetchone()), ("CHN", 2023, 29484300000.0, None, True))
    same(
        "value",
        cursor.execute(
            "select remittance_usd from mart.remittance_vs_oda where iso3 = 'MEX' and year = 2023"
        ).fetchval(),
        MEXICO_2023,
    )
    row = cursor.execute(
        "select 1::int2, 9007199254740993::int8, 0.1::float8, 1.10::numeric(10,2), 'ñ'::text, true, date '2020-02-29',"
        " timestamp '2020-02-29 12:00:00.5', time '23:59:58', '\\x00ff'::bytea, null::float8"
    ).fetchone()
    same(
        "a row of types",
        tuple(row),
        (
            1,
            9007199254740993,
            0.1,
            Decimal("1.10"),
            "ñ",
            True,
            dt.date(2020, 2, 29),
            dt.datetime(2020, 2, 29, 12, 0, 0, 500000),
            dt.time(23, 59, 58),
            b"\0\xff",
            None,
        ),
    )
    row = cursor.execute(
        "select ?::int4, ?::float8, ?::text, ?::date, ?::numeric, ?::timestamp, ?::text",
        7,
        0.5,
        "it's",
        dt.date(2020, 1, 2),
        Decimal("1.50"),
        dt.datetime(2020, 1, 2, 3, 4, 5),
        None,
    ).fetchone()
    same(
        "parameters round",
        tuple(row),
        (7, 0.5, "it's", dt.date(2020, 1, 2), Decimal("1.50"), dt.datetime(2020, 1, 2, 3, 4, 5), None),
    )
    same(
        "many rows",
        sum(r[0] for r in cursor.execute("select n from generate_series(1, 1000) as t(n) order by n")),
        500500,
    )
    same("no rows", cursor.execute("select iso3 from lake.country where iso3 = 'none'").fetchall(), [])
    same(
        "text beyond ASCII", cursor.execute("select name_zh from lake.country where iso3 = 'MEX'").fetchval(), "墨西哥"
    )
    same(
        "again and again",
        [
            cursor.execute(
                "select count(*) from mart.remittance_vs_oda where iso3 = ? and year > ?", "MEX", y
            ).fetchval()
            for y in (1999, 2005, 2022)
        ],
        [9, 7, 1],
    )

    # The catalogue, as Excel, Power BI and Tableau ask it.
    found = {(t.table_schem, t.table_name, t.table_type) for t in cursor.tables(schema="lake").fetchall()}
    true("tables", {("lake", "country", "TABLE"), ("lake", "indicator", "TABLE")} <= found, found)
    found = {
        (t.table_schem, t.table_name, t.table_type) for t in cursor.tables(schema="mart", tableType="VIEW").fetchall()
    }
    true("views", ("mart", "remittance_vs_oda", "VIEW") in found, found)
    columns = cursor.columns(table="remittance_vs_oda", schema="mart").fetchall()
    same(
        "columns",
        [(c.column_name, c.type_name) for c in columns][:3],
        [("iso3", "text"), ("name_en", "text"), ("year", "int4")],
    )
    columns = {c.column_name: c for c in cursor.columns(table="indicator", schema="lake").fetchall()}
    same("nullable", [columns[c].nullable for c in ("indicator", "unit")], [pyodbc.SQL_NO_NULLS, pyodbc.SQL_NULLABLE])
    same("date", (columns["vintage"].type_name, columns["vintage"].data_type), ("date", pyodbc.SQL_TYPE_DATE))
    same(
        "key",
        [k.column_name for k in cursor.primaryKeys(table="corridor_flow", schema="lake").fetchall()],
        ["sender_iso3", "receiver_iso3", "year", "method"],
    )
    same("foreign keys", cursor.foreignKeys(table="corridor_flow", schema="lake").fetchall(), [])
    true("types", any(t.type_name == "float8" for t in cursor.getTypeInfo().fetchall()))
    cursor.procedures(procedure="gini").fetchall()
    true("statistics", len(cursor.statistics("remittance_vs_oda", schema="mart").fetchall()) <= 3)

    # Transactions and errors.
    raises(
        "table",
        pyodbc.Error,
        lambda: cursor.execute("select * from lake.nothing").fetchall(),
        ("42P01", "42S02"),
        state,
    )
    raises("column", pyodbc.Error, lambda: cursor.execute("select nothing").fetchall(), ("42703", "42S22"), state)
    raises(
        "insert",
        pyodbc.Error,
        lambda: cursor.execute("insert into lake.indicator (indicator) values ('x')"),
        READ_ONLY,
        state,
    )
    db.autocommit = False
    same("in a transaction", cursor.execute("select 1::int4").fetchval(), 1)
    db.rollback()
    same(
        "in another",
        cursor.execute("select year from mart.remittance_vs_oda where iso3 = 'MEX' order by year").fetchmany(2)[1][0],
        2005,
    )
    db.commit()
    db.close()
print("odbc: ok")
