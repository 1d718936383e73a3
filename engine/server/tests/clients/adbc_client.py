"""ADBC: Arrow through COPY in binary; types from the catalogue; objects and schemas."""

import datetime as dt

import adbc_driver_postgresql
import adbc_driver_postgresql.dbapi
import pyarrow as pa
from adbc_driver_manager import OperationalError, ProgrammingError

from check import MEXICO_2023, MEXICO_YEARS, raises, same, true, url


def ask(sql, parameters=None):
    with db.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetch_arrow_table()


db = adbc_driver_postgresql.dbapi.connect(url("postgresql"), autocommit=True)
same("server", db.adbc_get_info()["vendor_name"], "PostgreSQL")

table = ask(
    "select iso3, year, remittance_usd, remit_oda_ratio, remit_exceeds_oda from mart.remittance_vs_oda"
    " where iso3 = 'MEX' order by year"
)
same(
    "schema",
    [(f.name, f.type) for f in table.schema],
    [
        ("iso3", pa.string()),
        ("year", pa.int32()),
        ("remittance_usd", pa.float64()),
        ("remit_oda_ratio", pa.float64()),
        ("remit_exceeds_oda", pa.bool_()),
    ],
)
same("years", table["year"].to_pylist(), MEXICO_YEARS)
same("value", table["remittance_usd"].to_pylist()[-1], MEXICO_2023)
same("null", table["remit_oda_ratio"].to_pylist()[0], None)
same("flag", table["remit_exceeds_oda"].to_pylist()[0], True)

table = ask(
    "select 1::int2 as a, 2::int8 as b, 0.5::float4 as c, date '2020-02-29' as d, timestamp '2020-02-29 12:00:00.5' as e,"
    " timestamptz '2020-02-29 12:00:00+00' as f, time '01:02:03' as g, '\\x00ff'::bytea as h, array[1,2,null]::int4[] as i,"
    " array['x']::text[] as j, null::float8 as k, 1.25::numeric(10,2) as l, interval '1 month 2 days' as m, true as n"
)
same(
    "types",
    [str(f.type) for f in table.schema],
    [
        "int16",
        "int64",
        "float",
        "date32[day]",
        "timestamp[us]",
        "timestamp[us, tz=UTC]",
        "time64[us]",
        "binary",
        "list<item: int32>",
        "list<item: string>",
        "double",
        "extension<arrow.opaque[storage_type=string, type_name=numeric, vendor_name=PostgreSQL]>",
        "month_day_nano_interval",
        "bool",
    ],
)
same(
    "values",
    [table[c].to_pylist()[0] for c in "abcdehijkn"],
    [
        1,
        2,
        0.5,
        dt.date(2020, 2, 29),
        dt.datetime(2020, 2, 29, 12, 0, 0, 500000),
        b"\0\xff",
        [1, 2, None],
        ["x"],
        None,
        True,
    ],
)
same("time zone", table["f"].to_pylist()[0].timestamp(), 1582977600.0)
same("numeric", table["l"].to_pylist()[0], "1.25")
same("interval", tuple(table["m"].to_pylist()[0]), (1, 2, 0))

same("no rows", ask("select iso3 from lake.country where iso3 = 'none'").num_rows, 0)
same("many rows", ask("select n from generate_series(1, 20000) as t(n)")["n"].to_numpy().sum().item(), 200010000)
same(
    "a parameter",
    ask("select year from mart.remittance_vs_oda where iso3 = $1 and year > $2 order by year", ("MEX", 2021))[
        "year"
    ].to_pylist(),
    [2022, 2023],
)
same(
    "text beyond ASCII",
    ask("select name_ar, name_zh from lake.country where iso3 = 'MEX'").to_pylist(),
    [{"name_ar": "المكسيك", "name_zh": "墨西哥"}],
)

same(
    "schema of a table",
    [(f.name, str(f.type)) for f in db.adbc_get_table_schema("corridor_flow", db_schema_filter="lake")][:4],
    [("sender_iso3", "string"), ("receiver_iso3", "string"), ("year", "int32"), ("remittance_usd", "double")],
)
true("kinds of tables", {"table", "view"} <= set(db.adbc_get_table_types()), db.adbc_get_table_types())
catalogs = (
    db.adbc_get_objects(
        depth="all", catalog_filter=None, db_schema_filter="mart", table_name_filter="remittance_vs_oda"
    )
    .read_all()
    .to_pylist()
)
schemas = [s for c in catalogs for s in c["catalog_db_schemas"] or []]
same("schema found", [s["db_schema_name"] for s in schemas], ["mart"])
view = schemas[0]["db_schema_tables"][0]
same("view found", (view["table_name"], view["table_type"]), ("remittance_vs_oda", "view"))
same("its columns", [c["column_name"] for c in view["table_columns"]][:3], ["iso3", "name_en", "year"])
same("its comment", view["table_columns"][0]["remarks"], "economy, ISO 3166-1 alpha-3")
catalogs = (
    db.adbc_get_objects(depth="all", db_schema_filter="lake", table_name_filter="corridor_flow").read_all().to_pylist()
)
tables = [t for c in catalogs for s in c["catalog_db_schemas"] or [] for t in s["db_schema_tables"]]
keys = [k for k in tables[0]["table_constraints"] if k["constraint_type"] == "PRIMARY KEY"]
same("its key", [k["constraint_column_names"] for k in keys], [["sender_iso3", "receiver_iso3", "year", "method"]])


def state(error):
    return error.sqlstate


raises("table", (ProgrammingError, OperationalError), lambda: ask("select * from lake.nothing"), "42P01", state)
raises("column", (ProgrammingError, OperationalError), lambda: ask("select nothing"), "42703", state)
same("afterwards", ask("select 1::int4 as v")["v"].to_pylist(), [1])
db.close()
print("adbc: ok")
