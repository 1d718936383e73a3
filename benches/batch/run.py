#!/usr/bin/env python3
"""Batch runs, envoi beside dbt-duckdb: the same models over the same Parquet files, one after another.

    run.py ENVOI [--dbt DBT] [--models 200] [--rows 10000000] [--times 3]

ENVOI is the program, built with --release; DBT the `dbt` of an environment with dbt-duckdb (pip install
dbt-duckdb); without it only envoi is measured. What both built is compared before times are printed.

unchanged     `--models` models over the sample lake, run again with nothing changed
month         `transfer` of `--rows` rows, all parts but the last rolled up by corridor and month; then the last
              part comes in. Beside it the whole built anew
write         `transfer` written as a table: bytes of its columns in memory a second
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROLLUP = """select
    sender_iso3,
    receiver_iso3,
    cast(date_trunc('month', sent_at) as date) as month,
    count(*) as transfers,
    sum(cast(round(amount_usd * 100) as bigint)) as amount_cents
from {transfer}
{where}
group by 1, 2, 3
"""
COUNTED = """select
    iso3, year, remittance_usd, oda_usd, remit_oda_ratio, {number} as model
from {table}
where year >= {year}
"""


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("envoi")
    arguments.add_argument("--dbt")
    arguments.add_argument("--models", type=int, default=200)
    arguments.add_argument("--rows", type=int, default=10_000_000)
    arguments.add_argument("--times", type=int, default=3)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        unchanged(given, folder / "unchanged")
        month(given, folder / "month")


def timed(command, **how):
    begin = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **how)
    taken = time.perf_counter() - begin
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}")
    return taken, done.stdout


def query(envoi, lake, sql):
    command = [envoi, *lake, "sql", "--format", "json", "-c", sql]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def told(name, seconds):
    print(f"{name:44} {statistics.median(seconds):8.3f} s  (of {len(seconds)}: {min(seconds):.3f} to {max(seconds):.3f})", flush=True)


def dbt_project(folder, models, materialised):
    (folder / "models").mkdir(parents=True)
    (folder / "dbt_project.yml").write_text(
        "name: bench\nversion: 1.0.0\nprofile: bench\nmodel-paths: [models]\n"
        f"models:\n  bench:\n    +materialized: {materialised}\n")
    (folder / "profiles.yml").write_text(
        f"bench:\n  target: dev\n  outputs:\n    dev:\n      type: duckdb\n      path: {folder}/bench.duckdb\n      threads: 2\n")
    for name, sql in models.items():
        (folder / "models" / f"{name}.sql").write_text(sql)


def dbt(given, folder, *arguments):
    environment = {**os.environ, "DO_NOT_TRACK": "1"}
    command = [given.dbt, "--quiet", *arguments, "--project-dir", folder, "--profiles-dir", folder]
    return timed(command, env=environment)[0]


def unchanged(given, folder):
    jobs, lake = folder / "jobs", ["--lake", str(folder / "lake")]
    jobs.mkdir(parents=True)
    # Written as any lake is: the sample's tables, copied.
    home = {**os.environ, "XDG_DATA_HOME": str(folder / "data"), "HOME": str(folder)}
    timed([given.envoi, "sql", "-c", "select 1"], env=home)
    sample = next((folder / "data").rglob("manifest")).parent
    lake = ["--lake", str(sample)]
    for number in range(given.models):
        sql = COUNTED.format(number=number, table="remittance_vs_oda", year=1990 + number % 30)
        (jobs / f"counted_{number:03}.sql").write_text(sql)
    command = [given.envoi, *lake, "run", "--dir", str(jobs)]
    told(f"{given.models} models, first run", [timed(command)[0]])
    told(f"{given.models} models, nothing changed", [timed(command)[0] for _ in range(max(given.times, 5))])
    if given.dbt:
        file = folder / "remittance_vs_oda.parquet"
        timed([given.envoi, *lake, "sql", "--format", "parquet", "-o", str(file), "-c", "select * from remittance_vs_oda"])
        models = {
            f"counted_{n:03}": COUNTED.format(number=n, table=f"'{file}'", year=1990 + n % 30) for n in range(given.models)
        }
        dbt_project(folder / "dbt", models, "table")
        told(f"dbt-duckdb, {given.models} models, first run", [dbt(given, folder / "dbt", "run")])
        told(f"dbt-duckdb, {given.models} models, again", [dbt(given, folder / "dbt", "run") for _ in range(given.times)])


def month(given, folder):
    files, jobs, lake = folder / "files", folder / "jobs", ["--lake", str(folder / "lake")]
    folder.mkdir()
    timed([given.envoi, "generate", "transfer", "--rows", str(given.rows), "-o", str(files)])
    parts = sorted(files.rglob("*.parquet"))
    if len(parts) < 2:
        sys.exit(f"{given.rows} rows are one file: there is no last part; take more")
    timed([given.envoi, *lake, "source", "import", *map(str, parts[:-1])])
    jobs.mkdir()
    (jobs / "corridor_month.sql").write_text(ROLLUP.format(transfer="transfer", where=""))
    (jobs / "corridor_month.toml").write_text(
        'materialisation = "incremental"\nsort = ["month", "sender_iso3", "receiver_iso3"]\n\n'
        '[incremental]\ninput = "transfer"\ntime = "sent_at"\ncolumn = "month"\nevery = "month"\n')
    run = [given.envoi, *lake, "run", "--dir", str(jobs)]
    told(f"{given.rows} transfers by month, {len(parts) - 1} of {len(parts)} parts", [timed(run)[0]])
    timed([given.envoi, *lake, "source", "import", str(parts[-1])])
    told("the last part comes in", [timed(run)[0]])
    sums = "select sum(transfers) as n, sum(amount_cents) as cents, count(*) as rows from corridor_month"
    ours = query(given.envoi, lake, sums)
    told("the whole anew", [timed([*run, "--full-refresh"])[0] for _ in range(given.times)])
    if query(given.envoi, lake, sums) != ours:
        sys.exit(f"the increment differs from the whole: {ours}")
    write(given, folder, lake)
    if given.dbt:
        where = ("{% if is_incremental() %} where sent_at >= "
                 "(select coalesce(max(month), date '1900-01-01') from {{ this }}) {% endif %}")
        config = ("{{ config(materialized='incremental', incremental_strategy='delete+insert', "
                  "unique_key=['sender_iso3', 'receiver_iso3', 'month']) }}\n")
        seen = folder / "seen"
        seen.mkdir()
        for part in parts[:-1]:
            (seen / part.name).symlink_to(part)
        sql = config + ROLLUP.format(transfer=f"read_parquet('{seen}/*.parquet')", where=where)
        dbt_project(folder / "dbt", {"corridor_month": sql}, "incremental")
        told("dbt-duckdb, all parts but the last", [dbt(given, folder / "dbt", "run")])
        (seen / parts[-1].name).symlink_to(parts[-1])
        told("dbt-duckdb, the last part comes in", [dbt(given, folder / "dbt", "run")])
        show = subprocess.run(
            [pathlib.Path(given.dbt).with_name("python"), "-c",
             f"import duckdb; print(*duckdb.connect('{folder}/dbt/bench.duckdb').sql('{sums}').fetchall()[0])"],
            check=True, stdout=subprocess.PIPE, text=True).stdout.split()
        if [int(v) for v in show] != [int(v) for v in ours[0].values()]:
            sys.exit(f"dbt-duckdb has {show}, envoi {ours}")
        told("dbt-duckdb, the whole anew", [dbt(given, folder / "dbt", "run", "--full-refresh") for _ in range(given.times)])


def write(given, folder, lake):
    jobs = folder / "write"
    jobs.mkdir()
    (jobs / "all_transfers.sql").write_text("select * from transfer\n")
    (jobs / "all_transfers.toml").write_text('sort = ["sent_at", "transfer_id"]\n')
    run = [given.envoi, *lake, "run", "--dir", str(jobs), "--full-refresh"]
    seconds = [timed(run)[0] for _ in range(given.times)]
    told("all transfers written as a table, sorted", seconds)
    # Text as its length and four bytes, the rest eight bytes.
    texts = ["transfer_id", "sender_iso3", "receiver_iso3", "provider", "channel", "purpose", "sender_id",
             "household_id", "currency", "status", "source_id"]
    lengths = " + ".join(f"coalesce(length({t}), 0) + 4" for t in texts)
    size = query(given.envoi, lake, f"select sum({lengths} + 36) as bytes from transfer")[0]["bytes"]
    print(f"{'':44} {size / statistics.median(seconds) / 1e6:8.0f} MB/s of {size / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
