"""psycopg 3: the connection, both protocols, types in text and binary, parameters, transactions, errors."""

import datetime as dt
from decimal import Decimal

import psycopg
from psycopg import pq
from psycopg.rows import dict_row, namedtuple_row

from check import DATABASE, ENDLESS, MEXICO_YEARS, READ_ONLY, USER, raises, same, true

MEXICO = "select iso3, year from mart.remittance_vs_oda where iso3 = 'MEX' order by year"
db = psycopg.connect(autocommit=True)

# The connection.
same("database", db.info.dbname, DATABASE)
same("user", db.info.user, USER)
same("encoding", db.info.encoding, "utf-8")
true("server version", db.info.server_version >= 90600, db.info.server_version)
same("integer_datetimes", db.info.parameter_status("integer_datetimes"), "on")
same("standard_conforming_strings", db.info.parameter_status("standard_conforming_strings"), "on")
same("client_encoding", db.info.parameter_status("client_encoding"), "UTF8")
true("time zone", db.info.timezone is not None)
true("backend process", db.info.backend_pid != 0)
same("status", db.info.transaction_status, pq.TransactionStatus.IDLE)

# Types: OID, Python's type and value, in text and in binary.
tz = dt.timezone(dt.timedelta(0))
TYPES = [
    ("true", 16, True),
    ("7::int2", 21, 7),
    ("-7::int4", 23, -7),
    ("9007199254740993::int8", 20, 9007199254740993),
    ("1.5::float4", 700, 1.5),
    ("0.1::float8", 701, 0.1),
    ("12345678901234567.25::numeric(20,2)", 1700, Decimal("12345678901234567.25")),
    ("'-0.001'::numeric(10,3)", 1700, Decimal("-0.001")),
    ("'año'::text", 25, "año"),
    ("'abc'::varchar", 1043, "abc"),
    (r"'\x00ff10'::bytea", 17, b"\x00\xff\x10"),
    ("date '1999-12-31'", 1082, dt.date(1999, 12, 31)),
    ("time '12:34:56.789'", 1083, dt.time(12, 34, 56, 789000)),
    ("timestamp '1969-07-20 20:17:40.5'", 1114, dt.datetime(1969, 7, 20, 20, 17, 40, 500000)),
    ("timestamptz '2024-02-29 23:00:00+02'", 1184, dt.datetime(2024, 2, 29, 21, tzinfo=tz)),
    ("interval '2 days 3 hours'", 1186, dt.timedelta(days=2, hours=3)),
    ("array[1, 2, null]::int4[]", 1007, [1, 2, None]),
    ("array['a', 'b,\"c']::text[]", 1009, ["a", 'b,"c']),
    ("array[0.5, 2]::float8[]", 1022, [0.5, 2.0]),
    ("""'{"a": [1, null]}'::json""", 114, {"a": [1, None]}),
    ("null::float8", 701, None),
    ("'NaN'::float8 = 'NaN'::float8", 16, True),
]
db.execute("set time zone 'UTC'")
for binary in (False, True):
    for expression, oid, value in TYPES:
        cursor = db.cursor(binary=binary).execute(f"select {expression} as v")
        same(f"OID of {expression}", cursor.description[0].type_code, oid)
        same(f"{expression}, binary {binary}", cursor.fetchone()[0], value)
    cursor = db.cursor(binary=binary).execute(
        "select iso3, year, remittance_usd, remit_exceeds_oda, remit_oda_ratio from mart.remittance_vs_oda"
        " where iso3 = %s and year = %s",
        ("CHN", 2023),
    )
    same(
        "columns",
        [c.name for c in cursor.description],
        ["iso3", "year", "remittance_usd", "remit_exceeds_oda", "remit_oda_ratio"],
    )
    same("their OIDs", [c.type_code for c in cursor.description], [25, 23, 701, 16, 701])
    same("row", cursor.fetchone(), ("CHN", 2023, 29484300000.0, True, None))
