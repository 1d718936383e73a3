#!/bin/sh
# Installs what the client suites need: Debian packages when run as root, and a Python venv and Node
# packages under $ENVOI_CLIENTS. Quiet, and nothing to do the second time.
#   install.sh [SCRIPT...]   dbt and Superset, which have venvs of their own, only if a script is named that needs them
# What cannot be had is named; run.sh then reports the scripts that need it as missing.
set -u

folder=${ENVOI_CLIENTS:-${XDG_CACHE_HOME:-$HOME/.cache}/envoi/clients}
mkdir -p "$folder" || exit 1
log="$folder/install.log"
: >"$log"
missing=

apt_packages='postgresql-client python3-venv nodejs default-jdk-headless libpostgresql-jdbc-java
odbc-postgresql unixodbc r-base-core r-cran-dbi r-cran-rpostgresql gdal-bin sqlsmith'
pip_packages='psycopg[binary,pool] psycopg2-binary asyncpg pg8000 sqlalchemy greenlet pandas pyarrow
adbc-driver-postgresql adbc-driver-manager pyodbc pgcli'
npm_packages='pg pg-cursor'

installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q '^install ok installed'; }

# A program that is there is good enough, whatever package it came from.
needed() {
    case $1 in
        nodejs) ! command -v node >/dev/null ;;
        default-jdk-headless) ! command -v javac >/dev/null ;;
        gdal-bin) ! command -v ogrinfo >/dev/null ;;
        postgresql-client) ! command -v psql >/dev/null ;;
        *) ! installed "$1" ;;
    esac
}

wanted=
if command -v dpkg-query >/dev/null; then
    for package in $apt_packages; do needed "$package" && wanted="$wanted $package"; done
else
    missing="$missing (no dpkg here; by your system's names:) $(echo $apt_packages)"
fi
if [ -n "$wanted" ]; then
    if [ "$(id -u)" = 0 ]; then
        export DEBIAN_FRONTEND=noninteractive
        apt-get -q update >>"$log" 2>&1
        for package in $wanted; do
            apt-get -q -y install --no-install-recommends "$package" >>"$log" 2>&1 || missing="$missing $package"
        done
    else
        missing="$missing$wanted"
    fi
fi

[ -x "$folder/venv/bin/python" ] || python3 -m venv "$folder/venv" >>"$log" 2>&1 || missing="$missing venv"
if [ -x "$folder/venv/bin/pip" ]; then
    have=$("$folder/venv/bin/pip" --disable-pip-version-check list --format=freeze 2>>"$log" | tr '[:upper:]_' '[:lower:]-')
    for package in $pip_packages; do
        case "
$have" in
            *"
${package%%[*}=="*) continue ;;
        esac
        "$folder/venv/bin/pip" --disable-pip-version-check install -q "$package" >>"$log" 2>&1 || missing="$missing pip:$package"
    done
fi

# A venv beside the other, for what wants other versions than the clients.
own_venv() { # name, program, packages
    [ -x "$folder/$1/bin/$2" ] && return
    own=$1
    shift 2
    [ -x "$folder/$own/bin/pip" ] || python3 -m venv "$folder/$own" >>"$log" 2>&1
    "$folder/$own/bin/pip" --disable-pip-version-check install -q "$@" >>"$log" 2>&1 || missing="$missing pip:$own"
}
case " $* " in *models_dbt.py*) own_venv dbt dbt 'dbt-core<1.11' 'dbt-postgres<1.11' ;; esac
case " $* " in *superset_client.py*) own_venv superset superset apache-superset 'flask-caching<2.4' cachetools psycopg2-binary ;; esac

if command -v npm >/dev/null; then
    for package in $npm_packages; do
        [ -d "$folder/node_modules/$package" ] && continue
        npm install --silent --no-audit --no-fund --prefix "$folder" "$package" >>"$log" 2>&1 || missing="$missing npm:$package"
    done
else
    missing="$missing npm"
fi

[ -z "$missing" ] && exit 0
echo "install.sh: missing:$missing (log: $log)" >&2
exit 1
