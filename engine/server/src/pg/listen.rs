//! The accept loop, and what all connections share.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::BytesMut;
use envoi::{Audit, DisclosureRules, Role, Session, SessionFactory};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::MissedTickBehavior;

use super::connection::{Connection, Incoming};
use super::error::{ADMIN_SHUTDOWN, PgError, Result, TOO_MANY_CONNECTIONS};
use super::guesses::Guesses;
use super::limits::Limits;
use super::memory::{EVERY, MemoryGuard};
use super::registry::{Backend, Registry};
use super::settings::Settings;
use super::startup::{self, Login};
use super::surface::{Pages, PgSurface};
use super::turn::Turn;
use super::wire::{backend, frontend};
use crate::catalogue::Snapshot;
use crate::users::{User, Users};

/// Bytes read at a time.
const READ: usize = 16 << 10;
/// Messages that wait while a statement runs.
const AHEAD: usize = 8;

/// A socket, encrypted or not.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// The half that is written.
pub(crate) type Writing = WriteHalf<Box<dyn Stream>>;

/// How a server is set up.
#[derive(Debug, Clone)]
pub struct PgOptions {
    /// Name of the database that clients connect to; `postgres` and the name of the user are taken for it.
    pub database: String,
    /// Who may connect; without users everybody on this machine.
    pub users: Option<Arc<Users>>,
    /// Certificate and key; without them nothing is encrypted.
    pub tls: Option<Arc<crate::Tls>>,
    /// Bounds.
    pub limits: Limits,
    /// Takes lines about logins that failed, certificates, and every statement over households.
    pub log: Option<Arc<dyn Audit>>,
}

/// What all connections share.
pub(crate) struct Shared {
    pub(super) factory: SessionFactory,
    pub(super) options: PgOptions,
    pub(super) limits: Limits,
    pub(super) registry: Arc<Registry>,
    /// Who asks, by name; one each, so that all sessions of a user count together.
    roles: Mutex<HashMap<String, Role>>,
    pub(super) pages: Arc<Pages>,
    active: Arc<Semaphore>,
    waiting: AtomicUsize,
    memory: MemoryGuard,
    pub(super) guesses: Guesses,
    /// Makes up verifiers of users that there are not.
    pub(super) secret: [u8; 32],
}

/// A server that listens.
pub struct PgServer {
    listener: TcpListener,
    shared: Arc<Shared>,
}

impl std::fmt::Debug for PgServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PgServer").field("address", &self.listener.local_addr().ok()).finish_non_exhaustive()
    }
}

impl PgServer {
    /// Listens at an address; nothing is answered before [`run`](Self::run).
    ///
    /// # Errors
    /// An address that cannot be had, or that others reach, without users and encryption.
    pub async fn bind(
        address: SocketAddr,
        factory: SessionFactory,
        options: PgOptions,
    ) -> Result<Self, crate::ServeError> {
        if !address.ip().is_loopback() && (options.users.is_none() || options.tls.is_none()) {
            return Err(crate::ServeError::Open(address));
        }
        for user in options.users.iter().flat_map(|users| users.iter()) {
            // What cannot be kept must not look as if it were.
            let role = Role::new(&user.name, user.rules.clone()).map(|role| role.with_grants(user.grants()));
            let checked = async { factory.check(&role?).await }.await;
            checked.map_err(|why| crate::ServeError::Grants { user: user.name.clone(), why })?;
        }
        let listener =
            TcpListener::bind(address).await.map_err(|source| crate::ServeError::Bind { address, source })?;
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(|e| crate::ServeError::Random(e.to_string()))?;
        let registry = Arc::new(Registry::default());
        let pages = Arc::new(Pages::new(factory.clone(), &options, Arc::clone(&registry)));
        // A lake that cannot be read is said now, and the first client does not wait for it.
        pages.relations().await.map_err(|e| crate::ServeError::Lake(e.to_string()))?;
        let shared = Shared {
            factory,
            limits: options.limits.clone(),
            registry,
            roles: Mutex::default(),
            pages,
            active: Arc::new(Semaphore::new(options.limits.active)),
            waiting: AtomicUsize::new(0),
            memory: MemoryGuard::new(options.limits.memory),
            guesses: Guesses::default(),
            secret,
            options,
        };
        Ok(Self { listener, shared: Arc::new(shared) })
    }