same(
    "parameters round",
    db.execute(
        "select %s::int4, %s::float8, %s::text, %s::date, %s::numeric, %s::bool, %b::bytea, %s::int4[], %s::timestamptz",
        (1, 0.1, "é", dt.date(2020, 2, 29), Decimal("1.10"), False, b"\0", [1, 2], dt.datetime(2020, 1, 1, tzinfo=tz)),
    ).fetchone(),
    (1, 0.1, "é", dt.date(2020, 2, 29), Decimal("1.10"), False, b"\0", [1, 2], dt.datetime(2020, 1, 1, tzinfo=tz)),
)
same(
    "= any",
    db.execute("select iso3 from lake.country where iso3 = any(%s) order by 1", (["NPL", "MEX"],)).fetchall(),
    [("MEX",), ("NPL",)],
)
same(
    "simple protocol",
    psycopg.ClientCursor(db).execute("select %s::text, %s::int4", ("it's", 5)).fetchone(),
    ("it's", 5),
)
same("several statements", [c.fetchone()[0] for c in db.execute("select 1; select 2").results()], [1, 2])
same("raw parameters", psycopg.RawCursor(db).execute("select $1::int4 + 1", (1,)).fetchone(), (2,))
same("dictionary", db.cursor(row_factory=dict_row).execute(MEXICO).fetchone(), {"iso3": "MEX", "year": 2000})
same("named tuple", db.cursor(row_factory=namedtuple_row).execute(MEXICO).fetchone().year, 2000)
cursor = db.execute(MEXICO)
same("row count", cursor.rowcount, 9)
same("status message", cursor.statusmessage, "SELECT 9")
same("the rest", [y for _, y in cursor.fetchall()], MEXICO_YEARS)
same(
    "streamed",
    [r[0] for r in db.cursor().stream("select n from generate_series(1, 500) as t(n) order by n")],
    list(range(1, 501)),
)
many = db.cursor()
many.executemany("select %s::int4 * 2", [(1,), (2,)], returning=True)
same("executemany, first", many.fetchone(), (2,))
true("executemany, second", many.nextset())
same("executemany, second", many.fetchone(), (4,))

# Prepared statements: the same one many times, and after DEALLOCATE ALL.
for i in range(8):
    same(
        "prepared",
        db.execute(
            "select year from mart.remittance_vs_oda where iso3 = %s and year > %s order by 1 limit 1",
            ("MEX", 2000 + i),
            prepare=True,
        ).fetchone()[0],
        2005 if i < 5 else 2010,
    )
db.execute("deallocate all")
db.execute("discard all")
db.execute("set time zone 'UTC'")

# Transactions, savepoints, errors.
db.autocommit = False
db.execute("select 1")
same("in a transaction", db.info.transaction_status, pq.TransactionStatus.INTRANS)
raises("in a transaction", psycopg.errors.UndefinedTable, lambda: db.execute("select * from lake.nothing"), "42P01")
same("in error", db.info.transaction_status, pq.TransactionStatus.INERROR)
raises("refused until rollback", psycopg.errors.InFailedSqlTransaction, lambda: db.execute("select 1"), "25P02")
db.rollback()
same("idle again", db.info.transaction_status, pq.TransactionStatus.IDLE)
with db.transaction():
    try:
        with db.transaction("inner"):
            db.execute("select nothing")
    except psycopg.errors.UndefinedColumn:
        pass
    same("after the savepoint", db.execute("select 4").fetchone(), (4,))
same("committed", db.info.transaction_status, pq.TransactionStatus.IDLE)
db.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
db.read_only = True
same("isolation", db.execute("show transaction_isolation").fetchone(), ("repeatable read",))
same("read-only", db.execute("show transaction_read_only").fetchone(), ("on",))
db.rollback()
db.isolation_level = db.read_only = None
db.autocommit = True

for statement in (
    "insert into lake.indicator (indicator) values ('x')",
    "update lake.country set iso3 = 'x'",
    "delete from lake.country",
    "create table lake.t (a int)",
    "drop table lake.country",
    "truncate lake.country",
    "alter table lake.country add x int",
):
    raises(statement, psycopg.Error, lambda: db.execute(statement), READ_ONLY)

error = raises(
    "column", psycopg.errors.UndefinedColumn, lambda: db.execute("select nothing from lake.country"), "42703"
)
same("severity", error.diag.severity_nonlocalized, "ERROR")
same("position", error.diag.statement_position, "8")
raises("syntax", psycopg.errors.SyntaxError, lambda: db.execute("selec 1"), "42601")
raises("function", psycopg.errors.UndefinedFunction, lambda: db.execute("select nofunction(1)"), "42883")
raises("not a number", psycopg.errors.InvalidTextRepresentation, lambda: db.execute("select 'x'::int4"), "22P02")
raises("no parameter", psycopg.Error, lambda: psycopg.RawCursor(db).execute("select $1::int4", ()), "42P02")
raises("setting", psycopg.errors.UndefinedObject, lambda: db.execute("set nosuchsetting = 1"), "42704")
raises("no such database", psycopg.OperationalError, lambda: psycopg.connect(dbname="nosuchdatabase"))

# Settings of the session, and a statement that takes too long.
db.execute("set application_name = 'envoi clients'")
same("reported", db.info.parameter_status("application_name"), "envoi clients")
same("shown", db.execute("select current_setting('application_name')").fetchone(), ("envoi clients",))
db.execute("set statement_timeout = '300ms'")
same("shown with its unit", db.execute("show statement_timeout").fetchone(), ("300ms",))
raises("too long", psycopg.errors.QueryCanceled, lambda: db.execute(ENDLESS), "57014")
db.execute("set statement_timeout = 0")
same("after it", db.execute("select 5").fetchone(), (5,))
with psycopg.connect(options="-c statement_timeout=1234") as other:
    same("option at the start", other.execute("show statement_timeout").fetchone(), ("1234ms",))
db.close()
print("psycopg3: ok")
