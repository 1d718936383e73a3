"""pandas over SQLAlchemy: types of columns, missing values, dates, parameters, chunks."""

import pandas as pd
import sqlalchemy as sa

from check import MEXICO_2023, MEXICO_YEARS, same, true, url

MART = "select iso3, year, remittance_usd, remit_oda_ratio, remit_exceeds_oda from mart.remittance_vs_oda"
for driver in ("postgresql+psycopg", "postgresql+psycopg2"):
    engine = sa.create_engine(url(driver))
    with engine.connect() as db:
        frame = pd.read_sql(sa.text(f"{MART} where iso3 in ('MEX', 'CHN') order by iso3, year"), db)
        same("shape", frame.shape, (18, 5))
        same("year", str(frame.dtypes["year"]), "int64")
        same("amounts", str(frame.dtypes["remittance_usd"]), "float64")
        same("flag", str(frame.dtypes["remit_exceeds_oda"]), "bool")
        true("text", pd.api.types.is_string_dtype(frame["iso3"]), frame.dtypes["iso3"])
        mexico = frame[frame.iso3 == "MEX"].set_index("year")
        same("years", mexico.index.tolist(), MEXICO_YEARS)
        same("value", float(mexico.remittance_usd[2023]), MEXICO_2023)
        true("missing is NaN", bool(pd.isna(mexico.remit_oda_ratio[2000])))
        same("ratio", float(mexico.remit_oda_ratio[2005]), 113.709)

        frame = pd.read_sql(
            sa.text("select group_code, valid_from, vintage from lake.country_group where iso3 = 'MEX' order by 1"),
            db,
            parse_dates=["valid_from", "vintage"],
            index_col="group_code",
        )
        same("dates", frame.valid_from["UMC"], pd.Timestamp("2021-07-01"))
        true("missing is NaT", frame.valid_from["LCN"] is pd.NaT, frame.valid_from["LCN"])
        true("kind", pd.api.types.is_datetime64_any_dtype(frame["vintage"]), frame.dtypes["vintage"])

        frame = pd.read_sql(
            sa.text(
                "select count(*) as n, sum(remittance_usd) as s, avg(remittance_usd) as a, min(year) as y"
                " from mart.remittance_vs_oda where iso3 = :who"
            ),
            db,
            params={"who": "MEX"},
        )
        same("aggregates", [str(t) for t in frame.dtypes], ["int64", "float64", "float64", "int64"])
        same("count", int(frame.n[0]), 9)
        same(
            "time zone",
            str(pd.read_sql(sa.text("select timestamptz '2020-02-29 12:00:00+00' as t"), db).t[0].tz_convert("UTC")),
            "2020-02-29 12:00:00+00:00",
        )

    with engine.connect().execution_options(stream_results=True, max_row_buffer=10) as db:
        chunks = list(pd.read_sql(sa.text("select n from generate_series(1, 25) as t(n) order by n"), db, chunksize=10))
        same("chunks", [len(c) for c in chunks], [10, 10, 5])
        same("sum", int(sum(c.n.sum() for c in chunks)), 325)

    with engine.connect() as db:
        table = pd.read_sql_table(
            "corridor_flow", db, schema="lake", columns=["sender_iso3", "receiver_iso3", "remittance_usd"]
        )
        row = table[(table.sender_iso3 == "USA") & (table.receiver_iso3 == "MEX")]
        same("a table by its name", row.remittance_usd.tolist(), [52595300000.0])
    engine.dispose()
print("pandas: ok")
