//! The example of RFC 7677, and logins by a small client.

use proptest::prelude::*;

use super::*;

const SECRET: [u8; 32] = [7; 32];
const HASH: [u8; 32] = [42; 32];

fn verifier(password: &str) -> Verifier {
    Verifier::derive(password, 2, vec![1, 2, 3]).unwrap()
}

/// A client, with what it may do wrong.
struct Client {
    password: &'static str,
    mechanism: &'static str,
    header: &'static str,
    /// Behind the header in the final message.
    channel: Vec<u8>,
}

impl Client {
    fn new(password: &'static str) -> Self {
        Self { password, mechanism: SCRAM, header: "n,,", channel: Vec::new() }
    }

    fn bound(password: &'static str, hash: &[u8]) -> Self {
        let header = "p=tls-server-end-point,,";
        Self { mechanism: SCRAM_PLUS, header, channel: hash.to_vec(), ..Self::new(password) }
    }

    /// Goes through a login; `tamper` may change the final message behind the proof's back.
    fn login(&self, mut exchange: Exchange, tamper: impl FnOnce(String) -> String) -> Result<()> {
        let bare = "n=ignored,r=client/nonce";
        let server_first = exchange.first(self.mechanism, format!("{}{bare}", self.header).as_bytes())?;
        let server_first = String::from_utf8(server_first).unwrap();
        let part = |at: usize, name: &str| server_first.split(',').nth(at).unwrap().strip_prefix(name).unwrap();
        let (nonce, salt) = (part(0, "r="), BASE64.decode(part(1, "s=")).unwrap());
        assert!(nonce.starts_with("client/nonce") && nonce.len() == 12 + 24);
        let mut salted = [0; 32];
        let iterations = part(2, "i=").parse().unwrap();
        pbkdf2::pbkdf2::<hmac::Hmac<sha2::Sha256>>(self.password.as_bytes(), &salt, iterations, &mut salted).unwrap();
        let channel = BASE64.encode([self.header.as_bytes(), &self.channel].concat());
        let without = format!("c={channel},r={nonce}");
        let auth = format!("{bare},{server_first},{without}");
        let client_key = mac(&salted, &[b"Client Key"]);
        let mut proof = mac(&sha256(&client_key), &[auth.as_bytes()]);
        proof.iter_mut().zip(client_key).for_each(|(proof, key)| *proof ^= key);
        let last = tamper(format!("{without},p={}", BASE64.encode(proof)));
        let server_final = exchange.last(last.as_bytes())?;
        let signature = mac(&mac(&salted, &[b"Server Key"]), &[auth.as_bytes()]);
        assert_eq!(server_final, format!("v={}", BASE64.encode(signature)).into_bytes(), "the server proves itself");
        Ok(())
    }
}

fn plain(password: &str) -> Exchange {
    Exchange::new("anna", verifier(password), true, None)
}

fn tls(password: &str) -> Exchange {
    Exchange::new("anna", verifier(password), true, Some(HASH.to_vec()))
}

fn refused(found: Result<()>, sqlstate: &str) -> String {
    let error = found.unwrap_err();
    assert!(error.fatal);
    assert_eq!(error.sqlstate, sqlstate, "{error:?}");
    error.message.into_owned()
}

