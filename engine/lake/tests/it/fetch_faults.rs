//! Fetching from publishers, and over networks, that do not behave. Nothing waits: the clock stands still.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use envoi_lake::fetch::{Client, Event, Manners, Request, State, fetch};
use envoi_lake::import::descriptor;

use crate::fetch_support::{Desk, bytes_of, rates, request, states};
use crate::server::{Reply, Server};

const ECB: &str = "www.ecb.europa.eu/stats/eurofxref/eurofxref-hist.zip";

#[test]
fn redirects_within_the_hosts_are_followed() {
    let body = rates(40);
    let server = Server::new(move |_, number| match number {
        0 => Reply::redirect("/stats/a.zip"),
        1 => Reply::redirect("https://www.ecb.europa.eu/stats/b.zip?x=1#part"),
        2 => Reply::status(308).with("location", "c.zip"),
        _ => Reply::ok(&body),
    });
    let desk = Desk::new(&server);
    assert_eq!(states(&desk.rates().unwrap()), [State::New]);
    let host = "www.ecb.europa.eu";
    let hops = [
        ECB.to_owned(),
        format!("{host}/stats/a.zip"),
        format!("{host}/stats/b.zip?x=1"),
        format!("{host}/stats/c.zip"),
    ];
    assert_eq!(server.addresses(), hops);
    assert_eq!(desk.whole(), ["eurofxref-hist.zip"], "named by the first address, whatever the last one is");
}

#[test]
fn redirects_to_elsewhere_are_not() {
    for to in [
        "https://evil.example/eurofxref-hist.zip",
        "//evil.example/x",
        "https://www.ecb.europa.eu.evil.example/x",
        "https://www.ecb.europa.eu:8443/x",
        "https://127.0.0.1/x",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/x",
    ] {
        let server = Server::new(move |_, _| Reply::redirect(to));
        Desk::new(&server).refuses(&[ECB, "is at none of the hosts of this dataset (`www.ecb.europa.eu`)"]);
        assert_eq!(server.asked().len(), 1, "{to}");
    }
    for to in ["http://www.ecb.europa.eu/x", "file:///etc/passwd", "ftp://www.ecb.europa.eu/x", "data:text/plain,x"] {
        let server = Server::new(move |_, _| Reply::redirect(to));
        Desk::new(&server).refuses(&["is not an https address"]);
        assert_eq!(server.asked().len(), 1, "{to}");
    }
    let server = Server::new(|_, _| Reply::redirect("https://me:word@www.ecb.europa.eu/x?key=word"));
    let told = Desk::new(&server).refuses(&["holds a name or a password"]);
    assert!(!told.contains("word@") && !told.contains("key="), "a secret is told: {told}");
    let server = Server::new(|_, _| Reply::redirect("/again"));
    Desk::new(&server).refuses(&["redirected more than 10 times"]);
    assert_eq!(server.asked().len(), 11);
    let server = Server::new(|_, _| Reply::status(302));
    Desk::new(&server).refuses(&["without saying where"]);
}

#[test]
fn too_many_requests() {
    let body = rates(40);
    let server = Server::new(move |_, number| match number {
        0 => Reply::status(429).with("retry-after", "7"),
        // The clock stands at noon of 1 March 2026.
        1 => Reply::status(503).with("retry-after", "Sun, 01 Mar 2026 12:01:30 GMT"),
        _ => Reply::ok(&body),
    });
    let desk = Desk::new(&server);
    desk.rates().unwrap();
    assert_eq!(desk.waits(), [7, 90]);
    assert!(desk.told.borrow().contains(&"pause the publisher answered 429 Too Many Requests".to_owned()));
    let server = Server::new(|_, _| Reply::status(429).with("retry-after", "7200"));
    let desk = Desk::new(&server);
    desk.refuses(&["429 Too Many Requests", "asks to come back in 120 minutes"]);
    assert_eq!((server.asked().len(), desk.waits().len()), (1, 0));
}

