#!/bin/bash
# psql: backslash commands, COPY to a file, variables, several statements, errors and where they point.
set -u
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export PSQLRC=/dev/null PAGER= PSQL_PAGER= PGOPTIONS= LC_ALL=C.UTF-8
version=$(psql --version | grep -oE '[0-9]+' | head -1)

same() { # what, got, want
    [ "$2" = "$3" ] || { printf 'wrong: %s:\n%s\nnot:\n%s\n' "$1" "$2" "$3" >&2; exit 1; }
}
has() { # what, got, part
    case "$2" in *"$3"*) ;; *) printf 'wrong: %s: no "%s" in:\n%s\n' "$1" "$3" "$2" >&2; exit 1 ;; esac
}
hasnt() {
    case "$2" in *"$3"*) printf 'wrong: %s: "%s" in:\n%s\n' "$1" "$3" "$2" >&2; exit 1 ;; esac
}
run() { # unaligned rows only; standard error too
    psql -X -w -A -t -q "$@" 2>&1
}
said() { # as a person sees it
    psql -X -w "$@" 2>&1
}
script() { # commands on standard input
    psql -X -w -A -t -q -v ON_ERROR_STOP=1 -f - 2>&1
}

# Values.
same 'a value' "$(run -c "select iso3, year, remittance_usd from mart.remittance_vs_oda where iso3 = 'MEX' and year = 2023")" \
    'MEX|2023|66237800000'
same 'years' "$(run -c "select iso3, year from mart.remittance_vs_oda where iso3 = 'MEX' order by year" | tr '\n' ' ')" \
    'MEX|2000 MEX|2005 MEX|2010 MEX|2015 MEX|2019 MEX|2020 MEX|2021 MEX|2022 MEX|2023 '
same 'by its bare name' "$(run -c "select remit_exceeds_oda, remittance_is_zero from remittance_vs_oda where iso3 = 'SYR' and year = 2020")" 'f|t'
same 'null' "$(run -P null=NULL -c "select remit_oda_ratio, oda_usd from mart.remittance_vs_oda where iso3 = 'CHN' and year = 2023")" \
    'NULL|-267200000'
same 'text beyond ASCII' "$(run -c "select name_en, name_ar, name_zh from lake.country where iso3 in ('MEX', 'CIV') order by iso3")" \
    "Côte d'Ivoire|كوت ديفوار|科特迪瓦
Mexico|المكسيك|墨西哥"
same 'a date' "$(run -c "select valid_from from lake.country_group where iso3 = 'MEX' and group_code = 'UMC'")" '2021-07-01'
same 'several statements' "$(run -c 'select 1 as a; select 2 as b; show transaction_read_only')" '1
2
on'
same 'several commands' "$(run -c 'select 1' -c 'select 2')" '1
2'
same 'count of rows' "$(said -c "select iso3 from lake.country where iso3 in ('MEX', 'NPL') order by iso3")" ' iso3 
------
 MEX
 NPL
(2 rows)'
same 'no rows' "$(said -c "select iso3 from lake.country where iso3 = 'none'")" ' iso3 
------
(0 rows)'

