"""psycopg 3: cursors on the server, pipelines, COPY, notices, cancelling, async."""

import asyncio
import datetime as dt
import logging
import struct
import threading
import time

import psycopg

from check import ENDLESS, MEXICO_YEARS, fail, raises, same, true

MEXICO = "select iso3, year from mart.remittance_vs_oda where iso3 = 'MEX' order by year"
COUNT = "select n from generate_series(1, 1000) as t(n) order by n"
logging.getLogger("psycopg").setLevel(logging.ERROR)
db = psycopg.connect()

# Cursors on the server: in a transaction, with hold over its end, in text and in binary, forward.
for binary in (False, True):
    with db.cursor("mexico", binary=binary) as cursor:
        cursor.execute(MEXICO)
        same("description", [(c.name, c.type_code) for c in cursor.description], [("iso3", 25), ("year", 23)])
        same("first", cursor.fetchone(), ("MEX", 2000))
        same("two", cursor.fetchmany(2), [("MEX", 2005), ("MEX", 2010)])
        same("the rest", [y for _, y in cursor.fetchall()], MEXICO_YEARS[3:])
        same("at the end", cursor.fetchone(), None)
    db.rollback()
with db.cursor("counted") as cursor:
    cursor.itersize = 300
    cursor.execute(COUNT)
    same("by pieces", sum(n for (n,) in cursor), 500500)
with db.cursor("parameters") as cursor:
    cursor.execute("select year from mart.remittance_vs_oda where iso3 = %s order by year desc", ("NPL",))
    same("with a parameter", cursor.fetchone(), (2023,))
db.commit()
held = db.cursor("held", withhold=True)
held.execute(COUNT)
same("before the commit", held.fetchmany(2), [(1,), (2,)])
db.commit()
same("after the commit", held.fetchmany(2), [(3,), (4,)])
held.close()
db.commit()
scrolled = db.cursor("scrolled", scrollable=True)
scrolled.execute(COUNT)
scrolled.scroll(10)
same("skipped forward", scrolled.fetchone(), (11,))
scrolled.scroll(500, mode="absolute")
same("to a row", scrolled.fetchone(), (501,))
scrolled.close()
db.rollback()
db.execute("declare plain no scroll cursor for " + COUNT)
same("DECLARE and FETCH", db.execute("fetch forward 3 from plain").fetchall(), [(1,), (2,), (3,)])
same("MOVE", db.execute("move 5 in plain").statusmessage, "MOVE 5")
same("FETCH", db.execute("fetch next from plain").fetchone(), (9,))
same("CLOSE", db.execute("close plain").statusmessage, "CLOSE CURSOR")
raises("closed", psycopg.errors.InvalidCursorName, lambda: db.execute("fetch 1 from plain"), "34000")
db.rollback()
db.autocommit = True
raises(
    "no transaction",
    psycopg.errors.NoActiveSqlTransaction,
    lambda: db.execute("declare c cursor for select 1"),
    "25P01",
)

# Pipelines: results in order; after an error the rest is skipped up to the sync.
with db.pipeline():
    cursors = [db.execute("select %s::int4", (i,)) for i in range(5)]
same("pipeline", [c.fetchone()[0] for c in cursors], [0, 1, 2, 3, 4])
try:
    with db.pipeline():
        db.execute("select 1")
        db.execute("select nothing")
        db.execute("select 2")
    fail("a pipeline with an error raises none")
except psycopg.errors.UndefinedColumn as error:
    same("SQLSTATE in the pipeline", error.sqlstate, "42703")
same("after the pipeline", db.execute("select 3").fetchone(), (3,))

# COPY: text, CSV and binary.
ROWS = (
    "select iso3, year, remit_oda_ratio, remit_exceeds_oda from mart.remittance_vs_oda "
    "where iso3 = 'CHN' and year in (2000, 2023) order by year"
)


def copied(options):
    with db.cursor().copy(f"copy ({ROWS}) to stdout {options}") as copy:
        return b"".join(bytes(block) for block in copy)