#[test]
fn errors_that_pass() {
    let body = rates(40);
    let server = Server::new(move |_, number| match number {
        0 => Reply::status(500),
        1 => Reply::status(502),
        _ => Reply::ok(&body),
    });
    let desk = Desk::new(&server);
    desk.rates().unwrap();
    let waits: Vec<f64> = desk.clock.0.lock().unwrap().iter().map(Duration::as_secs_f64).collect();
    assert!(waits.len() == 2 && (0.7..1.3).contains(&waits[0]) && (1.4..2.6).contains(&waits[1]), "{waits:?}");
}

#[test]
fn errors_that_stay() {
    let server = Server::new(|_, _| Reply::status(500));
    let desk = Desk::new(&server);
    desk.refuses(&[ECB, "500 Internal Server Error", "tried 6 times", "download it by hand from https://"]);
    assert_eq!(server.asked().len(), 6);
    for (status, words) in [
        (401, "it refuses this program"),
        (404, "answered 404 Not Found (nothing is there any more); download"),
        (410, "410 Gone"),
        (400, "(`no such key`)"),
        (451, "451"),
    ] {
        let server = Server::new(move |_, _| Reply::ok("no such key").but(status));
        Desk::new(&server).refuses(&[words]);
        assert_eq!(server.asked().len(), 1, "{status}");
    }
}

#[test]
fn a_redirect_to_nothing() {
    let server =
        Server::new(|_, number| if number == 0 { Reply::redirect("/gone?key=secret") } else { Reply::status(404) });
    let told =
        Desk::new(&server).refuses(&["it redirects to https://www.ecb.europa.eu/gone, where nothing is any more"]);
    assert!(!told.contains("secret"), "{told}");
}

#[test]
fn long_addresses_are_told_whole() {
    let server = Server::new(|_, _| Reply::status(404));
    let message = Desk::new(&server).fetch("undesa.migrant_stock", None, &[]).unwrap_err().to_string();
    assert!(message.contains("/undesa_pd_2024_ims_stock_by_sex_and_destination.xlsx: the publisher"), "{message}");
}

#[test]
fn nobody_there() {
    let server = Server::new(|_, _| Reply::status(500));
    let desk = Desk::new(&server);
    drop(server);
    desk.refuses(&[ECB, "the connection failed", "tried 6 times", "envoi source import FILE"]);
}

#[test]
fn what_broke_off_goes_on() {
    let body = rates(3000);
    let sent = body.clone();
    let server = Server::new(move |asked, number| {
        let reply = Reply::file(asked, "\"v1\"", &sent);
        if number < 3 { reply.cut(10_000) } else { reply }
    });
    let desk = Desk::new(&server);
    let fetched = desk.rates().unwrap();
    assert!(bytes_of(&fetched[0].path) == body);
    let asked = server.asked();
    let ranges: Vec<_> = asked.iter().map(|a| (a.header("range"), a.header("if-range"))).collect();
    let mark = Some("\"v1\"");
    let expected =
        [(None, None), (Some("bytes=10000-"), mark), (Some("bytes=20000-"), mark), (Some("bytes=30000-"), mark)];
    assert_eq!(ranges, expected);
    assert_eq!(desk.names(), ["eurofxref-hist.zip", "eurofxref-hist.zip.fetch", "lock"], "no part is left");
    assert!(desk.told.borrow().contains(&format!("resume 20000 of Some({})", body.len())));
}

#[test]
fn what_broke_off_is_gone_on_with_by_the_next_run() {
    let body = rates(3000);
    let sent = body.clone();
    let server = Server::new(move |asked, number| {
        let reply = Reply::file(asked, "\"v1\"", &sent);
        if number == 0 { reply.cut(20_000) } else { reply }
    });
    let mut desk = Desk::new(&server);
    desk.manners.retries = 0;
    desk.refuses(&["broke"]);
    assert_eq!(desk.names(), ["eurofxref-hist.zip.part", "eurofxref-hist.zip.part.fetch", "lock"]);
    assert!(bytes_of(&desk.rates().unwrap()[0].path) == body);
    assert_eq!(server.asked()[1].header("range"), Some("bytes=20000-"));
}

