//! `pg_authid`, `pg_roles` and `pg_user`. None of them shows a password, and no role is a superuser: there is none.

use super::super::batch::Rows;
use super::super::cell::Cell;
use super::super::snapshot::{Role, Snapshot};

/// What PostgreSQL shows of every password.
const HIDDEN: &str = "********";

pub(super) fn authid(snapshot: &Snapshot, rows: &mut Rows<'_>) {
    for role in &snapshot.roles {
        rows.push(common(role));
    }
}

pub(super) fn roles(snapshot: &Snapshot, rows: &mut Rows<'_>) {
    for role in &snapshot.roles {
        let denied = ["rolsuper", "rolcreaterole", "rolcreatedb", "rolreplication", "rolbypassrls"];
        let denied = denied.map(|name| (name, Cell::Bool(false)));
        rows.push(common(role).into_iter().chain([("rolpassword", HIDDEN.into())]).chain(denied));
    }
}

pub(super) fn users(snapshot: &Snapshot, rows: &mut Rows<'_>) {
    for role in snapshot.roles.iter().filter(|r| !r.predefined) {
        rows.push([
            ("usename", (&role.name).into()),
            ("usesysid", role.oid.into()),
            ("usecreatedb", false.into()),
            ("usesuper", false.into()),
            ("userepl", false.into()),
            ("usebypassrls", false.into()),
            ("passwd", HIDDEN.into()),
        ]);
    }
}

fn common(role: &Role) -> [(&'static str, Cell); 5] {
    [
        ("oid", role.oid.into()),
        ("rolname", (&role.name).into()),
        ("rolinherit", true.into()),
        ("rolcanlogin", (!role.predefined).into()),
        ("rolconnlimit", (-1).into()),
    ]
}
