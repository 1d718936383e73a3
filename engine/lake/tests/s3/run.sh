#!/usr/bin/env bash
# Lakes on an S3 server of this machine (moto), with faults between: publishing, two publishers,
# leases, gc. Builds the lake alone, in a target folder of its own: the feature `s3` of
# object_store in the workspace's would build DataFusion anew.
set -euo pipefail
cd "$(dirname "$0")/../../../.."

work=$(mktemp -d)
server=
finish() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT

left_out() {
    cat "$work"/*.txt >&2 || true
    printf '\n*** NOT TESTED: %s, so lakes on S3 were left out ***\n\n' "$1" >&2
    exit 0
}

python3 -m venv "$work/python" >"$work/pip.txt" 2>&1 || left_out "python3 makes no venv"
"$work/python/bin/pip" install --quiet 'moto[s3,server]==5.*' >>"$work/pip.txt" 2>&1 || left_out "moto could not be installed"
port=$("$work/python/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$work/python/bin/python" -m moto.server -H 127.0.0.1 -p "$port" >"$work/moto.txt" 2>&1 &
server=$!
for _ in $(seq 100); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
        break
    fi
    kill -0 "$server" 2>/dev/null || left_out "moto did not start"
    sleep 0.1
done

export ENVOI_TEST_S3="127.0.0.1:$port"
export CARGO_TARGET_DIR="${ENVOI_S3_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/envoi/target-s3}"
cargo test -p envoi-lake --features s3 --test s3 -- --test-threads 2
