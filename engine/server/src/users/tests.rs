//! Users files, right and wrong, and changes to them.

use std::fs;
use std::path::PathBuf;

use super::*;

const KEYS: &str = "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

fn verifier(iterations: u32) -> Verifier {
    format!("SCRAM-SHA-256${iterations}:W22ZaJ0SNY7soEsUEjb6gQ==${KEYS}").parse().unwrap()
}

/// A folder with a private users file.
struct Fixture {
    folder: tempfile::TempDir,
    path: PathBuf,
}

impl Fixture {
    fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { path: folder.path().join("users.toml"), folder }
    }

    /// `V` in the text stands for a verifier.
    fn new(text: &str) -> Self {
        let fixture = Self::empty();
        fs::write(&fixture.path, filled(text)).unwrap();
        fixture.mode(0o600);
        fixture
    }

    fn mode(&self, mode: u32) {
        #[cfg(unix)]
        fs::set_permissions(&self.path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.path).unwrap()
    }

    fn files(&self) -> usize {
        fs::read_dir(self.folder.path()).unwrap().count()
    }

    fn error(&self) -> String {
        Users::load(&self.path).unwrap_err().to_string()
    }
}

fn filled(text: &str) -> String {
    text.replace("\"V\"", &format!("\"{}\"", verifier(4096)))
}

#[test]
fn all_keys() {
    let file = Fixture::new(
        r#"
[user.anna]
verifier = "V"
schemas = ["mart"]
tables = ["mart.remittance_vs_oda", "lake.country"]
deny_columns = ["lake.household.consumption"]
row_filter = { "lake.observation" = "iso3 = 'MEX'" }
min_households = 20
max_share = 0.25
order_factor = 4
near_same_queries = 0
cells = 0x10
failures = 1_000
operator = true

[user."b.c-d"]
verifier = "V"
max_share = 1
schemas = []
"#,
    );
    let users = Users::load(&file.path).unwrap();
    let anna = users.find("anna").unwrap();
    assert_eq!(anna.verifier, verifier(4096));
    assert_eq!(anna.schemas.as_deref(), Some(&["mart".to_owned()][..]));
    assert_eq!(anna.tables.as_ref().map(Vec::len), Some(2));
    assert_eq!(anna.deny_columns, ["lake.household.consumption"]);
    assert_eq!(anna.row_filter.get("lake.observation").unwrap(), "iso3 = 'MEX'");
    let rules = DisclosureRules {
        min_households: 20,
        max_share: 0.25,
        order_factor: 4,
        near_same_queries: 0,
        cells: 16,
        failures: 1_000,
    };
    assert!(anna.rules == rules && anna.operator);
    let other = users.find("b.c-d").unwrap();
    assert_eq!((other.schemas.as_deref(), other.tables.as_deref()), (Some(&[][..]), None));
    assert!(other.rules == DisclosureRules { max_share: 1.0, ..DisclosureRules::default() } && !other.operator);
    assert!(users.find("Anna").is_none() && users.iter().count() == 2 && users.path() == file.path);
    assert!(Users::load(&Fixture::new("# nobody\n").path).unwrap().is_empty());
}