    /// Where it listens; of port 0 the one that was found.
    ///
    /// # Errors
    /// What the system says.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers clients until `stop` is done; then no more come in, and those there are get a word and a moment.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let places = Arc::new(Semaphore::new(self.shared.limits.connections));
        let logins = Arc::new(Semaphore::new(self.shared.limits.logins));
        let (closing, _) = watch::channel(());
        tokio::pin!(stop);
        let mut looks = tokio::time::interval(EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = &mut stop => break,
                _ = looks.tick(), if self.shared.memory.is_on() => {
                    self.shared.memory.look(&self.shared.registry);
                    continue;
                }
            };
            let Ok((socket, client)) = accepted else {
                // Out of files: others have to go first.
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                continue;
            };
            let _ = socket.set_nodelay(true);
            let shared = Arc::clone(&self.shared);
            let alive = closing.subscribe();
            let place = Arc::clone(&places).try_acquire_owned().ok();
            let login = Arc::clone(&logins).try_acquire_owned().ok();
            tokio::spawn(async move {
                let _alive = alive;
                serve(shared, socket, client, place, login).await;
            });
        }
        drop(self.listener);
        for backend in self.shared.registry.all() {
            backend.terminate();
        }
        // Each connection holds a receiver; all are gone when the channel is closed.
        let _ = tokio::time::timeout(std::time::Duration::from_secs(5), closing.closed()).await;
    }
}

/// Logs a client in and answers it.
async fn serve(
    shared: Arc<Shared>,
    socket: TcpStream,
    client: SocketAddr,
    place: Option<OwnedSemaphorePermit>,
    login: Option<OwnedSemaphorePermit>,
) {
    let limit = shared.limits.login;
    let Some(login) = login else { return refuse(socket, "too many connections wait to log in").await };
    let logged = tokio::time::timeout(limit, startup::login(&shared, socket, client)).await;
    drop(login);
    let Ok(Some(Login { mut stream, user, startup, ahead })) = logged else { return };
    if place.is_none() {
        let mut out = BytesMut::new();
        backend::error(&mut out, &PgError::fatal(TOO_MANY_CONNECTIONS, "sorry, too many clients already"));
        let _ = stream.write_all(&out).await;
        let _ = stream.shutdown().await;
        return;
    }
    let Ok(own) = shared.registry.enter(&user, client, startup.minor) else { return };
    let pid = own.pid;
    let _leave = Leave(Arc::clone(&shared.registry), pid);
    let settings = Arc::new(Mutex::new(Settings::default()));
    let mut out = BytesMut::with_capacity(READ);
    let begun = begin(&shared, &own, &user, &startup, &settings, &mut out).await;
    let session = match begun {
        Ok(session) => session,
        Err(error) => {
            backend::error(&mut out, &PgError { fatal: true, ..error });
            let _ = tokio::time::timeout(limit, stream.write_all(&out)).await;
            let _ = stream.shutdown().await;
            return;
        }
    };
    let (reading, writing) = tokio::io::split(stream);
    let (sender, incoming) = mpsc::channel(AHEAD);
    let (gone, is_gone) = watch::channel(false);
    let reader = tokio::spawn(read(reading, ahead, sender, gone, shared.limits.message));
    Connection::new(shared, own, session, settings, incoming, is_gone, writing, out).serve().await;
    reader.abort();
}

/// Takes the number of a connection back when it is gone, however it went.
struct Leave(Arc<Registry>, i32);

impl Drop for Leave {
    fn drop(&mut self) {
        self.0.leave(self.1);
    }
}

/// Says why there is no answer.
async fn refuse(mut socket: TcpStream, why: &'static str) {
    let mut out = BytesMut::new();
    backend::error(&mut out, &PgError::fatal(TOO_MANY_CONNECTIONS, why));
    let _ = tokio::time::timeout(std::time::Duration::from_secs(1), socket.write_all(&out)).await;
}

