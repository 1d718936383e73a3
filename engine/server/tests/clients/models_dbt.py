"""dbt-postgres: sources over the lake and the marts with tests, freshness and docs; models are read, not built.

envoi only: a project of its own, with its sources in both schemas. dbt has a venv of its own beside the other
clients' (install.sh); the script goes on there.
"""

import json
import os
import pathlib
import sys
import tempfile

from check import DATABASE, HOST, MEXICO_2023, PASSWORD, PORT, USER, fail, same, true

FOLDER = os.environ.get("ENVOI_CLIENTS") or os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "envoi", "clients"
)
PYTHON = os.path.join(FOLDER, "dbt", "bin", "python")
if os.path.realpath(sys.prefix) != os.path.realpath(os.path.join(FOLDER, "dbt")):
    if not os.access(PYTHON, os.X_OK):
        print("no dbt: run install.sh", file=sys.stderr)
        sys.exit(77)
    os.execv(PYTHON, [PYTHON, *sys.argv])

os.environ["DO_NOT_TRACK"] = "1"
os.environ["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false"

try:
    from dbt.cli.main import dbtRunner
except ImportError as error:
    print(f"no dbt: {error}", file=sys.stderr)
    sys.exit(77)

PROFILES = {
    "envoi": {
        "target": "dev",
        "outputs": {
            "dev": {
                "type": "postgres",
                "host": HOST,
                "port": PORT,
                "user": USER,
                "password": PASSWORD or "",
                "dbname": DATABASE,
                "schema": "mart",
                "threads": 2,
            }
        },
    }
}

PROJECT = {
    "name": "envoi_test",
    "version": "1.0.0",
    "profile": "envoi",
    "model-paths": ["models"],
    "snapshot-paths": ["snapshots"],
    "seed-paths": ["seeds"],
}

TO_COUNTRY = {"relationships": {"arguments": {"to": "source('lake', 'country')", "field": "iso3"}}}


def accepted(values):
    return {"accepted_values": {"arguments": {"values": values}}}


SOURCES = {
    "version": 2,
    "sources": [
        {
            "name": "lake",
            "schema": "lake",
            "tables": [
                {"name": "country", "columns": [{"name": "iso3", "data_tests": ["not_null"]}]},
                {
                    "name": "indicator",
                    "loaded_at_field": "vintage::timestamp",
                    "freshness": {"warn_after": {"count": 100000, "period": "day"}},
                    "columns": [{"name": "indicator", "data_tests": ["not_null", "unique"]}],
                },
                {
                    "name": "corridor_flow",
                    "columns": [
                        {"name": "receiver_iso3", "data_tests": [TO_COUNTRY]},
                        {"name": "method", "data_tests": [accepted(["nobody uses this"])]},
                    ],
                },
            ],
        },
        {
            "name": "mart",
            "schema": "mart",
            "tables": [
                {
                    "name": "remittance_vs_oda",
                    "columns": [
                        {"name": "iso3", "data_tests": ["not_null", TO_COUNTRY]},
                        {"name": "year", "data_tests": ["unique"]},
                        {"name": "remit_exceeds_oda", "data_tests": [accepted([True, False])]},
                    ],
                }
            ],
        },
    ],
}

TOP = """{{ config(materialized='view') }}
select iso3, year, remittance_usd, remit_exceeds_oda
from {{ source('mart', 'remittance_vs_oda') }}
where year = 2023 and iso3 = 'MEX'
"""
OVER = """{{ config(materialized='ephemeral') }}
select iso3, {{ dbt.date_trunc('year', "cast(vintage as timestamp)") }} as year
from {{ source('lake', 'country') }}
where iso3 = 'PHL' and valid_to is null
"""
COUNTED = """{{ config(materialized='ephemeral') }}
select count(*) as n from {{ ref('over') }}
"""


def project(folder):
    # JSON is YAML.
    (folder / "models").mkdir()
    for name, content in (
        ("profiles.yml", PROFILES),
        ("dbt_project.yml", PROJECT),
        ("models/sources.yml", SOURCES),
    ):
        (folder / name).write_text(json.dumps(content))
    for name, content in (("top", TOP), ("over", OVER), ("counted", COUNTED)):
        (folder / f"models/{name}.sql").write_text(content)


with tempfile.TemporaryDirectory() as made:
    root = pathlib.Path(made)
    project(root)
    os.chdir(root)
    runner = dbtRunner()

    def dbt(*arguments, holds=True):
        """Runs a command of dbt and reads what it wrote to `target`."""
        where = ["--profiles-dir", made, "--project-dir", made]
        done = runner.invoke(["--quiet", "--no-use-colors", *arguments, *where])
        if done.success != holds:
            fail(f"dbt {' '.join(arguments)}: success is {done.success}: {done.exception or done.result}")
        return done.result

    def written(name):
        return json.loads((root / "target" / name).read_text())

    runner.manifest = dbt("parse")  # parsed once
    dbt("debug")

    dbt("source", "freshness")
    [fresh] = written("sources.json")["results"]
    same("freshness", fresh["status"], "pass")
    true("last loaded", fresh["max_loaded_at"].startswith("20"), fresh["max_loaded_at"])
    true("age", fresh["max_loaded_at_time_ago_in_s"] > 0, fresh["max_loaded_at_time_ago_in_s"])

    # Two tests are to fail: a method that is not listed, and years, which come once for each economy.
    dbt("test", holds=False)
    tests = {r["unique_id"].split(".")[2]: (r["status"], r["failures"]) for r in written("run_results.json")["results"]}
    same("tests", len(tests), 9)
    for name, (status, failures) in tests.items():
        if name.startswith("source_accepted_values_lake_corridor_flow_method"):
            same(name, (status, failures), ("fail", 1))
        elif name == "source_unique_mart_remittance_vs_oda_year":
            same(name, status, "fail")
            true("years", failures >= 9, failures)
        else:
            same(name, (status, failures), ("pass", 0))

    dbt("docs", "generate", "--no-compile")
    catalog = written("catalog.json")
    same("errors of the catalogue", catalog["errors"], None)
    sources = {name.split(".", 2)[2]: node for name, node in catalog["sources"].items()}
    same(
        "catalogue",
        sorted(sources),
        ["lake.corridor_flow", "lake.country", "lake.indicator", "mart.remittance_vs_oda"],
    )
    table, view = sources["lake.indicator"], sources["mart.remittance_vs_oda"]
    same("kinds", [table["metadata"]["type"], view["metadata"]["type"]], ["BASE TABLE", "VIEW"])
    same(
        "comment",
        table["metadata"]["comment"],
        "Indicators with name, unit and definition; one row per indicator",
    )
    columns = view["columns"]
    same(
        "types",
        [columns[c]["type"] for c in ("iso3", "year", "remittance_usd", "remit_exceeds_oda")],
        ["text", "integer", "double precision", "boolean"],
    )
    same("place", columns["iso3"]["index"], 1)
    true("comment of a column", columns["remittance_usd"]["comment"].startswith("personal remittances received"))

    dbt("compile")
    nodes = {r["unique_id"].split(".")[-1]: r for r in written("run_results.json")["results"]}
    true("compiled", f'"{DATABASE}"."mart"."remittance_vs_oda"' in nodes["top"]["compiled_code"])

    [shown] = dbt("show", "--select", "top", "--output", "json").results
    same("columns shown", list(shown.agate_table.column_names), ["iso3", "year", "remittance_usd", "remit_exceeds_oda"])
    row = shown.agate_table.rows[0]
    same("shown", [row["iso3"], int(row["year"]), float(row["remittance_usd"])], ["MEX", 2023, MEXICO_2023])
    same("a truth", row["remit_exceeds_oda"], True)
    runner.manifest = None  # what is compiled is not put into others again
    [shown] = dbt("show", "--select", "counted").results
    same("over another model", [int(r["n"]) for r in shown.agate_table.rows], [1])
    [shown] = dbt("show", "--inline", "select sum(n) as s from generate_series(1, 10) as t(n)").results
    same("inline", [int(r["s"]) for r in shown.agate_table.rows], [55])

    # Nothing is built here: the error says why.
    dbt("run", "--select", "top", holds=False)
    [built] = written("run_results.json")["results"]
    same("a view", built["status"], "error")
    true("why", "cannot execute CREATE" in built["message"] and "read-only" in built["message"], built["message"])

print("dbt: ok")
