//! Cursors of SQL.

use crate::client::{Client, kinds};
use crate::server::usual;

#[test]
fn forward() {
    let mut c = Client::connect(usual().address);
    assert_eq!(c.error("declare c cursor for select 1").0, "25P01");
    c.simple("begin");
    assert_eq!(c.tags("declare c cursor for select value from generate_series(1, 5) as t(value)"), ["DECLARE CURSOR"]);
    assert_eq!(c.rows("fetch 2 from c"), [["1"], ["2"]]);
    assert_eq!(c.tags("move 1 from c"), ["MOVE 1"]);
    assert_eq!(c.rows("fetch next c"), [["4"]]);
    assert_eq!(c.rows("fetch all in c"), [["5"]]);
    let all = c.simple("fetch c");
    assert_eq!((kinds(&all).as_str(), all[1].body.as_slice()), ("TCZ", &b"FETCH 0\0"[..]));
    assert_eq!(c.error("fetch backward 1 from c").0, "55000");
    c.simple("rollback; begin; declare c cursor for select 1");
    assert_eq!(c.error("declare c cursor for select 1").0, "42P03");
    c.simple("rollback");
    assert_eq!(c.error("fetch c").0, "34000");
}

#[test]
fn held_after_the_transaction() {
    let mut c = Client::connect(usual().address);
    c.simple("begin; declare h cursor with hold for select value from generate_series(1, 3) as t(value); commit");
    assert_eq!(c.rows("fetch 1 from h"), [["1"]]);
    assert_eq!(c.rows("fetch all from h"), [["2"], ["3"]]);
    assert_eq!(c.tags("close h"), ["CLOSE CURSOR"]);
    assert_eq!(c.error("close h").0, "34000");
    // One that was declared in a transaction which was taken back is not there.
    c.simple("begin; declare h cursor with hold for select 1; rollback");
    assert_eq!(c.error("fetch h").0, "34000");
    c.simple("declare a cursor with hold for select 1; close all");
    assert_eq!(c.error("fetch a").0, "34000");
}

#[test]
fn both_ways() {
    let mut c = Client::connect(usual().address);
    c.simple("begin; declare s scroll cursor for select value from generate_series(1, 4) as t(value)");
    assert_eq!(c.rows("fetch last from s"), [["4"]]);
    assert_eq!(c.rows("fetch backward 2 from s"), [["3"], ["2"]]);
    assert_eq!(c.rows("fetch absolute 1 from s"), [["1"]]);
    assert_eq!(c.rows("fetch relative 2 from s"), [["3"]]);
    assert_eq!(c.tags("move backward all in s"), ["MOVE 2"]);
    assert_eq!(c.rows("fetch all from s"), [["1"], ["2"], ["3"], ["4"]]);
    c.simple("commit");
}

#[test]
fn binary() {
    let mut c = Client::connect(usual().address);
    c.simple("begin; declare b binary cursor for select cast(7 as int)");
    let all = c.simple("fetch b");
    assert_eq!(all[1].row(), [Some(7_i32.to_be_bytes().to_vec())]);
    c.simple("commit");
}
