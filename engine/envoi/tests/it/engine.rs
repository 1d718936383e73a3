//! Sessions: settings, views of the lake, errors, files, cancelling.

use std::time::Duration;

use envoi::{AnswerKind, Class};

use crate::lakes::{blocking, rows, sample_lake, session};

/// The error of a statement: its text, class and the text at its position.
fn error(sql: &'static str) -> (String, Class, Option<String>) {
    blocking(async move {
        let session = session(sample_lake(), &[]).await;
        let error = match session.run(sql).await {
            Err(e) => e,
            Ok(answer) => answer.collect().await.expect_err(sql),
        };
        let place =
            error.position().map(|at| sql[at..].split([' ', ',', '(', ';']).next().unwrap_or_default().to_owned());
        (error.to_string(), error.class(), place)
    })
}

/// Calls of a shared function with the same arguments read households once, others each.
#[test]
fn shared_functions_are_computed_once() {
    let read = |sql: &'static str| {
        blocking(async move {
            let session = session(sample_lake(), &[]).await;
            let mut answer = session.run(sql).await.unwrap();
            while let Some(batch) = answer.next().await {
                batch.unwrap();
            }
            answer.rows_scanned()
        })
    };
    let once = read("select survey_id from survey_summary()");
    let twice = read("select survey_id from survey_summary() union all select survey_id from survey_summary()");
    assert!(once > 5_000, "households and what they stand beside: {once}");
    assert!(twice < once + 5_000, "{once} {twice}");
    let lines = read(
        "select survey_id from survey_poverty_line('0.5 median') union all select survey_id from survey_poverty_line('0.6 median')",
    );
    let line = read("select survey_id from survey_poverty_line('0.5 median')");
    assert!(lines > line + 5_000, "{line} {lines}");
}

#[test]
fn errors_name_the_place_and_what_would_work() {
    let check = |sql: &'static str, message: &str, at: &str| {
        let (text, class, place) = error(sql);
        assert_eq!(text, message, "{sql}");
        assert_eq!(class, Class::User, "{sql}");
        assert_eq!(place.as_deref(), Some(at), "{sql}");
    };
    check(
        "select iso3, remitance_usd from remittance_vs_oda",
        "column `remitance_usd` does not exist; did you mean `remittance_usd`?",
        "remitance_usd",
    );
    check(
        "select * from remittance_vs_odaa",
        "table `remittance_vs_odaa` does not exist; did you mean `remittance_vs_oda`?",
        "remittance_vs_odaa",
    );
    check(
        "select frobnicate(1)",
        "function `frobnicate` does not exist; `envoi functions` lists the functions",
        "frobnicate",
    );
    check("select * frm observation", "syntax error: expected: end of statement, found: frm", "frm");
}

#[test]
fn a_measure_says_what_it_takes() {
    let (text, class, _) = error("select gini('a')");
    let expected = "`gini` takes numbers as `y`, not Utf8; call it as `gini(y [, w] [, corrected => true])`";
    assert_eq!((text.as_str(), class), (expected, Class::User));
}

#[test]
fn unknown_settings_are_errors() {
    for (sql, part) in [
        ("set envoi.as_off = '2023-01-01'", "did you mean `envoi.as_of`?"),
        ("set envoi.as_of = 'yesterday'", "expected YYYY-MM-DD"),
        ("set envoi.lake_version = 'x'", "expected a whole number"),
    ] {
        let (text, _, _) = error(sql);
        assert!(text.contains(part), "{sql}: {text}");
    }
}