#[test]
fn the_example_of_rfc_7677() {
    let verifier = Verifier::derive("pencil", 4096, BASE64.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap()).unwrap();
    let mut exchange = Exchange::new("user", verifier, true, None);
    let first =
        exchange.first_with(SCRAM, b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO", "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0").unwrap();
    assert_eq!(
        String::from_utf8(first).unwrap(),
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    );
    let last = exchange
        .last(
            b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
              p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        )
        .unwrap();
    assert_eq!(String::from_utf8(last).unwrap(), "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}

#[test]
fn logins_that_succeed() {
    let as_is = |last| last;
    Client::new("secret").login(plain("secret"), as_is).unwrap();
    Client::new("secret").login(tls("secret"), as_is).unwrap();
    Client { header: "y,,", ..Client::new("secret") }.login(plain("secret"), as_is).unwrap();
    Client::bound("secret", &HASH).login(tls("secret"), as_is).unwrap();
    Client::new("IX").login(plain("I\u{ad}X"), as_is).unwrap();
}

#[test]
fn wrong_passwords_and_unknown_users_look_the_same() {
    let wrong = refused(Client::new("guess").login(plain("secret"), |last| last), "28P01");
    assert_eq!(wrong, "password authentication failed for user \"anna\"");
    let nobody = Exchange::new("anna", Verifier::made_up("anna", &SECRET), false, None);
    assert_eq!(refused(Client::new("guess").login(nobody, |last| last), "28P01"), wrong);
    let unknown = Exchange::new("anna", verifier("secret"), false, None);
    assert_eq!(refused(Client::new("secret").login(unknown, |last| last), "28P01"), wrong);
}

#[test]
fn channels_that_are_not_the_same() {
    let message = refused(Client::bound("secret", &[41; 32]).login(tls("secret"), |last| last), "28000");
    assert_eq!(message, "SCRAM channel binding check failed");
    refused(Client::bound("secret", &HASH[..31]).login(tls("secret"), |last| last), "28000");
    let downgraded = Client { header: "y,,", ..Client::new("secret") };
    refused(downgraded.login(tls("secret"), |last| last), "28000");
    let tampered = |last: String| last.replacen("c=biws", "c=eSws", 1);
    refused(Client::new("secret").login(plain("secret"), tampered), "28000");
    refused(Client::bound("secret", &HASH).login(plain("secret"), |last| last), "08P01");
    refused(Client { mechanism: SCRAM, ..Client::bound("secret", &HASH) }.login(tls("secret"), |l| l), "08P01");
    refused(Client { mechanism: SCRAM_PLUS, ..Client::new("secret") }.login(tls("secret"), |l| l), "08P01");
    let unique = Client { header: "p=tls-unique,,", ..Client::bound("secret", &HASH) };
    assert!(
        refused(unique.login(tls("secret"), |last| last), "08P01").contains("unsupported SCRAM channel-binding type")
    );
}

#[test]
fn final_messages_that_were_changed() {
    let changed = |tamper: fn(String) -> String| Client::new("secret").login(plain("secret"), tamper);
    refused(changed(|last| last.replacen("r=client", "r=cl1ent", 1)), "08P01");
    refused(changed(|last| last.replacen(",p=", "x,p=", 1)), "08P01");
    refused(changed(|last| last.replacen(",p=", ",x=1,p=", 1)), "28P01");
    refused(changed(|last| last.replacen(",p=", ",p=AAAA,p=", 1)), "08P01");
    refused(changed(|last| last.replacen(",p=", ",p=*", 1)), "08P01");
    refused(changed(|last| last.replacen("c=biws", "c=***", 1)), "08P01");
    refused(changed(|last| format!("{last},x=1")), "08P01");
    refused(changed(|last| format!("{last}\0")), "08P01");
}

#[test]
fn messages_that_are_none() {
    for (message, sqlstate) in [
        (&b""[..], "08P01"),
        (b"n", "08P01"),
        (b"n,", "08P01"),
        (b"n,,", "08P01"),
        (b"x,,n=,r=a", "08P01"),
        (b"n,b=,n=,r=a", "08P01"),
        (b"n,a=admin,n=,r=a", "0A000"),
        (b"n,,m=1,n=,r=a", "0A000"),
        (b"n,,r=a", "08P01"),
        (b"n,,n=", "08P01"),
        (b"n,,n=,r=", "08P01"),
        (b"n,,n=,r=a b", "08P01"),
        (b"n,,n=,r=\xc3\xa9", "08P01"),
        (b"n,,n=,r=a,", "08P01"),
        (b"n,,n=\xff,r=a", "08P01"),
        (b"n,,n=\0,r=a", "08P01"),
    ] {
        refused(plain("secret").first(SCRAM, message).map(|_| ()), sqlstate);
    }
    assert!(plain("secret").first(SCRAM, b"n,,n=,r=a,x=1").is_ok(), "extensions that may be passed over");
    refused(plain("secret").first("SCRAM-SHA-1", b"n,,n=,r=a").map(|_| ()), "08P01");
    let whole = b"c=biws,r=client/nonce,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    for cut in 0..=whole.len() {
        let mut exchange = plain("secret");
        exchange.first(SCRAM, b"n,,n=,r=client/nonce").unwrap();
        refused(exchange.last(&whole[..cut]).map(|_| ()), "08P01");
    }
    for wrong in [&b"\xff"[..], b"c=biws", b"r=client/nonce,c=biws,p=AAAA", b",,,,", b"c=,r=,p="] {
        let mut exchange = plain("secret");
        exchange.first(SCRAM, b"n,,n=,r=client/nonce").unwrap();
        refused(exchange.last(wrong).map(|_| ()), "08P01");
    }
}

fn parts() -> impl Strategy<Value = Vec<u8>> {
    let part = prop::sample::select(
        &["n,,", "y,,", "p=tls-server-end-point,,", "n=", "r=", "a", ",", "c=biws", ",p=", "=", "\0", "é"][..],
    );
    prop::collection::vec(
        prop_oneof![part.prop_map(|part| part.as_bytes().to_vec()), prop::collection::vec(any::<u8>(), 1..3)],
        0..8,
    )
    .prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn whatever_is_said_is_answered(first in parts(), last in parts(), bound in any::<bool>()) {
        let verifier = Verifier::made_up("anna", &SECRET);
        let exchange = || Exchange::new("anna", verifier.clone(), true, bound.then(|| HASH.to_vec()));
        for mechanism in [SCRAM, SCRAM_PLUS] {
            let mut exchange = exchange();
            match exchange.first(mechanism, &first) {
                Ok(_) => prop_assert!(exchange.last(&last).is_err_and(|error| error.fatal)),
                Err(error) => prop_assert!(error.fatal),
            }
        }
        let mut exchange = exchange();
        exchange.first(SCRAM, b"n,,n=,r=a").unwrap();
        prop_assert!(exchange.last(&last).is_err_and(|error| error.fatal));
        prop_assert!(exchange.last(&last).is_err(), "a challenge is answered once");
    }

    #[test]
    fn no_text_is_a_verifier_by_chance(text in "(SCRAM-SHA-256)?[$]?[0-9:$A-Za-z+/=]{0,40}") {
        prop_assert!(text.parse::<Verifier>().is_err());
    }
}
