# RPostgreSQL: results whole and by pieces, types, tables by name, errors.
suppressPackageStartupMessages(library(RPostgreSQL))

same <- function(what, got, want) {
  if (!identical(got, want)) {
    message("wrong: ", what, ": ", paste(deparse(got), collapse = " "), ", not ", paste(deparse(want), collapse = " "))
    quit(status = 1)
  }
}
env <- function(name, otherwise) { value <- Sys.getenv(name); if (nzchar(value)) value else otherwise }

db <- dbConnect(PostgreSQL(), host = env("PGHOST", "127.0.0.1"), port = as.integer(env("PGPORT", "5432")),
                user = env("PGUSER", "envoi_reader"), password = env("PGPASSWORD", ""), dbname = env("PGDATABASE", "envoi"))
years <- c(2000L, 2005L, 2010L, 2015L, 2019L, 2020L, 2021L, 2022L, 2023L)

rows <- dbGetQuery(db, "select iso3, year, remittance_usd, remit_oda_ratio, remit_exceeds_oda from mart.remittance_vs_oda
                        where iso3 = 'MEX' order by year")
same("kinds", vapply(rows, function(column) class(column)[1], ""),
     c(iso3 = "character", year = "integer", remittance_usd = "numeric", remit_oda_ratio = "numeric", remit_exceeds_oda = "logical"))
same("years", rows$year, years)
same("value", rows$remittance_usd[rows$year == 2023], 66237800000)
same("missing", is.na(rows$remit_oda_ratio[1]), TRUE)
same("flag", rows$remit_exceeds_oda[1], TRUE)
rows <- dbGetQuery(db, "select date '2020-02-29' as d, timestamptz '2020-02-29 12:00:00+00' as t, 'ñ'::text as s, 1.5::numeric as n, 7::int8 as i,
                        null::float8 as x, false as b")
same("date", rows$d, as.Date("2020-02-29"))
same("time", as.numeric(rows$t), 1582977600)
same("text", enc2utf8(rows$s), "ñ")
same("numbers", c(rows$n, rows$i, rows$x), c(1.5, 7, NA))
same("false", rows$b, FALSE)
same("a parameter", dbGetQuery(db, "select count(*)::int4 as n from mart.remittance_vs_oda where iso3 = $1 and year > $2::int4", list("MEX", 2020))$n, 3L)

result <- dbSendQuery(db, "select n::int4 as n from generate_series(1, 1000) as t(n) order by n")
same("a piece", fetch(result, n = 10)$n, 1:10)
same("the rest", nrow(fetch(result, n = -1)), 990L)
same("columns", dbColumnInfo(result)$name, "n")
invisible(dbClearResult(result))

same("tables", all(c("country", "indicator", "corridor_flow") %in% dbListTables(db)), TRUE)
same("exists", c(dbExistsTable(db, c("lake", "indicator")), dbExistsTable(db, c("lake", "nothing"))), c(TRUE, FALSE))
same("fields", dbListFields(db, c("lake", "indicator")), c("indicator", "name", "unit", "definition", "source_id", "vintage"))
table <- dbReadTable(db, c("lake", "corridor_flow"))
same("a table", table$remittance_usd[table$sender_iso3 == "USA" & table$receiver_iso3 == "MEX"], 52595300000)

error <- tryCatch(dbGetQuery(db, "select * from lake.nothing"), error = conditionMessage, warning = conditionMessage)
same("error", is.character(error) && grepl("lake.nothing", error, fixed = TRUE), TRUE)
same("afterwards", dbGetQuery(db, "select 1::int4 as a")$a, 1L)
same("in a transaction", c(dbBegin(db), dbGetQuery(db, "select 2::int4 as a")$a == 2L, dbRollback(db)), c(TRUE, TRUE, TRUE))
invisible(dbDisconnect(db))
cat("r: ok\n")
