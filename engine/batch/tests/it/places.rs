//! Where things stand: folders of projects, paths of exports.

use envoi_batch::Sources;

use crate::support::{World, blocking};

#[test]
fn values_that_are_no_names_of_files() {
    blocking(async {
        let mut world = World::new();
        let target = tempfile::tempdir().unwrap();
        world.file("a.sql", "select * from (values ('x/y', 1), ('x=y z', 2), (NULL, 3), ('null', 4), ('%2F', 5), ('..', 6)) as t (k, n)");
        let toml = format!(
            "partition_by = [\"k\"]\n[[export]]\ntarget = {:?}\nformat = \"csv\"\npartitioned = true\n",
            target.path()
        );
        world.file("a.toml", &toml);
        world.ran().await;
        let mut found: Vec<(String, String)> = std::fs::read_dir(target.path().join("a"))
            .unwrap()
            .map(|e| {
                let path = e.unwrap().path();
                let text = std::fs::read_to_string(path.join("a.csv")).unwrap();
                (path.file_name().unwrap().to_string_lossy().into_owned(), text)
            })
            .collect();
        found.sort();
        let expected = [
            ("k=%252F", "%2F,5"),
            ("k=..", "..,6"),
            ("k=__HIVE_DEFAULT_PARTITION__", "NULL,3"),
            ("k=null", "null,4"),
            ("k=x%2Fy", "x/y,1"),
            ("k=x%3Dy%20z", "x=y z,2"),
        ];
        let expected = expected.map(|(name, row)| (name.to_owned(), format!("csv\n{row}\n")));
        assert_eq!(found, expected);
        // Nothing changed, nothing is written; what goes is taken away.
        let before = std::fs::metadata(target.path().join("a/k=x%2Fy/a.csv")).unwrap().modified().unwrap();
        world.ran().await;
        let after = std::fs::metadata(target.path().join("a/k=x%2Fy/a.csv")).unwrap().modified().unwrap();
        assert_eq!(before, after);
        world.file("a.sql", "select 'x/y' as k, 1 as n");
        world.ran().await;
        let left: Vec<bool> =
            ["k=x%2Fy", "k=x%3Dy%20z"].iter().map(|k| target.path().join("a").join(k).join("a.csv").exists()).collect();
        assert_eq!(left, [true, false]);
        assert_eq!(world.rows("select k from a").await, ["x/y"]);
    });
}

#[cfg(unix)]
#[test]
fn folders_that_lead_back_to_themselves() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("models/in")).unwrap();
    std::fs::write(folder.path().join("models/in/a.sql"), "select 1 as x").unwrap();
    std::os::unix::fs::symlink("..", folder.path().join("models/in/up")).unwrap();
    let problem = Sources::folder(&folder.path().join("models")).unwrap_err().to_string();
    assert!(problem.starts_with("in/up: is a link to `") && problem.contains("a folder that it is in"), "{problem}");
    // Links that lead elsewhere are followed.
    std::fs::remove_file(folder.path().join("models/in/up")).unwrap();
    std::fs::create_dir(folder.path().join("shared")).unwrap();
    std::fs::write(folder.path().join("shared/b.sql"), "select 1 as x").unwrap();
    std::os::unix::fs::symlink("../../shared", folder.path().join("models/in/more")).unwrap();
    let sources = Sources::folder(&folder.path().join("models")).unwrap();
    assert_eq!(sources.files.keys().collect::<Vec<_>>(), ["in/a.sql", "in/more/b.sql"]);
    // What is no file is none.
    let fifo = std::process::Command::new("mkfifo").arg(folder.path().join("models/pipe.sql")).status().unwrap();
    assert!(fifo.success());
    let problem = Sources::folder(&folder.path().join("models")).unwrap_err().to_string();
    assert_eq!(problem, "pipe.sql: is no file");
    assert!(Sources::folder(&folder.path().join("none")).unwrap_err().to_string().contains("cannot be read"));
}
