#!/usr/bin/env python3
"""Rows out of a server, envoi beside PostgreSQL: the same table, the same client, by turns.

    run.py ENVOI [--rows 10000000] [--times 5]

ENVOI is the program, built with --release. PostgreSQL is the one that PGHOST, PGPORT, PGUSER, PGPASSWORD
and PGDATABASE name; it gets a table `payment` (made of envoi's own COPY, so both have the same rows).
Needs `psql` and the Python package psycopg (3). What both answer is compared before anything is timed.
Prints one line a way to read: median seconds, rows a second, and how many times as fast envoi is.
"""

import argparse
import os
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import psycopg

TABLE = "select id, amount, name from payment"
WAYS = {
    "copy binary": ["-c", f"copy ({TABLE}) to stdout (format binary)"],
    "copy text": ["-c", f"copy ({TABLE}) to stdout"],
    "cursor": ["-At", "-v", "FETCH_COUNT=20000", "-c", TABLE],
}
MODEL = """select
    value as id,
    cast(value as double) * 0.25 + 1.5 as amount,
    concat('household ', value % 1000003) as name
from range(0, {rows})
"""


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("envoi")
    arguments.add_argument("--rows", type=int, default=10_000_000)
    arguments.add_argument("--times", type=int, default=5)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server, port = serve(given.envoi, pathlib.Path(folder), given.rows)
        try:
            sides = {"envoi": {"host": "127.0.0.1", "port": port, "user": "bench", "dbname": "envoi"}, "postgresql": {}}
            fill(sides["envoi"])
            compare(sides, given.rows)
            measure(sides, given)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)


def serve(envoi, folder, rows):
    """A lake with the table, and a server over it."""
    jobs, lake = folder / "jobs", str(folder / "lake")
    jobs.mkdir()
    (jobs / "payment.sql").write_text(MODEL.format(rows=rows))
    (jobs / "payment.toml").write_text('sort = ["id"]\n')
    subprocess.run([envoi, "--lake", lake, "lake", "init"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([envoi, "--lake", lake, "run", "--dir", str(jobs)], check=True)
    log = open(folder / "server.log", "wb")
    command = [envoi, "--lake", lake, "serve", "--pg", "127.0.0.1:0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
    address = server.stdout.readline().decode()
    return server, int(re.search(r":(\d+)/", address).group(1))


def environment(side):
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "dbname": "PGDATABASE"}
    return {**os.environ, **{names[key]: str(value) for key, value in side.items()}}


def fill(envoi):
    """PostgreSQL's table, of envoi's rows."""
    with psycopg.connect(autocommit=True) as postgresql:
        postgresql.execute("drop table if exists payment")
        postgresql.execute("create table payment (id bigint, amount double precision, name text)")
    out = subprocess.Popen(["psql", *WAYS["copy binary"]], env=environment(envoi), stdout=subprocess.PIPE)
    copy = ["psql", "-qc", "copy payment from stdin (format binary)"]
    subprocess.run(copy, stdin=out.stdout, check=True)
    if out.wait() != 0:
        sys.exit("envoi did not copy its rows out")
    with psycopg.connect(autocommit=True) as postgresql:
        postgresql.execute("vacuum (freeze, analyze) payment")


def compare(sides, rows):
    sums = "select count(*), sum(id)::text, sum(amount), sum(length(name)), min(name), max(name) from payment"
    answers = [psycopg.connect(**side).execute(sums).fetchone() for side in sides.values()]
    answers = [[str(float(v)) if isinstance(v, (int, float)) else str(v) for v in answer] for answer in answers]
    if answers[0] != answers[1] or float(answers[0][0]) != rows:
        sys.exit(f"the tables differ: {answers}")


def read(side, arguments):
    begin = time.perf_counter()
    subprocess.run(["psql", "-X", *arguments], env=environment(side), check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def first(side):
    """Seconds until the first row of all of them is here."""
    with psycopg.connect(**side) as connection, connection.cursor() as cursor:
        begin = time.perf_counter()
        rows = cursor.stream(TABLE)
        next(rows)
        taken = time.perf_counter() - begin
        connection.cancel()
        try:
            for _ in rows:
                pass
        except psycopg.errors.QueryCanceled:
            pass
        return taken


def measure(sides, given):
    print(f"{given.rows} rows of int8, float8 and text; {given.times} times by turns; medians")
    for way, arguments in WAYS.items():
        seconds = {name: [] for name in sides}
        for _ in range(given.times):
            for name, side in sides.items():
                seconds[name].append(read(side, arguments))
        medians = {name: statistics.median(all) for name, all in seconds.items()}
        told = ", ".join(f"{name} {s:.2f} s ({given.rows / s / 1e6:.2f} M rows/s)" for name, s in medians.items())
        print(f"{way:12} {told}: {medians['postgresql'] / medians['envoi']:.2f} times")
    for name, side in sides.items():
        taken = sorted(first(side) for _ in range(20))
        print(f"first row    {name} {statistics.median(taken) * 1e3:.1f} ms, slowest of 20 {taken[-1] * 1e3:.1f} ms")


if __name__ == "__main__":
    main()
