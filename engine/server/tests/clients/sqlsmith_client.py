#!/usr/bin/env python3
"""sqlsmith: statements by chance over the catalogue, the lake and the marts (envoi only).

None may end the server, none may be its fault (XX000). sqlsmith reads the catalogue of the server and writes the
statements; they are sent from here, where each answer is seen. The seeds are fixed.
"""
import shutil
import subprocess
import sys
import time

import psycopg

from check import DATABASE, HOST, PASSWORD, PORT, USER, fail, same

SEEDS = (1,)
STATEMENTS = 600  # of each seed, for which sqlsmith reads the whole catalogue
SECONDS = 70  # in all; what is not asked by then is left
SERVER = f"host={HOST} port={PORT} user={USER} dbname={DATABASE}"


def connect():
    connection = psycopg.connect(SERVER, password=PASSWORD, autocommit=True)
    connection.execute("set statement_timeout = '2s'")
    return connection


program = shutil.which("sqlsmith")
if program is None:
    print("command not found: sqlsmith")
    sys.exit(77)
begin = time.monotonic()
connection = connect()
states, faults = {}, []
for seed in SEEDS:
    made = subprocess.run(
        [program, f"--target={SERVER}", f"--seed={seed}", "--dry-run", f"--max-queries={STATEMENTS}"],
        capture_output=True,
        text=True,
        check=False,
    )
    statements = [s.strip() for s in made.stdout.split(";\n") if s.strip()]
    if len(statements) < STATEMENTS:
        fail(f"sqlsmith made {len(statements)} statements of {STATEMENTS}:\n{made.stderr[-2000:]}")
    for statement in statements:
        if time.monotonic() - begin > SECONDS:
            break
        try:
            connection.execute(statement.encode())
            state = "00000"
        except psycopg.Error as error:
            state = error.sqlstate or "none"
            if state in ("XX000", "none"):
                faults.append(f"{error}\n{statement}")
            if connection.closed:
                connection = connect()
        states[state] = states.get(state, 0) + 1
if faults:
    fail(f"{len(faults)} statements are the server's fault:\n" + "\n\n".join(faults[:5]))
if states.get("00000", 0) < 10 or sum(states.values()) < 50:
    fail(f"too few were answered: {states}")
same("the server answers", connection.execute("select 1").fetchone(), (1,))
print(", ".join(f"{state}: {count}" for state, count in sorted(states.items())))