#[test]
fn errors_name_the_line_the_user_and_the_key() {
    for (text, line, part) in [
        ("users = 1", 1, "unknown key `users`; expected sections `[user.NAME]`"),
        ("user = 1", 1, "`user` is not a table"),
        ("[user]\nanna = 1", 2, "user `anna` is not a table"),
        ("[user.anna]\nschemas = []", 1, "user `anna` has no `verifier`; `envoi user add anna` sets it"),
        ("[user.\"a b\"]\nverifier = \"V\"", 1, "`a b` cannot be a user's name"),
        (
            "[user.a]\nverifier = \"V\"\n\nschema = [\"mart\"]",
            4,
            "user `a`: unknown key `schema`; expected one of verifier, schemas",
        ),
        ("[user.a]\nverifier = \"V\"\n[user.a.b]\nverifier = \"V\"", 3, "user `a`: unknown key `b`"),
        (
            "\n[user.a]\nverifier = \"md5abc\"",
            3,
            "user `a`: `verifier`: not a SCRAM-SHA-256 verifier: it does not begin",
        ),
        ("[user.a]\nverifier = 1", 2, "user `a`: `verifier` is not a string"),
        ("[user.a]\nverifier = \"V\"\nschemas = \"mart\"", 3, "`schemas` is \"mart\", expected a list"),
        (
            "[user.a]\nverifier = \"V\"\nschemas = [\n\"mart\",\n\"a.b\"]",
            5,
            "`schemas` is \"a.b\", expected a list of names",
        ),
        ("[user.a]\nverifier = \"V\"\ntables = [\"mart\"]", 3, "each as \"schema.table\""),
        ("[user.a]\nverifier = \"V\"\ndeny_columns = [\"a.b. c\"]", 3, "each as \"schema.table.column\""),
        ("[user.a]\nverifier = \"V\"\nrow_filter = { \"a.b\" = \" \" }", 3, "`row_filter.\"a.b\"` is \" \""),
        ("[user.a]\nverifier = \"V\"\nrow_filter.b = \"true\"", 3, "conditions by \"schema.table\""),
        (
            "[user.a]\nverifier = \"V\"\nmin_households = 1",
            3,
            "`min_households` is 1, expected a whole number, 2 or more",
        ),
        ("[user.a]\nverifier = \"V\"\nfailures = -1", 3, "`failures` is -1, expected a whole number, 0 or more"),
        ("[user.a]\nverifier = \"V\"\nfailures = 4294967296", 3, "`failures` is 4294967296"),
        ("[user.a]\nverifier = \"V\"\nmax_share = nan", 3, "`max_share` is nan, expected a number above 0, up to 1"),
        ("[user.a]\nverifier = \"V\"\nmax_share = 50", 3, "`max_share` is 50"),
        ("[user.a]\nverifier = \"V\"\noperator = \"yes\"", 3, "`operator` is \"yes\", expected true or false"),
        ("[user.a]\nverifier = \"V\"\n[user.a]\nverifier = \"V\"", 3, "duplicate"),
        ("[user.a\nverifier", 1, ""),
    ] {
        let file = Fixture::new(text);
        let error = file.error();
        let place = format!("users file `{}`, line {line}: ", file.path.display());
        assert!(error.starts_with(&place) && error.contains(part), "{text}\n{error}");
    }
    let file = Fixture::empty();
    assert_eq!(file.error(), format!("no users file at `{}`; `envoi user add NAME` makes one", file.path.display()));
    fs::write(&file.path, b"# a\n# \xff").unwrap();
    file.mode(0o600);
    assert!(file.error().contains("line 2: bytes that are not UTF-8"));
}

#[cfg(unix)]
#[test]
fn others_may_not_read_the_file() {
    let file = Fixture::new("");
    for mode in [0o640, 0o604, 0o620, 0o677] {
        file.mode(mode);
        assert!(file.error().contains(&format!("mode {mode:03o}")) && file.error().contains("run `chmod 600 "));
        assert!(Users::add(&file.path, "anna", &verifier(1)).is_err());
    }
    for mode in [0o600, 0o400] {
        file.mode(mode);
        assert!(Users::load(&file.path).is_ok());
    }
}

#[test]
fn users_are_added_to_no_file() {
    let file = Fixture::empty();
    assert!(Users::add(&file.path, "anna", &verifier(1)).unwrap());
    assert_eq!(file.text(), format!("[user.anna]\nverifier = \"{}\"\n", verifier(1)));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&file.path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert!(Users::add(&file.path, "b.c", &verifier(2)).unwrap());
    assert!(!Users::add(&file.path, "anna", &verifier(3)).unwrap());
    let users = Users::load(&file.path).unwrap();
    assert_eq!(users.find("anna").unwrap().verifier, verifier(3));
    assert_eq!(users.find("b.c").unwrap().verifier, verifier(2));
    assert_eq!(file.files(), 1, "nothing is left beside it");
}

/// With what a change by lines would trip over.
const ODD: &str = r#"# kept: users of the office

[user.anna] # first
schemas = [
  "mart",
]
verifier   =   "V"   # changed in May

[user.anna.row_filter]
"lake.observation" = '''
[user.bob]
verifier = 1'''

# about bob
[user.bob]
verifier = "V"
"#;

