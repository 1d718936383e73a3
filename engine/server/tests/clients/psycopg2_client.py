"""psycopg2: the simple protocol, named cursors, set_session, DictCursor, mogrify, COPY, errors."""

import datetime as dt
import io
import threading
from decimal import Decimal

import psycopg2
import psycopg2.errors
import psycopg2.extensions as ext
import psycopg2.extras

from check import DATABASE, ENDLESS, MEXICO_2023, MEXICO_YEARS, READ_ONLY, USER, raises, same, true

MEXICO = "select iso3, year from mart.remittance_vs_oda where iso3 = 'MEX' order by year"


def code(error):
    return error.pgcode


db = psycopg2.connect("")
cursor = db.cursor()


def ask(sql, values=None):
    cursor.execute(sql, values)
    return cursor.fetchall()


# The connection.
same("protocol", db.protocol_version, 3)
same("encoding", db.encoding, "UTF8")
true("server version", db.server_version >= 90600, db.server_version)
same("database", db.info.dbname, DATABASE)
same("current database and user", ask("select current_database(), current_user"), [(DATABASE, USER)])
same("status in a transaction", db.status, ext.STATUS_BEGIN)
db.rollback()

# Types.
db.set_session(autocommit=True)
cursor.execute("set time zone 'UTC'")
utc = dt.timezone.utc
cursor.execute(
    "select 1::int2 as a, 2::int8 as b, 0.1::float8 as c, 1.50::numeric(10,2) as d, 'ñ'::text as e, true as f,"
    " date '2020-02-29' as g, timestamp '2020-02-29 12:00:00.25' as h, timestamptz '2020-02-29 12:00:00+01' as i,"
    " time '23:59:59' as j, interval '36 hours' as k, '\\x00ff'::bytea as l, array[1,2]::int4[] as m,"
    " array['x', null]::text[] as n, null::int4 as o, '[1, 2]'::json as p, date '2021-01-01' > date '2020-01-01' as q"
)
row = cursor.fetchone()
same("bytes", bytes(row[11]), b"\x00\xff")
same(
    "a row of all types",
    row[:11] + row[12:],
    (
        1,
        2,
        0.1,
        Decimal("1.50"),
        "ñ",
        True,
        dt.date(2020, 2, 29),
        dt.datetime(2020, 2, 29, 12, 0, 0, 250000),
        dt.datetime(2020, 2, 29, 11, tzinfo=utc),
        dt.time(23, 59, 59),
        dt.timedelta(hours=36),
        [1, 2],
        ["x", None],
        None,
        [1, 2],
        True,
    ),
)
same(
    "OIDs",
    [c.type_code for c in cursor.description],
    [21, 20, 701, 1700, 25, 16, 1082, 1114, 1184, 1083, 1186, 17, 1007, 1009, 23, 114, 16],
)
same("numeric's typmod", (cursor.description[3].precision, cursor.description[3].scale), (10, 2))
same("years", [y for _, y in ask(MEXICO)], MEXICO_YEARS)
same("OIDs of a view", [c.type_code for c in cursor.description], [25, 23])
same("row count", cursor.rowcount, 9)
same("status", cursor.statusmessage, "SELECT 9")
same(
    "a value",
    ask(
        "select remittance_usd from mart.remittance_vs_oda where iso3 = %(iso3)s and year = %(year)s",
        {"iso3": "MEX", "year": 2023},
    ),
    [(MEXICO_2023,)],
)
same("null", ask("select remit_oda_ratio from mart.remittance_vs_oda where iso3 = 'CHN' and year = 2023"), [(None,)])

# Parameters are written into the text.
same(
    "mogrify",
    cursor.mogrify("select %s, %s, %s, %s", ("it's", None, dt.date(2020, 1, 2), [1, 2])),
    b"select 'it''s', NULL, '2020-01-02'::date, ARRAY[1,2]",
)
same(
    "as it was written",
    ask("select %s, %s::text, %s, %s, %s::float8", ("it's", None, dt.date(2020, 1, 2), [1, 2], 0.5)),
    [("it's", None, dt.date(2020, 1, 2), [1, 2], 0.5)],
)
same("a backslash", ask("select %s", ("a\\b",)), [("a\\b",)])
same("bytes as a parameter", bytes(ask("select %s::bytea", (psycopg2.Binary(b"\0\x01\\"),))[0][0]), b"\0\x01\\")
same(
    "in a tuple",
    ask("select iso3 from lake.country where iso3 in %s order by iso3", (("NPL", "MEX"),)),
    [("MEX",), ("NPL",)],
)
same(
    "in a list",
    ask("select iso3 from lake.country where iso3 = any(%s) order by iso3", (["NPL", "MEX"],)),
    [("MEX",), ("NPL",)],
)
same("per cent", ask("select 7 %% 4, 'a' like '%%', %s::int4", (1,)), [(3, True, 1)])

