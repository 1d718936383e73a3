#!/bin/bash
# pgcli: commands one by one, pgspecial's backslash commands, and the metadata it completes names with.
set -u
clients=${ENVOI_CLIENTS:-${XDG_CACHE_HOME:-$HOME/.cache}/envoi/clients}
[ -x "$clients/venv/bin/pgcli" ] || { echo 'wrong: no pgcli: run install.sh' >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export XDG_CONFIG_HOME=$folder PAGER=cat LC_ALL=C.UTF-8 COLUMNS=300
unset PGOPTIONS

has() { # what, got, part
    case "$2" in *"$3"*) ;; *) printf 'wrong: %s: no "%s" in:\n%s\n' "$1" "$3" "$2" >&2; exit 1 ;; esac
}
run() { # each argument is a command
    local commands=() each
    for each; do commands+=(-c "$each"); done
    "$clients/venv/bin/pgcli" -w --less-chatty "${commands[@]}" 2>&1
}

got=$(run "select iso3, year, remittance_usd, remit_exceeds_oda from mart.remittance_vs_oda where iso3 = 'MEX' and year = 2023")
has 'value' "$got" '| MEX'
has 'value' "$got" '66237800000.0'
has 'rows' "$got" 'SELECT 1'
has 'null' "$(run "select remit_oda_ratio from mart.remittance_vs_oda where iso3 = 'CHN' and year = 2023")" '<null>'
has '\d' "$(run '\d mart.remittance_vs_oda')" 'remittance_usd          | double precision'
has '\d of a table' "$(run '\d lake.indicator')" 'PRIMARY KEY'
has '\dt' "$(run '\dt lake.*')" 'corridor_flow'
has '\dv' "$(run '\dv mart.*')" 'remittance_vs_oda'
has '\dn' "$(run '\dn')" 'mart'
has '\l' "$(run '\l')" "$PGDATABASE"
has '\du' "$(run '\du')" "$PGUSER"
has '\df' "$(run '\df gini')" 'double precision'
has '\dT' "$(run '\dT float8')" 'double precision'
has 'error' "$(run 'select nothing')" 'column "nothing" does not exist'
has '--list' "$("$clients/venv/bin/pgcli" -w -l 2>&1)" "$PGDATABASE"
has '--ping' "$("$clients/venv/bin/pgcli" -w --ping 2>&1)" 'PONG'

# What the prompt loads in the background before it completes names.
"$clients/venv/bin/python" - <<'PYTHON' || exit 1
import os
import sys

from pgcli.completion_refresher import CompletionRefresher
from pgcli.pgexecute import PGExecute
from pgspecial.main import PGSpecial
from prompt_toolkit.document import Document

env = os.environ
db = PGExecute(env.get("PGDATABASE"), env.get("PGUSER"), env.get("PGPASSWORD") or None, env.get("PGHOST"), env.get("PGPORT"), None, application_name="pgcli")
loaded = []
refresher = CompletionRefresher()
refresher.refresh(db, PGSpecial(), loaded.append)
refresher._completer_thread.join(30)
if not loaded:
    sys.exit("wrong: no completions within 30 s")


def completed(text):
    return {c.text for c in loaded[0].get_completions(Document(text, len(text)), None)}


for text, wanted in (("select * from mart.", "remittance_vs_oda"), ("select * from lake.cor", "corridor_flow"),
                     ("select  from mart.remittance_vs_oda where remit_", "remit_exceeds_oda"), ("select * from remi", "remittance_vs_oda")):
    if wanted not in completed(text):
        sys.exit(f"wrong: {text!r} is not completed by {wanted}: {sorted(completed(text))[:20]}")
def names(found):
    return [".".join(map(str, one)) if isinstance(one, tuple) else str(one) for one in found]


if not {"lake", "mart"} <= set(db.schemata()):
    sys.exit(f"wrong: schemas {db.schemata()}")
if ("lake", "country") not in list(db.tables()) or ("mart", "remittance_vs_oda") not in list(db.views()):
    sys.exit(f"wrong: tables {names(db.tables())} or views {names(db.views())}")
if not {"lake", "mart"} & set(db.search_path()):
    sys.exit(f"wrong: search path {db.search_path()}")
if "gini" not in {f.func_name for f in db.functions()}:
    sys.exit("wrong: no function gini")
keys = {(k.childschema, k.childtable, k.childcolumn, k.parenttable, k.parentcolumn) for k in db.foreignkeys()}
if ("lake", "corridor_flow", "sender_iso3", "country", "iso3") not in keys and env.get("PGUSER") == "envoi":
    sys.exit(f"wrong: foreign keys {sorted(keys)[:20]}")
# Joins are completed from them.
join = "select * from lake.corridor_flow f join lake.country c on "
if keys and "c.iso3 = f.sender_iso3" not in completed(join):
    sys.exit(f"wrong: the join is completed by {sorted(completed(join))[:20]}")
list(db.datatypes()), list(db.databases())
PYTHON
echo 'pgcli: ok'
