//! Servers on free ports, each over the sample lake, stopped when they are dropped.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use envoi::lake::{Lake, sample};
use envoi::{Audit, Config};
use envoi_server::{Limits, PgOptions, PgServer, Tls, Users};

/// The sample lake, written once a test run.
fn sample_lake() -> &'static Path {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let write = || {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::open(&folder.path().display().to_string()).unwrap();
        // Whoever asks first may be within a runtime of its own.
        let write = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move { sample::write(&lake).await.unwrap() });
        };
        std::thread::spawn(write).join().unwrap();
        folder
    };
    FOLDER.get_or_init(write).path()
}

/// How a test's server differs from the usual one.
#[derive(Default)]
pub(crate) struct Setup {
    pub(crate) limits: Limits,
    pub(crate) users: Option<Arc<Users>>,
    pub(crate) tls: Option<Arc<Tls>>,
    pub(crate) log: Option<Arc<dyn Audit>>,
}

/// A server that runs.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) runtime: Arc<envoi::Runtime>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// A server as it is without flags; one for all tests that do not change it.
pub(crate) fn usual() -> &'static Server {
    static USUAL: OnceLock<Server> = OnceLock::new();
    USUAL.get_or_init(|| Server::start(Setup::default()))
}

impl Server {
    pub(crate) fn start(setup: Setup) -> Self {
        let lake = sample_lake().display().to_string();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let (told, address) = std::sync::mpsc::channel();
        let serve = move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async move {
                let flags = vec![("lake.url", lake, "--lake"), ("runtime.memory", "1GiB".to_owned(), "--memory")];
                let config = Config::load(Some(Path::new("/dev/null")), std::iter::empty(), flags).unwrap();
                let factory = envoi::open(&config).await.unwrap();
                let runtime = Arc::clone(factory.runtime());
                let Setup { limits, users, tls, log } = setup;
                let options = PgOptions { database: "envoi".to_owned(), users, tls, limits, log };
                let server = PgServer::bind(([127, 0, 0, 1], 0).into(), factory, options).await.unwrap();
                told.send((server.address().unwrap(), runtime)).unwrap();
                let stopped = async {
                    let _ = stopped.await;
                };
                server.run(stopped).await;
            });
        };
        let thread = std::thread::spawn(serve);
        let (address, runtime) = address.recv().unwrap();
        Self { address, runtime, stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