# Rows as dictionaries and named tuples.
with db.cursor(cursor_factory=psycopg2.extras.DictCursor) as rows:
    rows.execute(MEXICO)
    first = rows.fetchone()
    same("by name and by number", (first["year"], first[0]), (2000, "MEX"))
with db.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as rows:
    rows.execute(MEXICO)
    same("dictionary", dict(rows.fetchone()), {"iso3": "MEX", "year": 2000})
with db.cursor(cursor_factory=psycopg2.extras.NamedTupleCursor) as rows:
    rows.execute(MEXICO)
    same("named tuple", rows.fetchone().year, 2000)

# Cursors on the server.
db.autocommit = False
with db.cursor("mexico") as named:
    named.itersize = 4
    named.execute(MEXICO)
    same("iterated", [y for _, y in named], MEXICO_YEARS)
db.commit()
with db.cursor("scrolled", scrollable=True) as named:
    named.execute(MEXICO)
    named.scroll(3)
    same("skipped", named.fetchone(), ("MEX", 2015))
    named.scroll(7, mode="absolute")
    same("to a row", named.fetchone(), ("MEX", 2022))
db.commit()
held = db.cursor("held", withhold=True)
held.execute(MEXICO)
db.commit()
same("held over the end", held.fetchmany(2), [("MEX", 2000), ("MEX", 2005)])
held.close()
db.commit()

# COPY.
db.autocommit = True
out = io.StringIO()
cursor.copy_expert(
    "copy (select iso3, year, remit_oda_ratio from mart.remittance_vs_oda where iso3 = 'CHN' and year = 2023)"
    " to stdout with csv header",
    out,
)
same("copy_expert", out.getvalue(), "iso3,year,remit_oda_ratio\nCHN,2023,\n")
out = io.BytesIO()
cursor.copy_expert("copy (select 1::int4) to stdout (format binary)", out)
same("binary", out.getvalue(), b"PGCOPY\n\xff\r\n\0" + bytes(8) + b"\0\1\0\0\0\4\0\0\0\1\xff\xff")

# Errors and transactions.
error = raises("column", psycopg2.errors.UndefinedColumn, lambda: ask("select nothing"), "42703", code)
same("position", error.diag.statement_position, "8")
raises("table", psycopg2.errors.UndefinedTable, lambda: ask("select * from lake.nothing"), "42P01", code)
raises(
    "division",
    psycopg2.errors.DivisionByZero,
    lambda: ask("select 1 / (year - year) from mart.remittance_vs_oda"),
    "22012",
    code,
)
for statement in (
    "insert into lake.indicator (indicator) values ('x')",
    "update lake.country set iso3 = 'x'",
    "create table t (a int)",
):
    raises(statement, psycopg2.Error, lambda: cursor.execute(statement), READ_ONLY, code)
db.set_session(isolation_level="SERIALIZABLE", readonly=True, autocommit=False)
same(
    "session",
    ask("select current_setting('transaction_isolation'), current_setting('transaction_read_only')"),
    [("serializable", "on")],
)
same("in a transaction", db.info.transaction_status, ext.TRANSACTION_STATUS_INTRANS)
raises("in it", psycopg2.errors.SyntaxError, lambda: cursor.execute("selekt"), "42601", code)
raises("until rollback", psycopg2.errors.InFailedSqlTransaction, lambda: cursor.execute("select 1"), "25P02", code)
db.rollback()
ask("select 1")
cursor.execute("savepoint here")
raises("after a savepoint", psycopg2.errors.UndefinedColumn, lambda: cursor.execute("select nothing"), "42703", code)
cursor.execute("rollback to savepoint here")
same("back at it", ask("select 2"), [(2,)])
cursor.execute("release savepoint here")
db.commit()
with db, db.cursor() as inner:
    inner.execute("select 3")
same("idle", db.info.transaction_status, ext.TRANSACTION_STATUS_IDLE)

# Cancelling; and a reset, as pools do.
db.set_session(autocommit=True)
threading.Timer(0.4, db.cancel).start()
raises("cancelled", ext.QueryCanceledError, lambda: ask(ENDLESS), "57014", code)
cursor.execute("set statement_timeout to 200")
raises("too long", psycopg2.errors.QueryCanceled, lambda: ask(ENDLESS), "57014", code)
db.autocommit = False
db.reset()
same("after the reset", ask("show statement_timeout"), [("0",)])
db.rollback()
db.close()
print("psycopg2: ok")
