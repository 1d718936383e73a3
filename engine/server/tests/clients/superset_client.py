"""Apache Superset as a library: the database added, a dataset synced from its columns, charts queried.

envoi only, and run by name (`run.sh BINARY superset_client.py`): Superset takes minutes to install, and has a venv of
its own (install.sh). What it keeps of its own is in SQLite in a folder that is deleted.
"""

import os
import pathlib
import sys
import tempfile

from check import MEXICO_2023, MEXICO_YEARS, fail, same, true, url

FOLDER = os.environ.get("ENVOI_CLIENTS") or os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "envoi", "clients"
)
PYTHON = os.path.join(FOLDER, "superset", "bin", "python")
if os.path.realpath(sys.prefix) != os.path.realpath(os.path.join(FOLDER, "superset")):
    if not os.access(PYTHON, os.X_OK):
        print("no Superset: run install.sh superset_client.py", file=sys.stderr)
        sys.exit(77)
    os.execv(PYTHON, [PYTHON, *sys.argv])

home = tempfile.TemporaryDirectory()
config = pathlib.Path(home.name) / "superset_config.py"
config.write_text(f"""
SECRET_KEY = {os.urandom(32).hex()!r}
SQLALCHEMY_DATABASE_URI = 'sqlite:///{home.name}/superset.db'
WTF_CSRF_ENABLED = False
TALISMAN_ENABLED = False
RATELIMIT_ENABLED = False
DATA_DIR = {home.name!r}
FILTER_STATE_CACHE_CONFIG = EXPLORE_FORM_DATA_CACHE_CONFIG = {{'CACHE_TYPE': 'SimpleCache'}}
""")
os.environ["SUPERSET_HOME"] = home.name
os.environ["SUPERSET_CONFIG_PATH"] = str(config)

try:
    from superset.app import create_app
except ImportError as error:
    print(f"no Superset: {error}", file=sys.stderr)
    sys.exit(77)

app = create_app()


def charted(context, columns, metrics, **more):
    """Rows of a chart as the page asks for them."""
    from superset.charts.schemas import ChartDataQueryContextSchema

    query = {"columns": columns, "metrics": metrics, "filters": [], "orderby": [], "row_limit": 100, **more}
    asked = {"datasource": {"id": context.id, "type": "table"}, "queries": [query], "force": True}
    [answer] = ChartDataQueryContextSchema().load(asked).get_payload()["queries"]
    if answer.get("error"):
        fail(f"chart: {answer['error']}")
    return answer["data"], answer


def aggregate(function, column):
    return {
        "expressionType": "SIMPLE",
        "column": {"column_name": column},
        "aggregate": function,
        "label": f"{function}({column})",
    }


with app.app_context():
    from flask import g
    from flask_appbuilder import Model

    from superset import db, security_manager
    from superset.commands.database.test_connection import TestConnectionDatabaseCommand
    from superset.connectors.sqla.models import SqlaTable
    from superset.models.core import Database
    from superset.sql.parse import Table

    Model.metadata.create_all(bind=db.engine)
    security_manager.add_role("Admin")
    user = security_manager.add_user(
        "admin", "a", "b", "admin@example.org", security_manager.find_role("Admin"), password="admin"
    )
    g.user = security_manager.find_user("admin") or user

    address = url("postgresql+psycopg2")
    TestConnectionDatabaseCommand({"database_name": "envoi", "sqlalchemy_uri": address, "extra": "{}"}).run()
    database = Database(database_name="envoi", expose_in_sqllab=True)
    database.set_sqlalchemy_uri(address)
    db.session.add(database)
    db.session.commit()
    same("backend", database.backend, "postgresql")

    schemas = database.get_all_schema_names()
    true("schemas", {"lake", "mart"} <= set(schemas), schemas)
    tables = {t.table if isinstance(t, Table) else t[0] for t in database.get_all_table_names_in_schema(None, "lake")}
    true("tables", {"country", "indicator", "corridor_flow"} <= tables, tables)
    views = {t.table if isinstance(t, Table) else t[0] for t in database.get_all_view_names_in_schema(None, "mart")}
    true("views", "remittance_vs_oda" in views, views)

    dataset = SqlaTable(table_name="remittance_vs_oda", schema="mart", database=database)
    db.session.add(dataset)
    db.session.flush()
    dataset.fetch_metadata()
    db.session.commit()
    columns = {c.column_name: c for c in dataset.columns}
    same(
        "types",
        [str(columns[c].type) for c in ("iso3", "year", "remittance_usd", "remit_exceeds_oda")],
        ["TEXT", "INTEGER", "DOUBLE PRECISION", "BOOLEAN"],
    )
    same("numbers", [columns[c].is_numeric for c in ("iso3", "year", "remittance_usd")], [False, True, True])
    described = columns["remittance_usd"].description or ""
    true("description", described.startswith("personal remittances received"), described)

    rows, answer = charted(
        dataset,
        ["year"],
        [aggregate("SUM", "remittance_usd"), aggregate("COUNT", "iso3")],
        filters=[{"col": "iso3", "op": "==", "val": "MEX"}],
        orderby=[["year", True]],
    )
    same("years", [int(r["year"]) for r in rows], MEXICO_YEARS)
    same("a sum", float(rows[-1]["SUM(remittance_usd)"]), MEXICO_2023)
    same("a count", int(rows[-1]["COUNT(iso3)"]), 1)
    rows, _ = charted(
        dataset,
        ["iso3"],
        [aggregate("MAX", "remittance_usd")],
        filters=[{"col": "iso3", "op": "IN", "val": ["MEX", "PHL"]}, {"col": "year", "op": ">=", "val": 2023}],
        orderby=[["iso3", False]],
    )
    same("in a list", [r["iso3"] for r in rows], ["PHL", "MEX"])
    same("a maximum", float(rows[1]["MAX(remittance_usd)"]), MEXICO_2023)
    # Filters of a dashboard offer what there is, by pages.
    rows, _ = charted(dataset, ["iso3"], [], row_limit=2, orderby=[["iso3", True]])
    same("values of a filter", len(rows), 2)

    # By day, month, year: over a column of dates, as time series do.
    indicator = SqlaTable(table_name="indicator", schema="lake", database=database)
    db.session.add(indicator)
    db.session.flush()
    indicator.fetch_metadata()
    db.session.commit()
    same("a date", [c.is_dttm for c in indicator.columns if c.column_name == "vintage"], [True])
    for grain in ("P1D", "P1M", "P1Y"):
        axis = {
            "timeGrain": grain,
            "columnType": "BASE_AXIS",
            "sqlExpression": "vintage",
            "label": "vintage",
            "expressionType": "SQL",
        }
        rows, _ = charted(indicator, [axis], [aggregate("COUNT", "indicator")])
        true(f"by {grain}", rows and sum(int(r["COUNT(indicator)"]) for r in rows) > 0, rows)

    # SQL Lab.
    frame = database.get_df("select year, remittance_usd from remittance_vs_oda where iso3 = 'MEX' order by year desc", schema="mart")
    same("a frame", [int(frame["year"][0]), float(frame["remittance_usd"][0])], [2023, MEXICO_2023])
    cost = database.db_engine_spec.estimate_query_cost(database, None, "mart", "select 1 from remittance_vs_oda")
    true("cost", "Total cost" in cost[0], cost)
    true("select star", "remittance_usd" in database.select_star(Table("remittance_vs_oda", "mart"), show_cols=True))

print("superset: ok")