#[test]
fn settings_are_shown() {
    blocking(async {
        let session = session(sample_lake(), &[]).await;
        let show = "show envoi.as_of";
        assert_eq!(rows(&session, show).await, [["envoi.as_of", "NULL"]]);
        rows(&session, "set envoi.as_of = '2024-01-01'").await;
        assert_eq!(rows(&session, show).await, [["envoi.as_of", "2024-01-01"]]);
        rows(&session, "set envoi.lake_version = 1").await;
        let all = rows(&session, "show all").await;
        for (name, value) in [("envoi.as_of", "2024-01-01"), ("envoi.lake_version", "1")] {
            assert!(all.contains(&vec![name.to_owned(), value.to_owned()]), "{name}");
        }
        let unknown = session.run("show envoi.as_off").await.unwrap_err();
        assert!(unknown.to_string().contains("envoi.as_off"), "{unknown}");
    });
}

#[test]
fn settings_are_of_one_session() {
    blocking(async {
        let (one, other) = (session(sample_lake(), &[]).await, session(sample_lake(), &[]).await);
        let count = "select count(*) from observation where indicator = 'BX.TRF.PWKR.CD.DT'";
        let all = rows(&one, count).await;
        rows(&one, "set envoi.as_of = '2024-01-01'").await;
        assert_eq!(rows(&one, count).await, [["0"]], "remittances are of 2025");
        assert_eq!(rows(&other, count).await, all);
        assert_eq!(rows(&one, "select count(*) > 0 from mart.remittance_vs_oda").await, [["false"]], "marts follow");
        rows(&one, "set envoi.as_of = ''").await;
        assert_eq!(rows(&one, count).await, all);
        assert!(rows(&one, "select count(*) > 0 from mart.remittance_vs_oda").await == [["true"]]);
    });
}

#[test]
fn statements_without_rows_say_what_they_did() {
    blocking(async {
        let session = session(sample_lake(), &[]).await;
        let done = |sql: &'static str| {
            let session = session.clone();
            async move { session.run(sql).await.unwrap().kind }
        };
        assert_eq!(done("create table t as select 1 as x").await, AnswerKind::Done("CREATE TABLE".to_owned()));
        assert_eq!(rows(&session, "select x from t").await, [["1"]]);
        assert_eq!(rows(&session, "select x from session.t").await, [["1"]]);
        assert_eq!(done("set envoi.as_of = '2024-01-01'").await, AnswerKind::Done("SET".to_owned()));
        assert_eq!(done("drop table t").await, AnswerKind::Done("DROP TABLE".to_owned()));
        let file = tempfile::tempdir().unwrap();
        let copy = format!("copy (select * from generate_series(1, 12)) to '{}'", file.path().join("x.csv").display());
        assert_eq!(session.run(&copy).await.unwrap().kind, AnswerKind::Done("COPY 12".to_owned()));
        rows(&session, "create table u as select 1 as x").await;
        assert_eq!(done("insert into u values (2), (3)").await, AnswerKind::Done("INSERT 0 2".to_owned()));
        let lake = session.run("create table lake.t as select 1 as x").await;
        assert!(lake.is_err(), "the lake is written by imports only");
    });
}

