#!/bin/bash
# postgres_fdw: a real PostgreSQL imports tables of the server, pushes conditions down, joins and aggregates.
# Needs a PostgreSQL of your own on this machine: ENVOI_FDW_PSQL is how its superuser runs psql, by
# default `psql` as system user postgres (so: run as root). Its address is not that of PGHOST and PGPORT.
set -u
host=${PGHOST:-127.0.0.1} port=${PGPORT:-5432} user=${PGUSER:-envoi_reader} password=${PGPASSWORD:-} database=${PGDATABASE:-envoi}
scratch=envoi_fdw_$$

superuser() { # database, further arguments; commands on standard input
    local in=$1
    shift
    if [ -n "${ENVOI_FDW_PSQL:-}" ]; then
        env -u PGHOST -u PGPORT -u PGUSER -u PGPASSWORD $ENVOI_FDW_PSQL -X -q -A -t -v ON_ERROR_STOP=1 -d "$in" "$@"
    else
        env -u PGHOST -u PGPORT -u PGUSER -u PGPASSWORD -u PGDATABASE \
            su postgres -c "psql -X -q -A -t -v ON_ERROR_STOP=1 -d '$in' -f -" 2>&1
    fi
}
same() { # what, got, want
    [ "$2" = "$3" ] || { printf 'wrong: %s:\n%s\nnot:\n%s\n' "$1" "$2" "$3" >&2; exit 1; }
}
has() {
    case "$2" in *"$3"*) ;; *) printf 'wrong: %s: no "%s" in:\n%s\n' "$1" "$3" "$2" >&2; exit 1 ;; esac
}
ask() { superuser "$scratch" <<<"$1"; }

superuser postgres <<<"create database $scratch" >/dev/null || { echo 'skipped: no PostgreSQL of your own: see the head of this file' >&2; exit 77; }
trap 'superuser postgres <<<"drop database if exists $scratch with (force)"' EXIT

secret=
[ -z "$password" ] || secret=", password '$password'"
same 'set up' "$(ask "create extension postgres_fdw;
create schema mart; create schema lake;
create server envoi foreign data wrapper postgres_fdw
    options (host '$host', port '$port', dbname '$database', fetch_size '50', use_remote_estimate 'false');
create user mapping for current_user server envoi options (user '$user'$secret);
import foreign schema mart limit to (remittance_vs_oda) from server envoi into mart;
import foreign schema lake limit to (country, indicator, corridor_flow) from server envoi into lake;")" ''

same 'what was imported' "$(ask "select string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' order by attnum)
    from pg_attribute where attrelid = 'mart.remittance_vs_oda'::regclass and attnum in (1, 3, 6, 9)")" \
    'iso3 text, year integer, remittance_usd double precision, remit_exceeds_oda boolean'
same 'not null' "$(ask "select string_agg(attname, ', ' order by attnum) from pg_attribute
    where attrelid = 'lake.indicator'::regclass and attnotnull and attnum > 0")" 'indicator, name, source_id, vintage'

same 'rows' "$(ask "select iso3, year, remit_oda_ratio, remit_exceeds_oda from mart.remittance_vs_oda
    where iso3 = 'CHN' and year in (2000, 2023) order by year")" 'CHN|2000|0.4334476843910806|f
CHN|2023||t'
plan=$(ask "explain (verbose, costs off) select year from mart.remittance_vs_oda where iso3 = 'MEX' and year > 2020 and remittance_usd is not null order by year")
has 'conditions are pushed down' "$plan" "((year > 2020))"
has 'conditions are pushed down' "$plan" "((iso3 = 'MEX'))"
same 'years' "$(ask "select year from mart.remittance_vs_oda where iso3 = 'MEX' and year > 2020 and remittance_usd is not null order by year" | tr '\n' ' ')" '2021 2022 2023 '
same 'an aggregate' "$(ask "select count(*), max(year), sum(remittance_usd) from mart.remittance_vs_oda where iso3 = 'MEX' and year >= 2022")" \
    '2|2023|127695500000'
join="select c.name_es, f.remittance_usd from lake.corridor_flow f join lake.country c on c.iso3 = f.receiver_iso3
    where f.sender_iso3 = 'USA' and f.receiver_iso3 = 'MEX'"
has 'a join is pushed down' "$(ask "explain (verbose, costs off) $join")" 'INNER JOIN lake.country'
same 'a join' "$(ask "$join")" 'México|52595300000'
same 'a join with a table of its own' "$(ask "create table mine (iso3 text, note text); insert into mine values ('MEX', 'seen');
    select m.note, r.remittance_usd from mine m join mart.remittance_vs_oda r using (iso3) where r.year = 2023")" 'seen|66237800000'
same 'a parameter' "$(ask "prepare p(text) as select count(*) from mart.remittance_vs_oda where iso3 = \$1; execute p('MEX'); execute p('NPL')")" '9
9'
same 'text beyond ASCII' "$(ask "select iso3 from lake.country where name_en = 'Côte d''Ivoire'")" CIV
same 'like, limit, dates' "$(ask "select indicator from lake.indicator where name like 'Personal%' and vintage > '2020-01-01' order by 1 limit 1")" BM.TRF.PWKR.CD.DT
same 'a cursor in pieces' "$(ask "alter server envoi options (set fetch_size '2');
    select count(year) from (select year from mart.remittance_vs_oda where iso3 in ('MEX', 'IND') order by year offset 0) as o")" 18
same 'two in one transaction' "$(ask "begin isolation level repeatable read; select count(*) from mart.remittance_vs_oda where iso3 = 'MEX';
    savepoint s; select count(*) from lake.corridor_flow where receiver_iso3 = 'MEX' and sender_iso3 = 'USA'; rollback to s; select 3; commit;")" '9
1
3'
same 'statistics by ANALYZE' "$(ask "analyze lake.indicator; select reltuples >= 5 from pg_class where oid = 'lake.indicator'::regclass")" t
same 'estimates of the server' "$(ask "alter foreign table lake.indicator options (add use_remote_estimate 'true');
    select name from lake.indicator where indicator = 'SP.POP.TOTL'")" 'Population, total'
refused=$(ask "\\set VERBOSITY verbose
    insert into lake.indicator (indicator, name, source_id, vintage) values ('x', 'x', 'x', now())")
case "$refused" in *25006:* | *42501:*) ;; *) same 'no writing' "$refused" 'an error 25006 or 42501' ;; esac
echo 'fdw: ok'