#[test]
fn all_bytes_came_but_the_process_did_not_finish() {
    let body = rates(400);
    let sent = body.clone();
    let server = Server::new(move |asked, number| {
        let reply = Reply::file(asked, "\"v1\"", &sent);
        if number == 0 { reply.cut(2_000) } else { reply }
    });
    let mut desk = Desk::new(&server);
    desk.manners.retries = 0;
    desk.refuses(&["broke"]);
    std::fs::write(desk.downloads().join("ecb.fx/eurofxref-hist.zip.part"), &body).unwrap();
    assert!(bytes_of(&desk.rates().unwrap()[0].path) == body);
    assert_eq!(server.asked()[1].header("range"), Some(format!("bytes={}-", body.len()).as_str()));
    assert_eq!(server.asked().len(), 2, "nothing of it came again");
}

#[test]
fn parts_of_two_editions_are_not_put_together() {
    let (old, new) = (rates(3000), rates(3001));
    let sent = new.clone();
    // Another mark: the publisher sends the whole of the new edition.
    let server = Server::new(move |asked, number| match number {
        0 => Reply::file(asked, "\"v1\"", &old).cut(20_000),
        _ => Reply::file(asked, "\"v2\"", &sent),
    });
    assert!(bytes_of(&Desk::new(&server).rates().unwrap()[0].path) == new);
    assert_eq!(server.asked()[1].header("if-range"), Some("\"v1\""));
    // A publisher that pays no heed to If-Range is found out by the length, or by another part.
    for wrong in ["bytes 20000-20009/99999", "bytes 0-9/20010", "nonsense"] {
        let (old, new) = (rates(3000), rates(3001));
        let sent = new.clone();
        let server = Server::new(move |asked, number| match number {
            0 => Reply::file(asked, "\"v1\"", &old).cut(20_000),
            1 => Reply::ok("0123456789").but(206).with("content-range", wrong),
            _ => Reply::file(asked, "\"v2\"", &sent),
        });
        assert!(bytes_of(&Desk::new(&server).rates().unwrap()[0].path) == new, "{wrong}");
        assert_eq!(server.asked()[2].header("range"), None, "{wrong}");
    }
    // Without a mark nothing is gone on with.
    let server = Server::new(move |_, number| match number {
        0 => Reply::ok(rates(3000)).cut(20_000),
        _ => Reply::ok(rates(3000)),
    });
    Desk::new(&server).rates().unwrap();
    assert_eq!(server.asked()[1].header("range"), None);
}

#[test]
fn parts_that_do_not_make_the_whole() {
    // Same mark, same length, other bytes: only the publisher's checksum tells.
    let (good, mut bad) = (rates(3000), rates(3000));
    bad[5_000] ^= 1;
    let digest = "sha-256=:".to_owned() + &sha256_base64(&good) + ":";
    let sent = good.clone();
    let server = Server::new(move |asked, number| match number {
        0 => Reply::file(asked, "\"v1\"", &bad).with("repr-digest", &digest).cut(20_000),
        _ => Reply::file(asked, "\"v1\"", &sent).with("repr-digest", &digest),
    });
    let desk = Desk::new(&server);
    assert!(bytes_of(&desk.rates().unwrap()[0].path) == good);
    let asked = server.asked();
    assert_eq!((asked[1].header("range"), asked[2].header("range")), (Some("bytes=20000-"), None));
    assert!(desk.told.borrow().iter().any(|t| t.contains("the parts together have checksum")));
}

#[test]
fn a_checksum_that_the_publisher_states_and_that_is_not_so() {
    for name in ["repr-digest", "digest"] {
        let server =
            Server::new(move |_, _| Reply::ok(rates(40)).with(name, &format!("sha-256=:{}:", sha256_base64(b"x"))));
        Desk::new(&server).refuses(&["is not the one that the publisher states"]);
        assert_eq!(server.asked().len(), 1);
    }
}