#[test]
fn everything_else_stays() {
    let file = Fixture::new(ODD);
    assert!(!Users::add(&file.path, "anna", &verifier(9)).unwrap());
    let expected = filled(ODD).replacen(&verifier(4096).to_string(), &verifier(9).to_string(), 1);
    assert_eq!(file.text(), expected);
    assert!(Users::add(&file.path, "carl", &verifier(1)).unwrap());
    assert_eq!(file.text(), format!("{expected}\n[user.carl]\nverifier = \"{}\"\n", verifier(1)));

    Users::remove(&file.path, "carl").unwrap();
    Users::remove(&file.path, "anna").unwrap();
    let bob = filled("# about bob\n[user.bob]\nverifier = \"V\"\n\n");
    assert_eq!(file.text(), format!("# kept: users of the office\n\n{bob}"));
    Users::remove(&file.path, "bob").unwrap();
    assert_eq!(file.text(), "# kept: users of the office\n\n# about bob\n");
}

#[test]
fn sections_without_a_verifier_get_one() {
    let file = Fixture::new("[user.anna]\noperator = true\n[user.bob]");
    let text = file.text();
    assert!(Users::add(&file.path, "bob", &verifier(1)).is_err(), "anna's is still missing");
    assert_eq!(file.text(), text);
    let file = Fixture::new("[user.bob]");
    assert!(!Users::add(&file.path, "bob", &verifier(1)).unwrap());
    assert_eq!(file.text(), format!("[user.bob]\nverifier = \"{}\"\n", verifier(1)));
    let file = Fixture::new("[user.bob]\nverifier = \"md5\"");
    assert!(!Users::add(&file.path, "bob", &verifier(1)).unwrap() && Users::load(&file.path).is_ok());
}

#[test]
fn what_cannot_be_changed_is_left_alone() {
    let text = "user = { anna = { verifier = \"V\" } }\n";
    let file = Fixture::new(text);
    assert!(Users::add(&file.path, "bob", &verifier(1)).is_err(), "the table is closed");
    let error = Users::remove(&file.path, "anna").unwrap_err().to_string();
    assert!(error.contains("not written as a section `[user.anna]`") && error.contains("by hand"), "{error}");
    assert!(Users::remove(&file.path, "bob").unwrap_err().to_string().contains("no user `bob`"));
    assert_eq!(file.text(), filled(text));
    assert!(!Users::add(&file.path, "anna", &verifier(5)).unwrap(), "a verifier is found wherever it is");
    assert_eq!(Users::load(&file.path).unwrap().find("anna").unwrap().verifier, verifier(5));
    assert!(matches!(Users::remove(Fixture::empty().path, "a"), Err(UsersError::Missing { .. })));
    let nowhere = Fixture::empty().folder.path().join("no/users.toml");
    assert!(matches!(Users::add(nowhere, "a", &verifier(1)), Err(UsersError::Io { .. })));
    assert_eq!(file.files(), 1);
}

#[test]
fn a_folder_is_no_users_file() {
    let error = Users::load(Fixture::empty().folder.path().join(".")).unwrap_err().to_string();
    assert!(error.starts_with("cannot read `") && !error.contains("chmod"), "{error}");
}

#[test]
fn names() {
    let longest = "a".repeat(63);
    for name in ["a", "_", "Anna", "a.b-c_d9", &longest] {
        assert!(check_name(name).is_ok(), "{name}");
    }
    let longer = "a".repeat(64);
    for name in ["", "9a", ".a", "-a", "a b", "é", "a\n", "a]", "a\"", &longer] {
        let file = Fixture::empty();
        assert!(matches!(Users::add(&file.path, name, &verifier(1)), Err(UsersError::Name { .. })), "{name}");
        assert_eq!(file.files(), 0);
    }
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link() {
    let file = Fixture::new("");
    let link = file.folder.path().join("link.toml");
    std::os::unix::fs::symlink(&file.path, &link).unwrap();
    Users::add(&link, "anna", &verifier(1)).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(Users::load(&file.path).unwrap().find("anna").is_some());
}

#[test]
fn changes_at_one_time_are_all_made() {
    let file = Fixture::empty();
    std::thread::scope(|scope| {
        for n in 0..8 {
            let path = &file.path;
            scope.spawn(move || Users::add(path, &format!("user{n}"), &verifier(n + 1)).unwrap());
        }
    });
    assert_eq!(Users::load(&file.path).unwrap().iter().count(), 8);
}
