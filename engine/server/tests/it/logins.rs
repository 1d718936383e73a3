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
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("users.toml");
    Users::add(&file, "anna", &Verifier::of("a secret").unwrap()).unwrap();
    let users = Some(Arc::new(Users::load(&file).unwrap()));
    Server::start(Setup { users, ..Setup::default() })
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
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().display().to_string();
    let bound = runtime.block_on(async {
        let flags = vec![("lake.url", lake, "--lake")];
        let config = envoi::Config::load(Some(std::path::Path::new("/dev/null")), std::iter::empty(), flags).unwrap();
        let factory = envoi::open(&config).await.unwrap();
        let options = envoi_server::PgOptions {
            database: "envoi".to_owned(),
            users: None,
            tls: None,
            limits: envoi_server::Limits::default(),
        };
        envoi_server::PgServer::bind(([0, 0, 0, 0], 0).into(), factory, options).await
    });
    let error = bound.err().unwrap().to_string();
    assert!(error.contains("--tls-cert") && error.contains("envoi user add"), "{error}");
}
