#!/bin/bash
# psql on what `envoi run` published: models are found by their bare names, listed and described. envoi only.
set -u
export PSQLRC=/dev/null PAGER= PSQL_PAGER= PGOPTIONS= LC_ALL=C.UTF-8

has() { # what, got, part
    case "$2" in *"$3"*) ;; *) printf 'wrong: %s: no "%s" in:\n%s\n' "$1" "$3" "$2" >&2; exit 1 ;; esac
}
run() {
    psql -X -w -A -t -q "$@" 2>&1
}

rows=$(run -c 'select count(*) from model.remittances_and_aid')
[ "$rows" -gt 100 ] 2>/dev/null || { printf 'wrong: rows of a model: %s\n' "$rows" >&2; exit 1; }
has 'by its bare name' "$(run -c 'select count(*) from remittances_and_aid')" "$rows"
has 'where names are sought' "$(run -c 'show search_path')" 'model'
has 'copied out' "$(run -c "\\copy (select iso3 from remittances_and_aid where iso3 = 'MEX' and year = 2023) to stdout")" 'MEX'
has '\dt' "$(run -c '\dt')" 'model|remittances_and_aid|table|'
has '\d' "$(run -c '\d remittances_and_aid')" 'remittance_usd|double precision|'
# On a path without it the hint says where it is.
has 'in a schema that is not searched' "$(run -c 'set search_path = mart' -c 'select 1 from remittances_and_aid')" \
    'did you mean "model.remittances_and_aid"?'
