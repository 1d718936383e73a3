#!/bin/bash
# GDAL's vector tools, and so QGIS's way in: layers, fields, filters and a copy. envoi only.
set -u
command -v ogrinfo >/dev/null && command -v ogr2ogr >/dev/null || { echo 'no ogrinfo: gdal-bin is not installed' >&2; exit 77; }
source="PG:host=$PGHOST port=$PGPORT user=$PGUSER dbname=$PGDATABASE${PGPASSWORD:+ password=$PGPASSWORD}"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

has() { # what, got, part
    case "$2" in *"$3"*) ;; *) printf 'wrong: %s: no "%s" in:\n%s\n' "$1" "$3" "$2" >&2; exit 1 ;; esac
}
hasnt() {
    case "$2" in *"$3"*) printf 'wrong: %s: "%s" in:\n%s\n' "$1" "$3" "$2" >&2; exit 1 ;; esac
}
info() { ogrinfo -ro "$@" 2>&1; }

# Tables without shapes are listed where they are asked for.
got=$(PG_LIST_ALL_TABLES=YES info "$source")
hasnt 'layers' "$got" 'ERROR'
has 'layers' "$got" 'country'
has 'layers' "$got" 'remittance_vs_oda'

got=$(info -so "$source" lake.indicator)
hasnt 'a table' "$got" 'ERROR'
has 'fields' "$got" 'vintage: Date'
has 'fields' "$got" 'indicator: String'
got=$(info -so "$source" mart.remittance_vs_oda)
has 'fields of a view' "$got" 'year: Integer'
has 'fields of a view' "$got" 'remittance_usd: Real'
has 'fields of a view' "$got" 'remit_exceeds_oda: Integer(Boolean)'

got=$(info -where "iso3 = 'MEX' and year = 2023" "$source" mart.remittance_vs_oda)
has 'a filter' "$got" 'Feature Count: 1'
has 'a value' "$got" 'remittance_usd (Real) = 66237800000'
got=$(info -sql "select iso3, max(remittance_usd) as most from mart.remittance_vs_oda where iso3 in ('MEX', 'PHL') group by iso3 order by iso3" "$source")
has 'a query' "$got" 'Feature Count: 2'
has 'a query' "$got" 'iso3 (String) = MEX'

ogr2ogr -f CSV -lco STRING_QUOTING=IF_NEEDED "$folder/out.csv" "$source" -sql "select iso3, year, remittance_usd from mart.remittance_vs_oda where iso3 = 'MEX' order by year" 2>"$folder/err" ||
    { printf 'wrong: ogr2ogr:\n%s\n' "$(cat "$folder/err")" >&2; exit 1; }
has 'a copy' "$(cat "$folder/out.csv")" 'MEX,2023,66237800000'
[ "$(wc -l <"$folder/out.csv")" = 10 ] || { printf 'wrong: rows of a copy:\n%s\n' "$(cat "$folder/out.csv")" >&2; exit 1; }
echo 'gdal: ok'