#[test]
fn a_body_of_unknown_length_that_is_cut() {
    let server = Server::new(|_, number| match number {
        0 | 1 => Reply::ok(rates(400)).unmeasured().cut(3_000),
        _ => Reply::ok(rates(400)).unmeasured(),
    });
    let desk = Desk::new(&server);
    assert!(bytes_of(&desk.rates().unwrap()[0].path) == rates(400));
    assert!(desk.told.borrow().contains(&"pause what came is damaged or cut short".to_owned()));
}

#[test]
fn lines_that_may_be_missing() {
    let flow = r#"<Dataflow id="DSD_DAC2@DF_DAC2A" agencyID="OECD.DCD.FSD" version="1.0"/>"#;
    let body = crate::support::fixture_text(crate::support::DAC2A);
    let (head, rest) = body.split_at(body.find('\n').unwrap() + 1);
    let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
    let chunked = |text: String| Reply::ok(text).unmeasured().with("transfer-encoding", "chunked");
    let (cut, whole) = (chunk(head), chunk(head) + &chunk(rest) + "0\r\n\r\n");
    // Chunks have an end of their own: one that is not there is found out.
    let server = Server::new(move |asked, number| match number {
        _ if asked.at.contains("/dataflow/") => Reply::ok(flow),
        1 => chunked(cut.clone()),
        _ => chunked(whole.clone()),
    });
    let desk = Desk::new(&server);
    let fetched = desk.fetch("oecd.dac2a", None, &[]).unwrap();
    assert_eq!((bytes_of(&fetched[0].path), server.asked().len()), (body.clone().into_bytes(), 3));
    // The end of the connection is no such mark.
    let server = Server::new(move |asked, _| match asked.at.contains("/dataflow/") {
        true => Reply::ok(flow),
        false => Reply::ok(&body).unmeasured(),
    });
    let desk = Desk::new(&server);
    let message = desk.fetch("oecd.dac2a", None, &[]).unwrap_err().to_string();
    assert!(message.contains("does not say how long its answer is"), "{message}");
    assert_eq!(desk.names(), ["lock"]);
}

#[test]
fn weak_marks_prove_nothing() {
    let server =
        Server::new(|_, number| Reply::ok(rates(40 + number as u32 / 2)).with("etag", &format!("W/\"{number}\"")));
    let desk = Desk::new(&server);
    let seen: Vec<_> = (0..3).map(|_| states(&desk.rates().unwrap())[0]).collect();
    assert_eq!(seen, [State::New, State::Same, State::New]);
}

