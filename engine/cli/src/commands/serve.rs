//! `envoi serve`: the lake for every tool that speaks PostgreSQL.

use std::fs::File;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use envoi::{Audit, Config};
use envoi_server::{Limits, MemoryMarks, PgOptions, PgServer, Tls, Users};

use super::{Failure, Screen, print, users_file};

/// Flags of `envoi serve`.
#[derive(Debug, clap::Args)]
pub(crate) struct ServeArgs {
    /// Where to listen for PostgreSQL's clients; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:5433")]
    pg: SocketAddr,
    /// Who may connect, as `envoi user add` writes it; without a file everybody on this machine
    #[arg(long, value_name = "FILE")]
    users: Option<PathBuf>,
    /// Certificate of the server, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Key of the certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Where every statement over households and every failed login is written; without a file to stderr
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Connections at a time
    #[arg(long, value_name = "N", default_value_t = Limits::default().connections)]
    connections: usize,
    /// Young queries that are planned and computed at a time; the others wait [default: two for each core]
    #[arg(long, value_name = "N")]
    active: Option<usize>,
    /// Seconds that a statement may take; 0 for no limit
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    statement_timeout: u64,
}

pub(crate) fn serve(config: &Config, screen: Screen, args: &ServeArgs) -> Result<u8, Failure> {
    // Sockets and timers; a second thread answers while the first encodes.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("envoi-serve")
        .enable_all()
        .build()
        .map_err(|e| Failure::failed(format!("cannot start: {e}")))?;
    let served = runtime.block_on(served(config, screen, args));
    // A statement that is being read and does not pause has no say in when the program ends.
    runtime.shutdown_timeout(Duration::from_secs(1));
    served
}

async fn served(config: &Config, screen: Screen, args: &ServeArgs) -> Result<u8, Failure> {
    let failed = |e: &dyn std::fmt::Display| Failure::failed(e.to_string());
    let users = match &args.users {
        Some(file) => Some(Users::load(file).map_err(|e| failed(&e))?),
        None => {
            let usual = users_file()?;
            if usual.exists() { Some(Users::load(&usual).map_err(|e| failed(&e))?) } else { None }
        }
    };
    let tls = match (&args.tls_cert, &args.tls_key) {
        (Some(certificate), Some(key)) => Some(Tls::load(certificate, key).map_err(|e| failed(&e))?),
        _ => None,
    };
    let limits = Limits {
        connections: args.connections.max(1),
        active: args.active.map_or(Limits::default().active, |active| active.max(1)),
        statement: Some(Duration::from_secs(args.statement_timeout)).filter(|limit| !limit.is_zero()),
        memory: Some(MemoryMarks::beside(config.memory())),
        ..Limits::default()
    };
    let open = users.is_none();
    let log: Arc<dyn Audit> = Arc::new(Log::open(args.log.as_deref())?);
    let users = users.map(Arc::new);
    let options = PgOptions { database: "envoi".to_owned(), users, tls, limits, log: Some(log) };
    let factory = envoi::open(config).await?;
    let server = PgServer::bind(args.pg, factory, options).await.map_err(|e| failed(&e))?;
    let address = server.address().map_err(|e| failed(&e))?;
    print(&format!("postgresql://{address}/envoi\n"))?;
    if open {
        screen.say("everybody on this machine may read; `envoi user add NAME` makes users");
    }
    screen.say(&format!("psql -h {} -p {} envoi; Ctrl-C stops", address.ip(), address.port()));
    server.run(stopped()).await;
    screen.say("stopped");
    Ok(0)
}

/// A line for each thing that somebody may ask after, with its time in front.
#[derive(Debug)]
struct Log(Option<Mutex<File>>);

impl Log {
    fn open(file: Option<&Path>) -> Result<Self, Failure> {
        let open = |file: &Path| {
            let opened = File::options().create(true).append(true).open(file);
            opened.map_err(|e| Failure::failed(format!("cannot write `{}`: {e}", file.display())))
        };
        Ok(Self(file.map(open).transpose()?.map(Mutex::new)))
    }
}

impl Audit for Log {
    fn record(&self, line: &str) {
        let line = format!("{} {line}\n", chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true));
        // A full disk keeps nobody from asking; what cannot be written is not lost in silence either.
        let written = match &self.0 {
            Some(file) => file.lock().unwrap_or_else(PoisonError::into_inner).write_all(line.as_bytes()),
            None => io::stderr().write_all(line.as_bytes()),
        };
        if written.is_err() && self.0.is_some() {
            let _ = io::stderr().write_all(line.as_bytes());
        }
    }
}

/// Until somebody asks the process to end.
pub(super) async fn stopped() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        let terminate = async {
            match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
                Ok(mut signal) => {
                    signal.recv().await;
                }
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = interrupt => {}
            () = terminate => {}
        }
    }
    #[cfg(not(unix))]
    let _ = interrupt.await;
}