# The catalogue.
has '\dt' "$(run -c '\dt lake.*')" 'lake|corridor_flow|table|'
has '\dt, visible' "$(run -c '\dt')" 'lake|country_group|table|'
hasnt '\dt, no views' "$(run -c '\dt mart.*')" '|view|'
has '\dv' "$(run -c '\dv mart.*')" 'mart|remittance_vs_oda|view|'
has '\dv+' "$(run -c '\dv+ mart.remittance_vs_oda')" 'Personal remittances and net ODA received, side by side'
mart=$(run -c '\d mart.remittance_vs_oda')
has '\d of a view' "$mart" 'iso3|text|||
name_en|text|||
year|integer|||'
has '\d of a view' "$mart" 'remit_exceeds_oda|boolean|||'
has '\d of a view' "$mart" 'oda_per_head_usd|double precision|||'
has '\d title' "$(said -c '\d mart.remittance_vs_oda')" 'View "mart.remittance_vs_oda"'
plus=$(run -c '\d+ mart.remittance_vs_oda')
has '\d+, comments' "$plus" 'remittances exceed ODA; NULL where either is missing'
table=$(run -c '\d lake.indicator')
has '\d of a table' "$table" 'indicator|text||not null|
name|text||not null|
unit|text|||'
has '\d of a table' "$table" 'vintage|date||not null|'
table=$(said -c '\d lake.indicator')
has '\d, key' "$table" 'PRIMARY KEY'
has '\d, key' "$table" '(indicator)'
has '\d by visible name' "$(run -c '\d corridor_flow')" 'remittance_usd|double precision||not null|'
has '\d of nothing' "$(said -c '\d nowhere.nothing')" 'Did not find any relation named "nowhere.nothing".'
has '\dn' "$(run -c '\dn')" 'lake|'
has '\dn' "$(run -c '\dn m*')" 'mart|'
hasnt '\dn, pattern' "$(run -c '\dn m*')" 'lake|'
has '\dn+' "$(run -c '\dn+')" 'mart|'
has '\df' "$(run -c '\df gini')" '|gini|double precision|double precision'
has '\df of PostgreSQL' "$(run -c '\df pg_catalog.version')" 'pg_catalog|version|text||func'
has '\du' "$(run -c '\du')" "$PGUSER|"
has '\l' "$(run -c '\l')" "$PGDATABASE|"
has '\l, encoding' "$(run -c "\\l $PGDATABASE")" '|UTF8|'
has '\dT' "$(run -c '\dT float8')" 'pg_catalog|double precision|'
has '\dT' "$(run -c '\dT pg_catalog.timestamptz')" 'pg_catalog|timestamp with time zone|'
has '\di' "$(run -c '\di lake.*')" '|index|'
has '\dp' "$(run -c '\dp lake.indicator')" 'lake|indicator|table|'
has '\dd' "$(run -c '\dt+ lake.indicator')" 'Indicators with name, unit and definition; one row per indicator'
same '\dx' "$(run -c '\dx' >/dev/null; echo $?)" 0
same '\dm' "$(said -c '\dm')" 'Did not find any relations.'
same '\ds' "$(said -c '\ds')" 'Did not find any relations.'
has '\conninfo' "$(run -c '\conninfo')" "$PGDATABASE"
has '\encoding' "$(run -c '\encoding')" 'UTF8'

# What a statement returns, without running it.
same '\gdesc' "$(script <<<"select iso3, year, remittance_usd, remit_exceeds_oda, count(*) over () as n, vintage
    from mart.remittance_vs_oda cross join (select vintage from lake.indicator) as i \\gdesc")" 'iso3|text
year|integer
remittance_usd|double precision
remit_exceeds_oda|boolean
n|bigint
vintage|date'

# Variables, \g, \gx, \gset, \gexec, \timing, \if.
same '\set' "$(script <<<"\\set who MEX
select year from mart.remittance_vs_oda where iso3 = :'who' order by year limit 2;")" '2000
2005'
same '-v' "$(run -v from=2022 -f - <<<"select count(*) from mart.remittance_vs_oda where iso3 = 'MEX' and year >= :from;")" 2
same '\gset' "$(script <<<"select max(year) as last from mart.remittance_vs_oda where iso3 = 'MEX' \\gset
\\echo newest :last")" 'newest 2023'
same '\g into a file' "$(script <<<"select iso3 from lake.country where iso3 = 'NAM' \\g $folder/g"; cat "$folder/g")" NAM
has '\gx' "$(said -f - <<<"select iso3, currency from lake.country where iso3 = 'NAM' \\gx")" 'currency | NAD'
same '\gexec' "$(script <<<"select 'select ' || year from mart.remittance_vs_oda where iso3 = 'MEX' and year < 2006 order by year \\gexec")" '2000
2005'
has '\timing' "$(script <<<'\timing on
select 7;')" 'Time: '
has '\crosstabview' "$(said -f - <<<"select iso3, year, remit_exceeds_oda from mart.remittance_vs_oda
    where iso3 in ('MEX', 'SYR') and year in (2000, 2020) order by 1, 2 \\crosstabview")" ' SYR  | t    | f'
