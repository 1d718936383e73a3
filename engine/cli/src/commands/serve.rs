//! `envoi serve`: the lake for every tool that speaks PostgreSQL.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use envoi::Config;
use envoi_server::{Limits, PgOptions, PgServer, Tls, Users};

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
    /// Connections at a time
    #[arg(long, value_name = "N", default_value_t = Limits::default().connections)]
    connections: usize,
    /// Queries that are begun at a time; the others wait
    #[arg(long, value_name = "N", default_value_t = Limits::default().active)]
    active: usize,
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
    runtime.block_on(served(config, screen, args))
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
        active: args.active.max(1),
        statement: Some(Duration::from_secs(args.statement_timeout)).filter(|limit| !limit.is_zero()),
        ..Limits::default()
    };
    let open = users.is_none();
    let options = PgOptions { database: "envoi".to_owned(), users: users.map(Arc::new), tls, limits };
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
