//! A client that knows the messages and nothing else, so that tests see every one of them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A message of the server.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Message {
    pub(crate) kind: char,
    pub(crate) body: Vec<u8>,
}

impl Message {
    /// A field of an error or notice.
    pub(crate) fn field(&self, code: u8) -> Option<String> {
        let found = self.body.split(|b| *b == 0).find(|f| f.first() == Some(&code))?;
        Some(String::from_utf8(found[1..].to_vec()).unwrap())
    }

    /// Values of a row.
    pub(crate) fn row(&self) -> Vec<Option<Vec<u8>>> {
        let mut rest = &self.body[2..];
        let count = i16::from_be_bytes([self.body[0], self.body[1]]);
        (0..count)
            .map(|_| {
                let (length, after) = rest.split_at(4);
                let length = i32::from_be_bytes(length.try_into().unwrap());
                rest = after;
                (length >= 0).then(|| {
                    let (value, after) = rest.split_at(length as usize);
                    rest = after;
                    value.to_vec()
                })
            })
            .collect()
    }

    /// Values of a row as text; NULL as `NULL`.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.row().into_iter().map(|v| v.map_or("NULL".to_owned(), |v| String::from_utf8(v).unwrap())).collect()
    }

    /// Names and oids of columns.
    pub(crate) fn columns(&self) -> Vec<(String, u32)> {
        let mut rest = &self.body[2..];
        let count = i16::from_be_bytes([self.body[0], self.body[1]]);
        (0..count)
            .map(|_| {
                let end = rest.iter().position(|b| *b == 0).unwrap();
                let name = String::from_utf8(rest[..end].to_vec()).unwrap();
                let oid = u32::from_be_bytes(rest[end + 7..end + 11].try_into().unwrap());
                rest = &rest[end + 19..];
                (name, oid)
            })
            .collect()
    }

    /// Oids of relations and numbers of columns there, which the columns are.
    pub(crate) fn origins(&self) -> Vec<(u32, u16)> {
        let mut rest = &self.body[2..];
        let count = i16::from_be_bytes([self.body[0], self.body[1]]);
        (0..count)
            .map(|_| {
                let end = rest.iter().position(|b| *b == 0).unwrap();
                let oid = u32::from_be_bytes(rest[end + 1..end + 5].try_into().unwrap());
                let number = u16::from_be_bytes(rest[end + 5..end + 7].try_into().unwrap());
                rest = &rest[end + 19..];
                (oid, number)
            })
            .collect()
    }
}

/// A connection.
pub(crate) struct Client {
    pub(crate) socket: TcpStream,
    buffer: Vec<u8>,
    pub(crate) pid: i32,
    pub(crate) secret: Vec<u8>,
    /// Settings that the server told of.
    pub(crate) told: Vec<(String, String)>,
}

/// A message of a client.
pub(crate) fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut all = vec![kind];
    all.extend((body.len() as i32 + 4).to_be_bytes());
    all.extend(body);
    all
}

/// The first packet.
pub(crate) fn startup(parameters: &[(&str, &str)]) -> Vec<u8> {
    let mut body = 196_608_i32.to_be_bytes().to_vec();
    for (name, value) in parameters {
        body.extend(format!("{name}\0{value}\0").bytes());
    }
    body.push(0);
    let mut all = (body.len() as i32 + 4).to_be_bytes().to_vec();
    all.extend(body);
    all
}

impl Client {
    /// A socket, and nothing said.
    pub(crate) fn silent(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        socket.set_nodelay(true).unwrap();
        Self { socket, buffer: Vec::new(), pid: 0, secret: Vec::new(), told: Vec::new() }
    }