#[test]
fn files_are_tables() {
    blocking(async {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let session = session(sample_lake(), &[]).await;
        rows(&session, &format!("copy (select 1 as x, 'a' as y union all select 2, 'b') to '{}'", at("x.parquet")))
            .await;
        std::fs::write(at("x.csv"), "x,y\n1,a\n2,b\n").unwrap();
        std::fs::write(at("odd.txt"), "x,y\n3,c\n").unwrap();
        std::fs::write(at("x.json"), r#"[{"x": 1, "y": "a"}, {"x": 2, "y": "b"}]"#).unwrap();
        std::fs::write(at("x.ndjson"), "{\"x\": 1}\n{\"x\": 2}\n").unwrap();
        for name in ["x.parquet", "x.csv", "x.json", "x.ndjson"] {
            assert_eq!(rows(&session, &format!("select sum(x) from '{}'", at(name))).await, [["3"]], "{name}");
        }
        assert_eq!(rows(&session, &format!("select y from read_csv('{}')", at("odd.txt"))).await, [["c"]]);
        assert_eq!(rows(&session, &format!("select t.y from read_csv('{}') t", at("odd.txt"))).await, [["c"]]);
        assert_eq!(rows(&session, &format!("select count(*) from '{}'", at("*.csv"))).await, [["2"]]);
        let missing = session.run(&format!("select * from '{}'", at("none.csv"))).await.unwrap_err();
        assert!(missing.to_string().contains("does not exist"), "{missing}");
        let wrong = session.run("select * from read_csv(1)").await.unwrap_err();
        assert!(wrong.to_string().contains("takes one text"), "{wrong}");
    });
}

#[test]
fn text_of_any_dialect_is_a_table() {
    blocking(async {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let session = session(sample_lake(), &[]).await;
        let utf16: Vec<u8> = "\u{feff}name,x\nCuraçao,1\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let files: [(&str, &[u8]); 6] = [
            ("semicolon.csv", b"name;x\nCura\xc3\xa7ao;1,0\n"),
            ("utf16.csv", &utf16),
            ("windows.csv", b"name,x\nCura\xe7ao,1\n"),
            ("bom.csv", b"\xef\xbb\xbfname,x\nCura\xc3\xa7ao,1\n"),
            ("titled.csv", b"Remittances\n\nname,x\nCura\xc3\xa7ao,1\nSource: the bank\n"),
            ("commas.tsv", b"name,x\nCura\xc3\xa7ao,1\n"),
        ];
        for (name, bytes) in files {
            std::fs::write(at(name), bytes).unwrap();
            let found = rows(&session, &format!("select name, cast(x as int) from '{}'", at(name))).await;
            assert_eq!(found, [["Curaçao", "1"]], "{name}");
        }
        std::fs::write(at("binary.csv"), b"a\0\x01\x02b").unwrap();
        let refused = session.run(&format!("select * from '{}'", at("binary.csv"))).await.unwrap_err();
        assert!(refused.to_string().contains("binary.csv"), "{refused}");
    });
}

#[test]
fn a_dropped_answer_stops_the_work() {
    blocking(async {
        let session = session(sample_lake(), &[("runtime.threads", "1")]).await;
        let mut heavy = session.run("select count(*) from generate_series(1, 100000000000)").await.unwrap();
        let waited = tokio::time::timeout(Duration::from_millis(50), heavy.next()).await;
        assert!(waited.is_err(), "the query is too heavy to be done");
        drop(heavy);
        // With one thread for queries this would wait for ever behind work that goes on.
        let answer = tokio::time::timeout(Duration::from_secs(20), rows(&session, "select 1")).await;
        assert_eq!(answer.expect("the heavy query was not stopped"), [["1"]]);
    });
}

#[test]
fn names_list_what_there_is() {
    blocking(async {
        let session = session(sample_lake(), &[]).await;
        let names = session.names().await.unwrap();
        let mart = names.tables.iter().find(|t| t.schema == "mart" && t.name == "remittance_vs_oda").unwrap();
        let ratio = mart.columns.iter().find(|c| c.name == "remit_oda_ratio").unwrap();
        assert_eq!((mart.kind, ratio.unit.as_deref()), ("view", Some("ratio")));
        assert!(names.functions.iter().any(|f| f.name == "remit_oda_ratio" && !f.description.is_empty()));
        rows(&session, "create table mine as select 1 as x").await;
        let names = session.names().await.unwrap();
        assert!(names.tables.iter().any(|t| t.name == "mine"), "a new table is seen");
    });
}

#[test]
fn results_know_unit_source_and_licence() {
    blocking(async {
        let session = session(sample_lake(), &[]).await;
        let answer = session.run("select remittance_usd from remittance_vs_oda").await.unwrap();
        let metadata = answer.schema.field(0).metadata().clone();
        assert_eq!(metadata.get("unit").map(String::as_str), Some("current US dollars"));
        for key in ["source", "licence", "description"] {
            assert!(metadata.contains_key(key), "{key}: {metadata:?}");
        }
    });
}