#[test]
fn a_page_that_is_no_page() {
    let server = Server::new(|_, _| Reply::ok("[").with("content-length", "100000000"));
    let message = Desk::new(&server).fetch("worldbank.wdi", Some("json"), &[]).unwrap_err().to_string();
    assert!(message.contains("larger than 67108864 bytes, more than any edition"), "{message}");
    let server = Server::new(|_, _| Reply::ok(r#"[{"page":1,"pages":99999999999,"lastupdated":""},[]]"#));
    let message = Desk::new(&server).fetch("worldbank.wdi", Some("json"), &[]).unwrap_err().to_string();
    assert!(message.contains("there are 99999999999 pages"), "{message}");
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn a_whole_file_that_is_damaged() {
    let server = Server::new(|_, _| Reply::ok(&rates(400)[..3_000]));
    Desk::new(&server).refuses(&["what came is damaged or cut short"]);
    assert_eq!(server.asked().len(), 1, "as long as it should be, so another try brings the same");
}

#[test]
fn a_publisher_that_falls_silent() {
    let server = Server::new(|asked, number| {
        let reply = Reply::file(asked, "\"v1\"", &rates(3000));
        if number == 0 { reply.stall(20_000) } else { reply }
    });
    let mut desk = Desk::new(&server);
    desk.manners.timeout = Duration::from_millis(300);
    assert!(bytes_of(&desk.rates().unwrap()[0].path) == rates(3000));
    assert_eq!(server.asked()[1].header("range"), Some("bytes=20000-"));
    assert!(desk.told.borrow().iter().any(|t| t.starts_with("pause the publisher fell silent")), "{:?}", desk.told);
}

#[test]
fn a_page_instead_of_data() {
    let page = "<!DOCTYPE html>\n<html><head><title>Access denied</title></head><body>…</body></html>";
    let server = Server::new(move |_, _| Reply::ok(page).with("content-type", "text/html"));
    let desk = Desk::new(&server);
    desk.refuses(&["answered with an HTML page (`Access denied`) instead of a zip archive"]);
    assert_eq!((server.asked().len(), desk.names()), (1, vec!["lock".to_owned()]));
    // A page that comes in two parts is one all the same.
    let long = format!("{page}{}", " ".repeat(2000));
    let server = Server::new(move |asked, number| {
        let reply = Reply::file(asked, "\"v1\"", long.as_bytes());
        if number == 0 { reply.cut(500) } else { reply }
    });
    Desk::new(&server).refuses(&["answered with an HTML page"]);
}

#[test]
fn more_than_is_wanted() {
    let most = |most_bytes: u64| Request { most_bytes, ..Request::default() };
    let body = rates(400);
    let len = body.len() as u64;
    for measured in [true, false] {
        let body = body.clone();
        let server = Server::new(move |_, _| if measured { Reply::ok(&body) } else { Reply::ok(&body).unmeasured() });
        let desk = Desk::new(&server);
        let message = desk.fetch_with("ecb.fx", &most(len - 1)).unwrap_err().to_string();
        assert!(
            message.contains(&format!("larger than {} bytes; raise the setting `import.file_bytes`", len - 1)),
            "{message}"
        );
        assert_eq!((server.asked().len(), desk.names()), (1, vec!["lock".to_owned()]), "a part is not kept either");
        desk.fetch_with("ecb.fx", &most(len)).unwrap();
    }
    // A length that nobody has room for is refused before a byte is read.
    let server = Server::new(|_, _| Reply::ok("PK").with("content-length", "18446744073709551615"));
    assert!(Desk::new(&server).fetch_with("ecb.fx", &most(len)).is_err());
    let server = Server::new(|_, _| Reply::ok(vec![b'['; 40 << 20]));
    let message = Desk::new(&server).fetch("worldbank.rpw_firms", None, &[]).unwrap_err().to_string();
    assert!(message.contains("the answer is longer than"), "{message}");
}

#[test]
fn packed_unasked() {
    let server = Server::new(|_, _| Reply::ok(rates(40)).with("content-encoding", "gzip"));
    Desk::new(&server).refuses(&["packed its answer (`gzip`) unasked"]);
}

#[test]
fn headers_without_end() {
    let server = Server::new(|_, _| Reply::ok(rates(40)).with("x-long", &"x".repeat(200_000)));
    Desk::new(&server).refuses(&["headers are longer than"]);
}

#[test]
fn catalogues_that_do_not_say() {
    for (list, words) in [
        ("{}", "its list names no `https://datacatalogfiles.worldbank.org/"),
        ("<html>gone</html>", "its list is not JSON"),
        (
            r#"["https://datacatalogfiles.worldbank.org/ddh-published/0037898/x/rpw_dataset_.%2e%2F.xlsx"]"#,
            "is none that this program writes",
        ),
    ] {
        let server = Server::new(move |_, _| Reply::ok(list));
        let message = Desk::new(&server).fetch("worldbank.rpw_firms", None, &[]).unwrap_err().to_string();
        assert!(message.contains(words), "{message}");
        assert_eq!(server.asked().len(), 1, "{list}");
    }
    let server = Server::new(|_, _| Reply::ok("<Structure/>"));
    let message = Desk::new(&server).fetch("oecd.dac2a", None, &[]).unwrap_err().to_string();
    assert!(
        message.contains("rest/dataflow/") && message.contains("its list names no `OECD.DCD.FSD DSD_DAC2@DF_DAC2A`"),
        "{message}"
    );
}

#[test]
fn two_fetches_at_once() {
    let (waits, waited) = mpsc::channel::<()>();
    let waited = Mutex::new(waited);
    let server = Server::new(move |asked, number| {
        // The first is answered once the second waits for it.
        if number == 0 {
            waited.lock().unwrap().recv_timeout(Duration::from_secs(60)).unwrap();
        }
        Reply::file(asked, "\"v1\"", &rates(400))
    });
    let desk = Desk::new(&server);
    let (manners, folder) = (desk.manners.clone(), desk.downloads());
    let (begins, begun) = mpsc::channel::<()>();
    let one = |tell: &dyn Fn(Event<'_>)| {
        let client = Client::new(manners.clone());
        fetch(descriptor("ecb.fx").unwrap(), &request(None, &[]), &client, &folder, tell).unwrap()
    };
    let (first, second) = std::thread::scope(|scope| {
        let first = scope.spawn(|| {
            one(&|event| {
                if matches!(event, Event::Begin(_)) {
                    begins.send(()).unwrap();
                }
            })
        });
        begun.recv().unwrap();
        let second = one(&|event| {
            if matches!(event, Event::Waiting) {
                waits.send(()).unwrap();
            }
        });
        (first.join().unwrap(), second)
    });
    assert_eq!((states(&first), states(&second)), (vec![State::New], vec![State::Unchanged]));
    assert_eq!(desk.names(), ["eurofxref-hist.zip", "eurofxref-hist.zip.fetch", "lock"]);
}

const BASE: &str = "ENVOI_TEST_FETCH_BASE";
const FOLDER: &str = "ENVOI_TEST_FETCH_FOLDER";

/// The child: fetches for as long as it lives. Does nothing when run as a test.
#[test]
fn child() {
    let Ok(at) = std::env::var(BASE) else { return };
    let manners = Manners { base: Some(envoi_lake::fetch::base(&at).unwrap()), ..Manners::default() };
    let folder = std::env::var(FOLDER).unwrap();
    let tell = |event: Event<'_>| {
        if let Event::Bytes { done, .. } = event {
            eprintln!("bytes {done}");
        }
    };
    let client = Client::new(manners);
    fetch(descriptor("ecb.fx").unwrap(), &Request::default(), &client, folder.as_ref(), &tell).unwrap();
}

#[test]
fn killed_in_the_middle() {
    let body = rates(3000);
    let sent = body.clone();
    let server = Server::new(move |asked, number| {
        let reply = Reply::file(asked, "\"v1\"", &sent);
        if number == 0 { reply.stall(30_000) } else { reply }
    });
    let desk = Desk::new(&server);
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "fetch_faults::child", "--nocapture"])
        .env(BASE, &server.base)
        .env(FOLDER, desk.downloads())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "bytes 30000"), "the child never came so far");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(desk.names(), ["eurofxref-hist.zip.part", "eurofxref-hist.zip.part.fetch", "lock"]);
    // The lock died with the process.
    let fetched = desk.rates().unwrap();
    assert!(bytes_of(&fetched[0].path) == body && !desk.told.borrow().contains(&"waiting".to_owned()));
    assert_eq!(server.asked()[1].header("range"), Some("bytes=30000-"));
}

#[test]
fn a_folder_that_cannot_be_written() {
    let server = Server::new(|_, _| Reply::ok(rates(40)));
    let desk = Desk::new(&server);
    std::fs::write(desk.downloads(), "a file").unwrap();
    let message = desk.rates().unwrap_err().to_string();
    assert!(message.contains("cannot make `") && message.contains("setting `fetch.folder`"), "{message}");
    assert!(server.asked().is_empty());
}

/// SHA-256 in base 64, by another way than the program's.
fn sha256_base64(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    let bits: String = Sha256::digest(bytes).iter().map(|b| format!("{b:08b}")).collect();
    let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".as_bytes();
    let six = |at: usize| usize::from_str_radix(&format!("{:0<6}", &bits[at..bits.len().min(at + 6)]), 2).unwrap();
    let text: String = (0..bits.len()).step_by(6).map(|at| letters[six(at)] as char).collect();
    text + "="
}