    /// Logged in, without a password.
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::with(address, &[("user", "tester"), ("database", "envoi")]).unwrap()
    }

    /// Logged in with parameters, or the error.
    pub(crate) fn with(address: SocketAddr, parameters: &[(&str, &str)]) -> Result<Self, Message> {
        let mut client = Self::silent(address);
        client.send(&startup(parameters));
        client.begun()?;
        Ok(client)
    }

    /// Reads until the server is ready for the first time.
    pub(crate) fn begun(&mut self) -> Result<(), Message> {
        loop {
            let message = self.next().expect("the server closed");
            match message.kind {
                'S' => {
                    let texts: Vec<&[u8]> = message.body.split(|b| *b == 0).collect();
                    let text = |at: usize| String::from_utf8(texts[at].to_vec()).unwrap();
                    self.told.push((text(0), text(1)));
                }
                'K' => {
                    self.pid = i32::from_be_bytes(message.body[..4].try_into().unwrap());
                    self.secret = message.body[4..].to_vec();
                }
                'E' => return Err(message),
                'Z' => return Ok(()),
                _ => {}
            }
        }
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.socket.write_all(bytes).unwrap();
    }

    /// The next message; `None` when the server closed.
    pub(crate) fn next(&mut self) -> Option<Message> {
        loop {
            if let Some(header) = self.buffer.get(..5) {
                let length = i32::from_be_bytes(header[1..5].try_into().unwrap()) as usize;
                if self.buffer.len() > length {
                    let rest = self.buffer.split_off(length + 1);
                    let whole = std::mem::replace(&mut self.buffer, rest);
                    return Some(Message { kind: char::from(whole[0]), body: whole[5..].to_vec() });
                }
            }
            let mut more = [0; 65_536];
            match self.socket.read(&mut more) {
                Ok(0) => return None,
                Ok(read) => self.buffer.extend(&more[..read]),
                Err(e) if e.kind() == std::io::ErrorKind::ConnectionReset => return None,
                Err(e) => panic!("nothing came: {e}"),
            }
        }
    }

    /// Messages up to ReadyForQuery, which is the last one.
    pub(crate) fn until_ready(&mut self) -> Vec<Message> {
        let mut all = Vec::new();
        loop {
            let message = self.next().unwrap_or_else(|| panic!("the server closed after {all:?}"));
            let ready = message.kind == 'Z';
            all.push(message);
            if ready {
                return all;
            }
        }
    }

    /// Runs a text by the simple protocol.
    pub(crate) fn simple(&mut self, sql: &str) -> Vec<Message> {
        let mut body = sql.as_bytes().to_vec();
        body.push(0);
        self.send(&message(b'Q', &body));
        self.until_ready()
    }

    /// Rows of a text as text; an error ends the test.
    pub(crate) fn rows(&mut self, sql: &str) -> Vec<Vec<String>> {
        let all = self.simple(sql);
        if let Some(error) = all.iter().find(|m| m.kind == 'E') {
            panic!("{sql}: {:?} {:?}", error.field(b'C'), error.field(b'M'));
        }
        all.iter().filter(|m| m.kind == 'D').map(Message::texts).collect()
    }

    /// The one value of a text.
    pub(crate) fn value(&mut self, sql: &str) -> String {
        let rows = self.rows(sql);
        assert_eq!(rows.len(), 1, "{sql}");
        rows[0][0].clone()
    }

    /// The error of a text: its SQLSTATE and what it says.
    pub(crate) fn error(&mut self, sql: &str) -> (String, String) {
        let all = self.simple(sql);
        let error = all.iter().find(|m| m.kind == 'E').unwrap_or_else(|| panic!("no error: {sql}"));
        (error.field(b'C').unwrap(), error.field(b'M').unwrap())
    }

    /// Tags of what was done.
    pub(crate) fn tags(&mut self, sql: &str) -> Vec<String> {
        let all = self.simple(sql);
        if let Some(error) = all.iter().find(|m| m.kind == 'E') {
            panic!("{sql}: {:?} {:?}", error.field(b'C'), error.field(b'M'));
        }
        let tags = all.iter().filter(|m| m.kind == 'C');
        tags.map(|m| String::from_utf8(m.body[..m.body.len() - 1].to_vec()).unwrap()).collect()
    }

    /// Parse.
    pub(crate) fn parse(&mut self, name: &str, sql: &str, types: &[u32]) {
        let mut body = format!("{name}\0{sql}\0").into_bytes();
        body.extend((types.len() as i16).to_be_bytes());
        types.iter().for_each(|oid| body.extend(oid.to_be_bytes()));
        self.send(&message(b'P', &body));
    }

    /// Bind, values and results all in one format.
    pub(crate) fn bind(&mut self, portal: &str, name: &str, values: &[Option<&[u8]>], format: i16) {
        let mut body = format!("{portal}\0{name}\0").into_bytes();
        body.extend(1_i16.to_be_bytes());
        body.extend(format.to_be_bytes());
        body.extend((values.len() as i16).to_be_bytes());
        for value in values {
            body.extend(value.map_or(-1, |v| v.len() as i32).to_be_bytes());
            body.extend(value.unwrap_or_default());
        }
        body.extend(1_i16.to_be_bytes());
        body.extend(format.to_be_bytes());
        self.send(&message(b'B', &body));
    }

    /// Describe a statement or portal.
    pub(crate) fn describe(&mut self, kind: u8, name: &str) {
        let mut body = vec![kind];
        body.extend(format!("{name}\0").bytes());
        self.send(&message(b'D', &body));
    }

    /// Execute.
    pub(crate) fn execute(&mut self, portal: &str, most: i32) {
        let mut body = format!("{portal}\0").into_bytes();
        body.extend(most.to_be_bytes());
        self.send(&message(b'E', &body));
    }

    /// Sync, and what came up to it.
    pub(crate) fn sync(&mut self) -> Vec<Message> {
        self.send(&message(b'S', &[]));
        self.until_ready()
    }

    /// Asks the server to stop what this client does.
    pub(crate) fn cancel(&self) {
        let mut body = 80_877_102_i32.to_be_bytes().to_vec();
        body.extend(self.pid.to_be_bytes());
        body.extend(&self.secret);
        let mut all = (body.len() as i32 + 4).to_be_bytes().to_vec();
        all.extend(body);
        let mut socket = TcpStream::connect(self.socket.peer_addr().unwrap()).unwrap();
        socket.write_all(&all).unwrap();
        let mut rest = Vec::new();
        let _ = socket.read_to_end(&mut rest);
        assert!(rest.is_empty(), "cancel requests are not answered");
    }
}

/// Kinds of messages, one letter each.
pub(crate) fn kinds(messages: &[Message]) -> String {
    messages.iter().map(|m| m.kind).collect()
}