/// Makes the session, and says what a client is told at the beginning.
async fn begin(
    shared: &Arc<Shared>,
    own: &Arc<Backend>,
    user: &str,
    startup: &super::wire::startup::Startup,
    settings: &Arc<Mutex<Settings>>,
    out: &mut BytesMut,
) -> Result<(Session, Arc<Snapshot>)> {
    {
        let mut settings = settings.lock().unwrap_or_else(PoisonError::into_inner);
        settings.begin_with("session_authorization", user);
        settings.begin_with("ssl", if shared.options.tls.is_some() { "on" } else { "off" });
        startup::first_settings(startup, &mut settings)?;
        own.named(&settings.get("application_name")?);
    }
    let role = shared.role(user)?;
    let operator = shared.options.users.as_ref().is_some_and(|users| users.find(user).is_some_and(|u| u.operator));
    let surface = PgSurface::new(Arc::clone(&shared.pages), Arc::clone(own), Arc::clone(settings), operator).await;
    let surface = surface.map_err(|e| super::sqlstate::of_engine(&e, "", ""))?;
    let relations = surface.first();
    let session = shared.factory.served(&role, Arc::new(surface)).await;
    let session = session.map_err(|e| super::sqlstate::of_engine(&e, "", ""))?;
    let settings = settings.lock().unwrap_or_else(PoisonError::into_inner);
    for setting in super::settings::SETTINGS.iter().filter(|s| s.reported) {
        backend::parameter_status(out, setting.name, &settings.get(setting.name)?);
    }
    backend::backend_key(out, own.pid, &own.secret);
    Ok((session, relations))
}

/// Reads messages for as long as there is somebody to take them, and sees the client go.
async fn read(
    mut reading: ReadHalf<Box<dyn Stream>>,
    mut buffer: BytesMut,
    sender: mpsc::Sender<Incoming>,
    gone: watch::Sender<bool>,
    limit: usize,
) {
    loop {
        let skips = buffer.first().is_some_and(|kind| frontend::skips_to_sync(*kind));
        match frontend::message(&mut buffer, limit) {
            Ok(Some(message)) => {
                if sender.send(Incoming { message: Ok(message), skips }).await.is_err() {
                    return;
                }
                continue;
            }
            Ok(None) => {}
            Err(error) => {
                let fatal = error.fatal;
                if sender.send(Incoming { message: Err(error), skips }).await.is_err() || fatal {
                    return;
                }
                continue;
            }
        }
        buffer.reserve(READ);
        match reading.read_buf(&mut buffer).await {
            Ok(0) | Err(_) => {
                let _ = gone.send(true);
                return;
            }
            Ok(_) => {}
        }
    }
}

impl Shared {
    /// Writes a line to the log. What clients say is escaped: a line stays one.
    pub(super) fn log(&self, what: &str, user: &str, client: SocketAddr) {
        if let Some(log) = &self.options.log {
            log.record(&format!("{what} user={} address={}", user.escape_default(), client.ip()));
        }
    }

    /// The role of a user.
    fn role(&self, user: &str) -> Result<Role> {
        let mut roles = self.roles.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(role) = roles.get(user) {
            return Ok(role.clone());
        }
        // Without users names are free, and each would be another memory of what was asked.
        let known = self.options.users.as_ref().and_then(|users| users.find(user));
        let name = if known.is_some() { user } else { "reader" };
        if let Some(role) = roles.get(name) {
            return Ok(role.clone());
        }
        let rules = known.map_or_else(DisclosureRules::default, |u| u.rules.clone());
        let role =
            Role::audited(name, rules, self.options.log.clone()).map_err(|e| super::sqlstate::of_engine(&e, "", ""))?;
        let role = role.with_grants(known.map(User::grants).unwrap_or_default());
        roles.insert(name.to_owned(), role.clone());
        Ok(role)
    }

    /// A turn to compute a query's rows; waits for one.
    ///
    /// # Errors
    /// 53200 if memory is short, and those of [`Shared::turn`].
    pub(super) async fn begin(&self) -> Result<Turn> {
        self.memory.admit(&self.registry)?;
        self.turn().await
    }

    /// A turn, to plan a query; waits for one.
    ///
    /// # Errors
    /// 53300 if too many wait, 57P01 when the server stops.
    pub(super) async fn turn(&self) -> Result<Turn> {
        if let Ok(permit) = Arc::clone(&self.active).try_acquire_owned() {
            return Ok(Turn::new(permit));
        }
        let waiting = Waiting::new(&self.waiting);
        if waiting.before >= self.limits.waiting {
            return Err(PgError::new(TOO_MANY_CONNECTIONS, "too many queries wait for their turn"));
        }
        let permit = Arc::clone(&self.active).acquire_owned().await;
        permit.map(Turn::new).map_err(|_| PgError::fatal(ADMIN_SHUTDOWN, "the server stops"))
    }
}

/// One that waits, for as long as it does.
struct Waiting<'a> {
    all: &'a AtomicUsize,
    before: usize,
}

impl<'a> Waiting<'a> {
    fn new(all: &'a AtomicUsize) -> Self {
        Self { all, before: all.fetch_add(1, Ordering::Relaxed) }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.all.fetch_sub(1, Ordering::Relaxed);
    }
}
