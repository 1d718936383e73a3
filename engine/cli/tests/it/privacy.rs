//! The owner at the command line is told what of households a result has, on stderr.

use std::path::Path;

use crate::run;

#[test]
fn the_owner_is_told_of_households_unless_quiet() {
    let folder = tempfile::tempdir().unwrap();
    let survey = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets/fixtures/survey");
    let (mapping, survey) = (survey.join("ton_example_2015.toml").display().to_string(), survey.display().to_string());
    let lake = folder.path().join("lake").display().to_string();
    let (code, _, err) =
        run::envoi(folder.path(), &["--lake", &lake, "source", "import", "--mapping", &mapping, &survey], "");
    assert_eq!(code, 0, "{err}");
    let sql = |flags: &[&str], text: &str| {
        let arguments = [&["--lake", &lake], flags, &["sql", "--format", "csv", "-c", text]].concat();
        let (code, out, err) = run::envoi(folder.path(), &arguments, "");
        assert_eq!(code, 0, "{text}: {err}");
        (out, err)
    };
    let rows = "note: the result has rows of single households; they are microdata, not to be passed on\n";
    let cells = "note: cells of fewer than 10 households are shown; they are not to be passed on\n";
    let first = "select household_id from household order by household_id limit 1";
    assert_eq!(sql(&[], first), ("household_id\n1\n".to_owned(), rows.to_owned()));
    assert_eq!(sql(&["-q"], first).1, "");
    assert_eq!(sql(&[], "select count(*) as n from household"), ("n\n5\n".to_owned(), cells.to_owned()));
    assert_eq!(sql(&[], "select count(*) > 0 as ok from country").1, "");
}
