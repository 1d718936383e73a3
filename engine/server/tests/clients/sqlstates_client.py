#!/usr/bin/env python3
"""Wrong statements: SQLSTATE and place as ../recorded/sqlstates.txt has them, of envoi and of PostgreSQL alike."""

import pathlib

import psycopg

from check import DATABASE, HOST, PASSWORD, PORT, USER, fail, true

recorded = pathlib.Path(__file__).parent.parent / "recorded" / "sqlstates.txt"
db = psycopg.connect(host=HOST, port=PORT, user=USER, password=PASSWORD, dbname=DATABASE, autocommit=True)
ours = "envoi" in db.execute("select version()").fetchone()[0]
fields = psycopg.pq.DiagnosticField
wrong, count = [], 0
for line in recorded.read_text().splitlines():
    if not line or line.startswith("#"):
        continue
    state, place, sql, *other = line.split("\t")
    wanted = (state, place) if ours or not other else tuple(other[:2])
    answer = db.pgconn.exec_(sql.encode())
    got = tuple((answer.error_field(f) or none).decode() for f, none in ((fields.SQLSTATE, b"00000"), (fields.STATEMENT_POSITION, b"-")))
    if got != wanted:
        wrong.append(f"{sql}: {got}, not {wanted}")
    count += 1
    for after in (b"rollback", b"deallocate all", b"reset all"):
        db.pgconn.exec_(after)
if wrong:
    fail(f"{len(wrong)} of {count}:\n" + "\n".join(wrong[:20]))
true("there are many", count > 200, count)
