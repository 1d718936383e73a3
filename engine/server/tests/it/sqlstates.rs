//! Statements that are wrong: the SQLSTATE and the place, which are PostgreSQL's but where the list says why not.

use std::path::Path;

use crate::client::Client;
use crate::server::usual;

#[test]
fn wrong_statements_have_the_sqlstates_of_postgresql() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/sqlstates.txt");
    let text = std::fs::read_to_string(file).unwrap();
    let (mut wrong, mut same, mut differing) = (Vec::new(), 0, 0);
    let mut c = Client::connect(usual().address);
    for line in text.lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
        let fields: Vec<&str> = line.split('\t').collect();
        let (wanted, sql) = match fields.as_slice() {
            [state, place, sql] => {
                same += 1;
                ((*state, *place), *sql)
            }
            [state, place, sql, _, _, reason] if !reason.is_empty() => {
                differing += 1;
                ((*state, *place), *sql)
            }
            _ => panic!("a line of three or six fields is wanted: {line}"),
        };
        let all = c.simple(sql);
        let error = all.iter().find(|m| m.kind == 'E');
        let state = error.map_or("00000".to_owned(), |e| e.field(b'C').unwrap());
        let place = error.and_then(|e| e.field(b'P')).unwrap_or("-".to_owned());
        if (state.as_str(), place.as_str()) != wanted {
            let what = error.and_then(|e| e.field(b'M')).unwrap_or_default();
            wrong.push(format!("{state} {place}, not {} {}: {sql}: {what}", wanted.0, wanted.1));
        }
        c.simple("rollback; deallocate all");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(same > 100 && differing < same, "{same} the same, {differing} not");
}
