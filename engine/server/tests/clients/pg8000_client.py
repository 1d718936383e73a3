"""pg8000: a client in Python alone; its own types, the extended protocol in text."""

import datetime as dt
import io
from decimal import Decimal

import pg8000.dbapi
import pg8000.exceptions
import pg8000.native

from check import DATABASE, HOST, MEXICO_2023, MEXICO_YEARS, PASSWORD, PORT, READ_ONLY, USER, raises, same, true

SERVER = dict(user=USER, host=HOST, port=PORT, database=DATABASE, password=PASSWORD)


def code(error):
    return error.args[0]["C"]


db = pg8000.native.Connection(**SERVER, application_name="envoi clients")
same(
    "years",
    db.run("select year from mart.remittance_vs_oda where iso3 = :who order by year", who="MEX"),
    [[y] for y in MEXICO_YEARS],
)
same("columns", [(c["name"], c["type_oid"]) for c in db.columns], [("year", 23)])
same("rows", db.row_count, 9)
same(
    "value",
    db.run("select remittance_usd, remit_exceeds_oda from mart.remittance_vs_oda where iso3 = 'MEX' and year = 2023"),
    [[MEXICO_2023, True]],
)
same("name", db.run("show application_name"), [["envoi clients"]])
true(
    "reported", db.parameter_statuses["server_encoding"] in ("UTF8", b"UTF8"), db.parameter_statuses["server_encoding"]
)
db.run("set time zone 'UTC'")
for expression, oid, value in [
    ("1::int2", 21, 1),
    ("2::int8", 20, 2),
    ("0.1::float8", 701, 0.1),
    ("0.5::float4", 700, 0.5),
    ("true", 16, True),
    ("1.10::numeric(5,2)", 1700, Decimal("1.10")),
    ("'ж'::text", 25, "ж"),
    (r"'\x00ff'::bytea", 17, b"\0\xff"),
    ("date '2020-02-29'", 1082, dt.date(2020, 2, 29)),
    ("time '10:11:12'", 1083, dt.time(10, 11, 12)),
    ("timestamp '2020-02-29 10:11:12.5'", 1114, dt.datetime(2020, 2, 29, 10, 11, 12, 500000)),
    ("timestamptz '2020-02-29 10:00:00+03'", 1184, dt.datetime(2020, 2, 29, 7, tzinfo=dt.timezone.utc)),
    ("interval '25 hours'", 1186, dt.timedelta(hours=25)),
    ("array[1,null,3]::int4[]", 1007, [1, None, 3]),
    ("array['a','b c']::text[]", 1009, ["a", "b c"]),
    ("array[0.5]::float8[]", 1022, [0.5]),
    ("""'{"a": 1}'::json""", 114, {"a": 1}),
    ("null::int4", 23, None),
]:
    same(expression, db.run(f"select {expression} as v"), [[value]])
    same(f"OID of {expression}", db.columns[0]["type_oid"], oid)
same(
    "parameters",
    db.run(
        "select cast(:a as int4), cast(:b as text), cast(:c as date), cast(:d as float8), cast(:e as int4[])",
        a=1,
        b="x'y",
        c=dt.date(2020, 1, 2),
        d=0.25,
        e=[1, 2],
    ),
    [[1, "x'y", dt.date(2020, 1, 2), 0.25, [1, 2]]],
)
same(
    "any",
    db.run("select iso3 from lake.country where iso3 = any(cast(:w as text[])) order by 1", w=["NPL", "MEX"]),
    [["MEX"], ["NPL"]],
)
prepared = db.prepare("select count(*) from mart.remittance_vs_oda where iso3 = :who and year > :after")
same("prepared", [prepared.run(who="MEX", after=y) for y in (2000, 2020)], [[[8]], [[3]]])
prepared.close()
out = io.BytesIO()
db.run(
    "copy (select iso3, year from mart.remittance_vs_oda where iso3 = 'MEX' and year < 2006 order by year) to stdout",
    stream=out,
)
same("COPY", out.getvalue(), b"MEX\t2000\nMEX\t2005\n")
raises("column", pg8000.exceptions.DatabaseError, lambda: db.run("select nothing"), "42703", code)
raises("table", pg8000.exceptions.DatabaseError, lambda: db.run("select * from lake.nothing"), "42P01", code)
raises("syntax", pg8000.exceptions.DatabaseError, lambda: db.run("selekt"), "42601", code)
raises(
    "insert",
    pg8000.exceptions.DatabaseError,
    lambda: db.run("insert into lake.indicator (indicator) values ('x')"),
    READ_ONLY,
    code,
)
db.run("start transaction")
raises("in it", pg8000.exceptions.DatabaseError, lambda: db.run("select nothing"), "42703", code)
raises("until rollback", pg8000.exceptions.DatabaseError, lambda: db.run("select 1"), "25P02", code)
db.run("rollback")
same("afterwards", db.run("select 1::int4"), [[1]])
db.close()

db = pg8000.dbapi.connect(**SERVER)
cursor = db.cursor()
cursor.execute(
    "select iso3, year from mart.remittance_vs_oda where iso3 = %s and year >= %s order by year", ("MEX", 2021)
)
same("description", [(d[0], d[1]) for d in cursor.description], [("iso3", 25), ("year", 23)])
same("row count", cursor.rowcount, 3)
same("first", tuple(cursor.fetchone()), ("MEX", 2021))
same("rest", [tuple(r) for r in cursor.fetchall()], [("MEX", 2022), ("MEX", 2023)])
db.rollback()
db.close()
print("pg8000: ok")
