//! The examples in the functions' documentation give what they say.

use crate::lakes::{blocking, rows, sample_lake, session};

/// Statements of an example with the lines that follow each.
fn statements(example: &str) -> Vec<(String, Vec<String>)> {
    let mut all: Vec<(String, Vec<String>)> = Vec::new();
    let mut open = false;
    for line in example.lines().filter(|l| !l.starts_with("```")) {
        if let Some(sql) = line.strip_prefix("> ") {
            all.push((sql.to_owned(), Vec::new()));
            open = !sql.trim_end().ends_with(';');
        } else if let Some((sql, output)) = all.last_mut() {
            if open {
                sql.push(' ');
                sql.push_str(line.trim());
                open = !line.trim_end().ends_with(';');
            } else {
                output.push(line.to_owned());
            }
        }
    }
    all
}

#[test]
fn documentation_tells_the_truth() {
    let scalars = envoi_functions::all_scalars(envoi::economies);
    let aggregates = envoi_functions::all_aggregates();
    let mut all: Vec<_> = scalars.iter().map(|f| (f.name().to_owned(), f.documentation().cloned())).collect();
    all.extend(aggregates.iter().map(|f| (f.name().to_owned(), f.documentation().cloned())));
    let wrong = blocking(async move {
        let session = session(sample_lake(), &[]).await;
        let mut wrong = Vec::new();
        for (name, documentation) in all {
            let example = documentation.and_then(|d| d.sql_example).unwrap_or_default();
            let statements = statements(&example);
            if statements.is_empty() {
                wrong.push(format!("{name}: no statement in its example"));
            }
            for (sql, should) in statements {
                let is: Vec<String> = rows(&session, &sql).await.iter().map(|r| r.join(", ")).collect();
                if is != should {
                    wrong.push(format!("{name}: {sql}\n    is     {is:?}\n    should {should:?}"));
                }
            }
        }
        wrong
    });
    assert!(wrong.is_empty(), "{} examples are wrong:\n  {}", wrong.len(), wrong.join("\n  "));
}
