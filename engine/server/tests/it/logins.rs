//! Who comes in: SCRAM, and encryption.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use envoi_server::{Users, Verifier};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::client::{Client, Message, message, startup};
use crate::server::{Server, Setup};

fn server() -> Server {
    Server::start(Setup { users: Some(users("")), ..Setup::default() })
}

/// Anna, and what is said of her.
fn users(of_anna: &str) -> Arc<Users> {
    use std::io::Write;

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("users.toml");
    Users::add(&file, "anna", &Verifier::of("a secret").unwrap()).unwrap();
    let mut open = std::fs::OpenOptions::new().append(true).open(&file).unwrap();
    open.write_all(of_anna.as_bytes()).unwrap();
    Arc::new(Users::load(&file).unwrap())
}

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

/// Logs in as RFC 7677 says; the error if the server has one.
fn login(server: &Server, user: &str, password: &str) -> Result<Client, Message> {
    let mut c = Client::silent(server.address);
    c.send(&startup(&[("user", user)]));
    let asked = c.next().unwrap();
    assert_eq!((asked.kind, &asked.body[..4]), ('R', &10_i32.to_be_bytes()[..]));
    assert!(asked.body[4..].starts_with(b"SCRAM-SHA-256\0"));
    let bare = "n=,r=clientnonce";
    let first = format!("n,,{bare}");
    let mut body = b"SCRAM-SHA-256\0".to_vec();
    body.extend((first.len() as i32).to_be_bytes());
    body.extend(first.bytes());
    c.send(&message(b'p', &body));
    let challenge = c.next().unwrap();
    assert_eq!((challenge.kind, &challenge.body[..4]), ('R', &11_i32.to_be_bytes()[..]));
    let challenge = String::from_utf8(challenge.body[4..].to_vec()).unwrap();
    let part = |name: &str| challenge.split(',').find_map(|p| p.strip_prefix(name)).unwrap().to_owned();
    let salt = BASE64.decode(part("s=")).unwrap();
    let rounds: u32 = part("i=").parse().unwrap();
    let mut block = mac(password.as_bytes(), &[salt.as_slice(), &[0, 0, 0, 1]].concat());
    let mut salted = block.clone();
    for _ in 1..rounds {
        block = mac(password.as_bytes(), &block);
        salted.iter_mut().zip(&block).for_each(|(s, b)| *s ^= b);
    }
    let client_key = mac(&salted, b"Client Key");
    let stored = Sha256::digest(&client_key);
    let last = format!("c=biws,r={}", part("r="));
    let signed = mac(&stored, format!("{bare},{challenge},{last}").as_bytes());
    let proof: Vec<u8> = client_key.iter().zip(&signed).map(|(k, s)| k ^ s).collect();
    c.send(&message(b'p', format!("{last},p={}", BASE64.encode(proof)).as_bytes()));
    c.begun()?;
    Ok(c)
}

#[test]
fn passwords() {
    let server = server();
    let mut c = login(&server, "anna", "a secret").unwrap();
    assert_eq!(c.value("select current_user"), "anna");
    // A wrong password and an unknown user are told the same.
    let wrong = login(&server, "anna", "a guess").err().unwrap();
    let unknown = login(&server, "nobody", "a secret").err().unwrap();
    for (error, user) in [(&wrong, "anna"), (&unknown, "nobody")] {
        assert_eq!(error.field(b'S').as_deref(), Some("FATAL"));
        assert_eq!(error.field(b'C').as_deref(), Some("28P01"));
        assert_eq!(error.field(b'M'), Some(format!("password authentication failed for user \"{user}\"")));
    }
    // Nobody is let in who does not prove it.
    let mut c = Client::silent(server.address);
    c.send(&startup(&[("user", "anna")]));
    c.next();
    c.send(&message(b'Q', b"select 1\0"));
    assert_eq!(c.next().unwrap().field(b'C').as_deref(), Some("08P01"));
    assert!(c.next().is_none());
}

#[test]
fn bytes_behind_a_request_to_encrypt_are_not_taken() {
    let server = server();
    let mut c = Client::silent(server.address);
    let mut bytes = vec![0, 0, 0, 8, 4, 210, 22, 47];
    bytes.extend(startup(&[("user", "anna")]));
    c.send(&bytes);
    assert!(c.next().is_none());
}

#[test]
fn others_are_not_served_without_users_and_encryption() {
    let error = bound(([0, 0, 0, 0], 0), None);
    assert!(error.contains("--tls-cert") && error.contains("envoi user add"), "{error}");
}

#[test]
fn users_see_what_is_granted() {
    let grants = r#"
schemas = ["mart"]
tables = ["lake.observation"]
deny_columns = ["lake.observation.vintage", "mart.remittance_vs_oda.oda_usd"]
row_filter = { "lake.observation" = "iso3 = 'MEX'" }
"#;
    let server = Server::start(Setup { users: Some(users(grants)), ..Setup::default() });
    let mut c = login(&server, "anna", "a secret").unwrap();
    assert_eq!(c.rows("select distinct iso3 from observation"), [["MEX"]]);
    // Below a mart too.
    assert_eq!(c.rows("select distinct iso3 from remittance_vs_oda"), [["MEX"]]);
    for sql in ["select * from lake.country", "select * from country", "select * from lake.household"] {
        assert_eq!(c.error(sql).0, "42501", "{sql}");
    }
    assert_eq!(c.error("select oda_usd from remittance_vs_oda").0, "42703");
    assert_eq!(c.error("select vintage from observation").0, "42703");
    let listed = "select relname from pg_class c join pg_namespace n on n.oid = relnamespace where nspname = 'lake' and relkind in ('r', 'v')";
    assert_eq!(c.rows(listed), [["observation"]]);
    let columns = "select count(*) from information_schema.columns where table_name = 'observation' and column_name in ('iso3', 'vintage')";
    assert_eq!(c.value(columns), "1");
    // How many rows there are is not told by what is said of the table.
    let rows: f64 = c.value("select reltuples from pg_class where relname = 'observation'").parse().unwrap();
    assert!(rows <= 0.0, "{rows}");
    // Prepared, in a cursor, in a copy: all of it is one way in.
    c.parse("s", "select count(*) from lake.country", &[]);
    let refused = c.sync();
    assert!(refused.iter().any(|m| m.kind == 'E' && m.field(b'C').as_deref() == Some("42501")), "{refused:?}");
    assert_eq!(c.error("copy (select * from lake.country) to stdout").0, "42501");
    assert_eq!(c.error("begin; declare k cursor for select * from lake.country").0, "42501");
}

#[test]
fn grants_that_cannot_be_kept_stop_the_server() {
    let said = bound(([127, 0, 0, 1], 0), Some(users("deny_columns = [\"lake.observation.vintag\"]\n")));
    assert!(said.contains("user `anna`") && said.contains("`lake.observation.vintag` does not exist"), "{said}");
}

/// Why a server with these users does not start there.
fn bound(address: ([u8; 4], u16), users: Option<Arc<Users>>) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().display().to_string();
    let bound = runtime.block_on(async {
        let flags = vec![("lake.url", lake, "--lake")];
        let config = envoi::Config::load(Some(std::path::Path::new("/dev/null")), std::iter::empty(), flags).unwrap();
        let factory = envoi::open(&config).await.unwrap();
        let options = envoi_server::PgOptions {
            database: "envoi".to_owned(),
            users,
            tls: None,
            limits: envoi_server::Limits::default(),
            log: None,
        };
        envoi_server::PgServer::bind(address.into(), factory, options).await
    });
    bound.err().unwrap().to_string()
}