same("text", copied(""), b"CHN\t2000\t0.4334476843910806\tf\nCHN\t2023\t\\N\tt\n")
same(
    "CSV",
    copied("with (format csv, header true, null 'none')"),
    b"iso3,year,remit_oda_ratio,remit_exceeds_oda\nCHN,2000,0.4334476843910806,f\nCHN,2023,none,t\n",
)
same(
    "old syntax", copied("with csv delimiter ';' force quote iso3"), b'"CHN";2000;0.4334476843910806;f\n"CHN";2023;;t\n'
)
same(
    "binary",
    copied("(format binary)"),
    b"PGCOPY\n\xff\r\n\0"
    + struct.pack(">ii", 0, 0)
    + struct.pack(">hi3siiidi?", 4, 3, b"CHN", 4, 2000, 8, 0.4334476843910806, 1, False)
    + struct.pack(">hi3siiii?", 4, 3, b"CHN", 4, 2023, -1, 1, True)
    + struct.pack(">h", -1),
)
with db.cursor().copy(f"copy ({ROWS}) to stdout (format binary)") as copy:
    copy.set_types(["text", "int4", "float8", "bool"])
    same("binary rows", list(copy.rows()), [("CHN", 2000, 0.4334476843910806, False), ("CHN", 2023, None, True)])
with db.cursor().copy("copy lake.indicator (indicator, vintage) to stdout (format binary)") as copy:
    copy.set_types(["text", "date"])
    same("a table", dict(copy.rows())["BX.TRF.PWKR.CD.DT"], dt.date(2025, 7, 1))
cursor = db.cursor()
with cursor.copy(f"copy ({COUNT}) to stdout") as copy:
    same("lines", sum(1 for _ in copy.rows()), 1000)
same("copied", cursor.rowcount, 1000)
raises(
    "COPY of nothing",
    psycopg.errors.UndefinedTable,
    lambda: db.cursor().copy("copy lake.nothing to stdout").__enter__(),
    "42P01",
)


def copy_in():
    with db.cursor().copy("copy lake.indicator from stdin") as copy:
        copy.write("x\n")


raises("COPY FROM", psycopg.Error, copy_in, ("25006", "42501"))
same("after a refused COPY", db.execute("select 7").fetchone(), (7,))

# Notices: a warning for what is of no effect.
notices = []
db.add_notice_handler(lambda diag: notices.append((diag.severity_nonlocalized, diag.sqlstate)))
db.execute("commit")
same("COMMIT without BEGIN", notices, [("WARNING", "25P01")])
same("no notifications", list(db.notifies(timeout=0.1)), [])

# Cancelling, from another thread, over a connection of its own: both ways that libpq has.
for cancel in (db.cancel, db.cancel_safe):
    threading.Timer(0.4, cancel).start()
    start = time.monotonic()
    raises("cancelled", psycopg.errors.QueryCanceled, lambda: db.execute(ENDLESS), "57014")
    true("soon", time.monotonic() - start < 5, time.monotonic() - start)
    same("after it", db.execute("select 8").fetchone(), (8,))
db.cancel()  # nothing runs: no effect on what follows
time.sleep(0.2)
same("cancelled at rest", db.execute("select 9").fetchone(), (9,))
db.close()


async def asynchronous():
    async with await psycopg.AsyncConnection.connect(autocommit=True) as one:
        cursor = await one.execute(MEXICO)
        same("async", [y for _, y in await cursor.fetchall()], MEXICO_YEARS)
        try:
            await asyncio.wait_for(one.execute(ENDLESS), 0.4)
            fail("no timeout")
        except asyncio.TimeoutError:
            pass
        cursor = await one.execute("select 10")
        same("after a timeout", await cursor.fetchone(), (10,))
        async with one.transaction(), one.cursor("streamed") as streamed:
            await streamed.execute(COUNT)
            same("async cursor", sum([n async for (n,) in streamed]), 500500)

    async def ask(i):
        async with await psycopg.AsyncConnection.connect() as other:
            return (await (await other.execute("select %s::int4 * 2", (i,))).fetchone())[0]

    same("ten at once", await asyncio.gather(*(ask(i) for i in range(10))), list(range(0, 20, 2)))


asyncio.run(asynchronous())
print("psycopg3 streams: ok")
