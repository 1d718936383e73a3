//! What one process shares: threads for query work, memory, caches, the lake.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, MemoryPool, TrackConsumersPool};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use envoi_lake::lake::DataFile;
use envoi_lake::{Lake, Manifest};
use parking_lot::Mutex;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::session::plans::PlanStore;

/// The store under which the lake's files are known to the engine.
const LAKE_STORE: &str = "envoi-lake://lake/";

/// Shared by all sessions of a process.
///
/// Query work has threads of its own: with sockets or a prompt on the same
/// ones, a trivial query waited 40 s behind a heavy one. Callers may be on any
/// tokio runtime; results cross a bounded channel.
#[derive(Debug)]
pub struct Runtime {
    cpu: Option<tokio::runtime::Runtime>,
    environment: Arc<RuntimeEnv>,
    lake: Lake,
    threads: usize,
    /// Schemas of files, which never change.
    schemas: Mutex<HashMap<(String, String), SchemaRef>>,
    plans: Arc<PlanStore>,
}

impl Runtime {
    /// Threads, memory pool with spill, caches and the lake's store, as configured.
    pub fn new(config: &Config, lake: Lake) -> Result<Arc<Self>> {
        // Planning recurses with the depth of the statement; the system's 2 MiB is too little for it.
        const STACK: usize = 16 << 20;
        let disk = match config.spill() {
            Some(folder) => DiskManagerMode::Directories(vec![folder]),
            None => DiskManagerMode::OsTmpDirectory,
        };
        let environment = RuntimeEnvBuilder::new()
            .with_memory_pool(pool(config.memory()))
            .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(disk))
            .build_arc()
            .map_err(|e| Error::from_datafusion(&e, ""))?;
        environment.register_object_store(lake_store()?.as_ref(), lake.store().object_store());
        // Work that does not pause for long holds its thread; more of them than there are partitions leave it to the
        // system to share the processors, so that a small query does not wait for a large one.
        const BESIDE: usize = 14;
        let threads = config.threads();
        let cpu = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads + BESIDE)
            .thread_name("envoi-query")
            .thread_stack_size(STACK)
            .enable_all()
            .build()
            .map_err(|e| Error::new(crate::Class::Resource, format!("cannot start threads for queries: {e}")))?;
        Ok(Arc::new(Self {
            cpu: Some(cpu),
            environment,
            lake,
            threads,
            schemas: Mutex::default(),
            plans: Arc::default(),
        }))
    }

    /// The plans that sessions keep.
    pub(crate) fn plans(&self) -> &Arc<PlanStore> {
        &self.plans
    }

    /// Memory pool, caches and stores.
    ///
    /// With `memory`, the same with a pool of so many bytes of its own.
    pub(crate) fn environment(&self, memory: Option<usize>) -> Result<Arc<RuntimeEnv>> {
        let Some(memory) = memory else { return Ok(Arc::clone(&self.environment)) };
        RuntimeEnvBuilder::from_runtime_env(&self.environment)
            .with_memory_pool(pool(memory))
            .build_arc()
            .map_err(|e| Error::from_datafusion(&e, ""))
    }

    /// The schema of a file of the lake, read once.
    pub(crate) async fn stored_schema(&self, file: &DataFile) -> Result<SchemaRef> {
        const KEPT: usize = 4096;
        let key = (file.path.clone(), file.sha256.clone());
        if let Some(known) = self.schemas.lock().get(&key) {
            return Ok(Arc::clone(known));
        }
        let schema = self.lake.stored_schema(file).await?;
        let mut schemas = self.schemas.lock();
        if schemas.len() >= KEPT {
            schemas.clear();
        }
        schemas.insert(key, Arc::clone(&schema));
        Ok(schema)
    }

    /// Threads for query work.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Pieces of query work that are not done.
    pub fn tasks(&self) -> usize {
        self.cpu.as_ref().map_or(0, |cpu| cpu.metrics().num_alive_tasks())
    }

    /// The lake.
    pub fn lake(&self) -> &Lake {
        &self.lake
    }

    /// The manifest a session reads: of that version, or the newest; one with
    /// nothing in it where there is no lake yet.
    pub async fn manifest(&self, version: Option<u64>) -> Result<Arc<Manifest>> {
        let manifest = match version {
            Some(number) => self.lake.version(number).await?,
            None => self.lake.current().await?.unwrap_or_else(|| Arc::new(Manifest::empty())),
        };
        Ok(manifest)
    }

    /// Runs work on the query threads; dropping the handle stops it.
    pub(crate) fn spawn<F>(&self, work: F) -> Result<Work<F::Output>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let cpu = self.cpu.as_ref().ok_or_else(|| Error::internal("the query threads are gone"))?;
        Ok(Work(cpu.spawn(work)))
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        // Dropping a tokio runtime inside another one is not allowed, and this is to return at once. Its threads are
        // waited for all the same: one that is let go of while it ends gives its stack, too large to be kept, back
        // to the system, and the C library looks into it once more (glibc bug 19951).
        if let Some(cpu) = self.cpu.take() {
            let ends = std::thread::Builder::new().name("envoi-end".to_owned());
            drop(ends.spawn(move || drop(cpu)));
        }
    }
}

/// A pool of so many bytes. The tracker names the three largest consumers when memory runs out.
fn pool(bytes: usize) -> Arc<dyn MemoryPool> {
    Arc::new(TrackConsumersPool::new(FairSpillPool::new(bytes), std::num::NonZeroUsize::MIN.saturating_add(2)))
}

/// The lake's store as an address.
pub(crate) fn lake_store() -> Result<ObjectStoreUrl> {
    ObjectStoreUrl::parse(LAKE_STORE).map_err(|e| Error::from_datafusion(&e, ""))
}

/// Work on the query threads, stopped when dropped.
#[derive(Debug)]
pub(crate) struct Work<T>(tokio::task::JoinHandle<T>);

impl<T> Work<T> {
    /// Waits for the end of it; a panic in it is one query's internal error.
    pub(crate) async fn finish(mut self) -> Result<T> {
        (&mut self.0).await.map_err(|e| {
            if e.is_cancelled() {
                Error::new(crate::Class::Cancelled, "cancelled")
            } else {
                Error::panicked(&e.to_string())
            }
        })
    }
}

impl<T> Drop for Work<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
