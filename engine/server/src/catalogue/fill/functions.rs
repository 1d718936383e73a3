//! Functions of the engine in `pg_proc`; those of PostgreSQL are built in.

use super::super::batch::Rows;
use super::super::cell::Cell;
use super::super::snapshot::{FUNCTIONS, OWNER, Snapshot};

pub(super) fn procedures(snapshot: &Snapshot, rows: &mut Rows<'_>) {
    /// Of functions that are part of the program.
    const INTERNAL: u32 = 12;
    let Some(namespace) = snapshot.namespaces.get(FUNCTIONS) else { return };
    for function in snapshot.functions.values() {
        let arguments = function.arguments.iter().map(|oid| Cell::from(*oid)).collect();
        rows.push([
            ("oid", function.oid.into()),
            ("proname", (&function.name).into()),
            ("pronamespace", (*namespace).into()),
            ("proowner", OWNER.into()),
            ("prolang", INTERNAL.into()),
            ("procost", 1.0.into()),
            ("prorows", 0.0.into()),
            ("provariadic", 0_u32.into()),
            ("prosupport", "-".into()),
            ("prokind", (&function.kind).into()),
            ("prosecdef", false.into()),
            ("proleakproof", false.into()),
            ("proisstrict", false.into()),
            ("proretset", false.into()),
            ("provolatile", "i".into()),
            ("proparallel", "s".into()),
            ("pronargs", i16::try_from(function.arguments.len()).unwrap_or(i16::MAX).into()),
            ("pronargdefaults", 0_i16.into()),
            ("prorettype", function.returns.into()),
            ("proargtypes", Cell::List(arguments)),
            ("prosrc", (&function.name).into()),
        ]);
    }
}
