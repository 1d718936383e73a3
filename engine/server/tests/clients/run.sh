#!/bin/bash
# Runs the clients against a server and prints a table of them.
#   run.sh ENVOI_BINARY [SCRIPT...]   starts `ENVOI_BINARY serve` over the sample lake and stops it at the end
#   run.sh --oracle [SCRIPT...]       against the PostgreSQL that PGHOST, PGPORT, PGUSER, PGPASSWORD and
#                                     PGDATABASE name, filled by oracle.sql: proves the assertions themselves
# Exits with 1 if any failed. A script that exits with 77 cannot run here; it is named as skipped.
# A script with "envoi only" in its first five lines is not for the oracle.
set -u
here=$(cd "$(dirname "$0")" && pwd)
seconds=${ENVOI_CLIENTS_SECONDS:-120} # for one script
[ $# -ge 1 ] || { sed -n 2,6p "$0" >&2; exit 2; }
target=$1
shift
scripts=("$@")
# superset_client.py is run by name only: Superset takes minutes to install.
[ $# -gt 0 ] || scripts=(psql.sh psycopg3.py psycopg3_streams.py psycopg2_client.py asyncpg_client.py pg8000_client.py
    sqlalchemy_client.py pandas_client.py adbc_client.py jdbc/Client.java odbc_client.py node/client.js r_client.R fdw.sh
    pgcli.sh gdal.sh models.sh models_dbt.py sqlstates_client.py sqlsmith_client.py)

export ENVOI_CLIENTS=${ENVOI_CLIENTS:-${XDG_CACHE_HOME:-$HOME/.cache}/envoi/clients}
export PYTHONDONTWRITEBYTECODE=1 LC_ALL=C.UTF-8
unset PGOPTIONS PGSERVICE PGSSLMODE PGAPPNAME PGDATESTYLE PGTZ
"$here/install.sh" "${scripts[@]}" || echo 'run.sh: going on without them' >&2

work=$(mktemp -d)
server=
finish() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null
        for _ in $(seq 50); do kill -0 "$server" 2>/dev/null || break; sleep 0.2; done
        kill -9 "$server" 2>/dev/null && echo 'run.sh: the server did not stop by itself' >&2
    fi
    rm -rf "$work"
}
trap finish EXIT

if [ "$target" != --oracle ]; then
    : >"$work/server.out"
    # No lake, settings or cache of whoever runs this: the sample lake opens.
    alone=(env -u ENVOI_LAKE -u ENVOI_CLIENTS -u ENVOI_CLIENTS_USER -u ENVOI_CLIENTS_SECONDS HOME="$work/home"
        XDG_DATA_HOME="$work/data" XDG_CACHE_HOME="$work/cache" XDG_CONFIG_HOME="$work/config")
    # Models, too, are for clients.
    "${alone[@]}" "$target" run >"$work/run.out" 2>&1 || { cat "$work/run.out" >&2; exit 1; }
    "${alone[@]}" "$target" serve --pg 127.0.0.1:0 >"$work/server.out" 2>"$work/server.err" &
    server=$!
    port=
    for _ in $(seq 300); do
        port=$(grep -oE 'postgresql://127\.0\.0\.1:[0-9]+/' "$work/server.out" | head -1 | grep -oE '[0-9]+/$' | tr -d /)
        [ -z "$port" ] && kill -0 "$server" 2>/dev/null || break
        sleep 0.2
    done
    if [ -z "$port" ]; then
        echo 'run.sh: the server did not say its address:' >&2
        cat "$work/server.out" "$work/server.err" >&2
        exit 1
    fi
    export PGHOST=127.0.0.1 PGPORT=$port PGUSER=${ENVOI_CLIENTS_USER:-envoi} PGPASSWORD= PGDATABASE=envoi
fi
: "${PGHOST:=127.0.0.1}" "${PGPORT:=5432}" "${PGUSER:=envoi_reader}" "${PGPASSWORD:=}" "${PGDATABASE:=envoi}"
export PGHOST PGPORT PGUSER PGPASSWORD PGDATABASE

run() {
    local script="$here/$1"
    case $1 in
        *.py) set -- "$ENVOI_CLIENTS/venv/bin/python" "$script" ;;
        *.sh) set -- bash "$script" ;;
        *.js) set -- node "$script" ;;
        *.java) set -- java -cp "${ENVOI_JDBC:-/usr/share/java/postgresql.jar}" "$script" ;;
        *.R) set -- Rscript --vanilla "$script" ;;
    esac
    timeout -k 5 "$seconds" "$@"
}

failed=0
printf '%-22s %-8s %8s\n' client result seconds
for script in "${scripts[@]}"; do
    if [ "$target" = --oracle ] && head -5 "$here/$script" | grep -q 'envoi only'; then
        printf '%-22s %-8s\n' "$script" skipped
        continue
    fi
    start=$(date +%s%N)
    run "$script" >"$work/out" 2>&1 </dev/null
    code=$?
    spent=$((($(date +%s%N) - start) / 100000000))
    # What could not be installed is no fault of the server; it is said.
    if [ "$code" != 0 ] && grep -qE "ModuleNotFoundError|there is no package called|Cannot find module|command not found|No such file or directory.*(venv|postgresql.jar)|ClassNotFoundException|Can't open lib" "$work/out"; then
        printf '*** NOT TESTED: %s lacks what it runs on ***\n' "$script" >&2
        code=77
    fi
    case $code in
        0) result=ok ;;
        77) result=skipped ;;
        124 | 137) result='too long' ;;
        *) result=failed ;;
    esac
    printf '%-22s %-8s %6d.%d\n' "$script" "$result" $((spent / 10)) $((spent % 10))
    case $result in
        ok) ;;
        skipped) sed 's/^/    /' "$work/out" | head -2 ;;
        *)
            failed=$((failed + 1))
            sed 's/^/    /' "$work/out" | tail -25
            ;;
    esac
    # A statement that panics is one error to its client; here it is a fault.
    if [ -n "$server" ] && grep -q 'panicked at' "$work/server.err"; then
        echo "run.sh: $script made the server panic:" >&2
        grep -A3 'panicked at' "$work/server.err" | head -20 >&2
        exit 1
    fi
    if [ -n "$server" ] && ! kill -0 "$server" 2>/dev/null; then
        echo 'run.sh: the server ended; it said:' >&2
        tail -20 "$work/server.err" >&2
        exit 1
    fi
done
[ "$failed" = 0 ] || { echo "$failed failed" >&2; exit 1; }