same 'FETCH_COUNT' "$(script <<<'\set FETCH_COUNT 3
select n from generate_series(1, 8) as t(n) order by n;' | tr '\n' ' ')" '1 2 3 4 5 6 7 8 '
if [ "$version" -ge 16 ]; then
    same '\bind' "$(script <<<"select count(*), \$2::int + 1 from mart.remittance_vs_oda where iso3 = \$1 \\bind MEX 41 \\g")" '9|42'
fi
if [ "$version" -ge 17 ]; then
    same '\watch' "$(script <<<'select 5 \watch i=0.1 c=2' | grep -c '^5$')" 2
fi
same 'PREPARE' "$(script <<<"prepare p(text) as select count(*) from mart.remittance_vs_oda where iso3 = \$1;
execute p('MEX');
deallocate p;")" 9

# COPY.
script <<<"\\copy (select iso3, year, remit_oda_ratio, remit_exceeds_oda from mart.remittance_vs_oda where iso3 = 'CHN' and year in (2000, 2023) order by year) to '$folder/copy.csv' with (format csv, header)"
same '\copy csv' "$(cat "$folder/copy.csv")" 'iso3,year,remit_oda_ratio,remit_exceeds_oda
CHN,2000,0.4334476843910806,f
CHN,2023,,t'
same 'COPY text' "$(run -c "copy (select iso3, remit_oda_ratio, 'a	b' from mart.remittance_vs_oda where iso3 = 'CHN' and year = 2023) to stdout")" \
    'CHN	\N	a\tb'
same 'COPY of a table' "$(run -c 'copy lake.indicator (indicator) to stdout' | sort | head -1)" 'BM.TRF.PWKR.CD.DT'

# Errors: SQLSTATE, LINE and the caret, exit codes, and that the connection goes on.
error=$(run -v VERBOSITY=verbose -c "select iso3,
  nothing from lake.country")
has 'column error' "$error" 'ERROR:  42703:'
has 'LINE' "$error" 'LINE 2:   nothing from lake.country'
has 'caret' "$error" '
          ^'
error=$(run -v VERBOSITY=verbose -c 'select * from lake.nothing')
has 'table error' "$error" 'ERROR:  42P01:'
has 'caret at the table' "$error" 'LINE 1: select * from lake.nothing
                      ^'
error=$(run -v VERBOSITY=verbose -c 'selekt 1')
has 'syntax error' "$error" 'ERROR:  42601:'
has 'caret at the word' "$error" 'LINE 1: selekt 1
        ^'
has 'function error' "$(run -v VERBOSITY=verbose -c 'select nofunction(1)')" 'ERROR:  42883:'
has 'division' "$(run -v VERBOSITY=verbose -c 'select 1 / (year - year) from mart.remittance_vs_oda')" 'ERROR:  22012:'
has 'cast' "$(run -v VERBOSITY=verbose -c "select cast(iso3 as int) from lake.country")" 'ERROR:  22P02:'
same 'ON_ERROR_STOP' "$(run -v ON_ERROR_STOP=1 -f - <<<'select 1; select nothing; select 3;' | head -1; run -v ON_ERROR_STOP=1 -c 'select nothing' >/dev/null; echo $?)" '1
1'
same 'going on' "$(run -f - <<<'select nothing; select 3;' | tail -1)" 3
same 'a transaction that failed' "$(run -v VERBOSITY=verbose -f - <<<'begin; select nothing; select 1; rollback; select 2;' | grep -oE '(42703|25P02):|^2$')" \
    '42703:
25P02:
2'
for statement in 'create table lake.t (a int)' "insert into lake.indicator (indicator) values ('x')" 'drop table lake.country' \
    "update lake.country set iso3 = 'x'" 'delete from lake.country'; do
    refused=$(run -v VERBOSITY=verbose -c "$statement")
    case "$refused" in *25006:* | *42501:*) ;; *) same "$statement" "$refused" 'an error 25006 or 42501' ;; esac
done
echo 'psql: ok'
