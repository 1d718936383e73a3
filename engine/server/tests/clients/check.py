"""Where the server is, and how a script says that a value is wrong."""

import os
import sys

HOST = os.environ.get("PGHOST", "127.0.0.1")
PORT = int(os.environ.get("PGPORT", "5432"))
USER = os.environ.get("PGUSER", "envoi_reader")
PASSWORD = os.environ.get("PGPASSWORD") or None  # none: the server trusts the loopback
DATABASE = os.environ.get("PGDATABASE", "envoi")

# A statement that runs until it is stopped, on any engine that joins row by row.
ENDLESS = (
    "select count(*) from generate_series(1, 1000000) as a(n), generate_series(1, 1000000) as b(n) where a.n % b.n = -1"
)
# Years with a value for Mexico; remittances of 2023.
MEXICO_YEARS = [2000, 2005, 2010, 2015, 2019, 2020, 2021, 2022, 2023]
MEXICO_2023 = 66237800000.0
READ_ONLY = ("25006", "42501")  # read_only_sql_transaction, insufficient_privilege


def url(driver):
    secret = f":{PASSWORD}" if PASSWORD else ""
    return f"{driver}://{USER}{secret}@{HOST}:{PORT}/{DATABASE}"


def fail(what):
    print(f"wrong: {what}", file=sys.stderr)
    sys.exit(1)


def same(what, got, want):
    """Equal, and of the same type: 1, 1.0, True and Decimal(1) differ."""
    if type(got) is not type(want) or got != want:
        fail(f"{what}: {got!r} ({type(got).__name__}), not {want!r} ({type(want).__name__})")
    if isinstance(want, (list, tuple)):
        for i, (one, other) in enumerate(zip(got, want)):
            same(f"{what}, item {i}", one, other)


def true(what, holds, seen=""):
    if not holds:
        fail(f"{what} {seen!r}" if seen != "" else what)


def raises(what, kind, call, code=None, state=lambda e: getattr(e, "sqlstate", None)):
    """The call fails with this class of error and, where given, one of these SQLSTATEs."""
    try:
        got = call()
    except kind as error:
        codes = (code,) if isinstance(code, str) else code
        if codes and state(error) not in codes:
            fail(f"{what}: SQLSTATE {state(error)}, not {' or '.join(codes)}: {error}")
        return error
    fail(f"{what}: no error, but {got!r}")
