//! From a plan to a folder of Parquet files: beside their final place first, on several threads.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;

use super::{MARK, MODEL, Mark, Plan, Progress, Report, Set, Tally, readme};
use crate::error::{Error, Result};
use crate::lake::file_writer;

/// Rows generated at once: a page of the lake's files.
const CHUNK: usize = 8192;

/// What stands in every file's metadata.
const NOTE: &str = "invented by envoi: not a survey, not a record of any transaction";

/// A file to be written.
struct Task<'a> {
    set: &'a Set,
    name: String,
    from: u64,
    until: u64,
    mark: Mark,
}

/// The folder while it is not whole yet. Dropped, it leaves nothing of what was begun.
struct Staging {
    folder: PathBuf,
    /// Where files are until all are whole.
    inner: PathBuf,
    /// Folders that were not there before, outermost first.
    made: Vec<PathBuf>,
    placed: Vec<PathBuf>,
}

impl Staging {
    fn new(folder: &Path) -> Result<Self> {
        match fs::read_dir(folder) {
            Ok(mut entries) => {
                if let Some(entry) = entries.next() {
                    let name = entry.map(|e| e.file_name().to_string_lossy().into_owned()).unwrap_or_default();
                    let what = format!("folder `{}` is not empty: `{name}` is in it; name a new one", folder.display());
                    return Err(Error::Usage(what));
                }
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) if e.kind() == io::ErrorKind::NotADirectory => {
                return Err(Error::Usage(format!("`{}` is a file; name a folder", folder.display())));
            }
            Err(e) => return Err(cannot_write(folder, e)),
        }
        let missing = folder.ancestors().take_while(|f| !f.as_os_str().is_empty() && !f.exists());
        let mut made: Vec<PathBuf> = missing.map(Path::to_owned).collect();
        made.reverse();
        let inner = folder.join(format!(".envoi-generate-{}.tmp", std::process::id()));
        // From here on it is cleaned up, also if the next step fails.
        let staging = Self { folder: folder.to_owned(), inner, made, placed: Vec::new() };
        fs::create_dir_all(&staging.inner).map_err(|e| cannot_write(&staging.inner, e))?;
        Ok(staging)
    }

    /// Gives what is in the inner folder its names, the data last.
    fn place(mut self, names: &[&str]) -> Result<()> {
        for name in names {
            let to = self.folder.join(name);
            fs::rename(self.inner.join(name), &to).map_err(|e| cannot_write(&to, e))?;
            self.placed.push(to);
        }
        if cfg!(unix) {
            File::open(&self.folder).and_then(|f| f.sync_all()).map_err(|e| cannot_write(&self.folder, e))?;
        }
        self.placed.clear();
        self.made.clear();
        Ok(())
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // Nobody is left to tell of what cannot be removed.
        let _ = fs::remove_dir_all(&self.inner);
        for path in &self.placed {
            let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        }
        for folder in self.made.iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}

fn cannot_write(path: &Path, source: io::Error) -> Error {
    Error::Write { path: path.display().to_string(), source }
}

/// What became of a file: its rows and bytes, or nothing if the work was stopped.
type Written = Result<Option<(Tally, u64)>>;

/// See [`super::generate`]; `rows` is that of a file.
pub(super) fn all(
    plan: &Plan,
    folder: &Path,
    threads: usize,
    rows: u64,
    progress: &(dyn Fn(Progress) -> bool + Sync),
) -> Result<Option<Report>> {
    let (sets, table) = (plan.sets()?, plan.table.def().name);
    let tasks = tasks(plan, &sets, rows);
    let staging = Staging::new(folder)?;
    let inner = staging.inner.join(table);
    fs::create_dir(&inner).map_err(|e| cannot_write(&inner, e))?;
    if !progress(Progress::Begin(plan.rows)) {
        return Ok(None);
    }
    let slots: Vec<Mutex<Option<Written>>> = tasks.iter().map(|_| Mutex::new(None)).collect();
    let (next, ended) = (AtomicUsize::new(0), AtomicBool::new(false));
    let work = || {
        while !ended.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let (Some(task), Some(slot)) = (tasks.get(index), slots.get(index)) else { break };
            let go_on = |rows| !ended.load(Ordering::Relaxed) && progress(Progress::Rows(rows));
            let written = task.write(&inner, plan, &go_on);
            if !matches!(written, Ok(Some(_))) {
                ended.store(true, Ordering::Relaxed);
            }
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(written);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.min(tasks.len()) {
            scope.spawn(work);
        }
        work();
    });
    let mut stopped = false;
    let mut written = Vec::with_capacity(tasks.len());
    for slot in slots {
        match slot.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(Ok(Some(file))) => written.push(file),
            // One file's error is told; that others stopped because of it is not.
            Some(Err(e)) => return Err(e),
            Some(Ok(None)) | None => stopped = true,
        }
    }
    if stopped {
        return Ok(None);
    }
    let tallies: Vec<Tally> = totals(&sets, &tasks, &written);
    let text = readme::text(plan, &sets, &tallies);
    let path = staging.inner.join(readme::NAME);
    fs::write(&path, text).map_err(|e| cannot_write(&path, e))?;
    staging.place(&[readme::NAME, table])?;
    Ok(Some(Report {
        files: tasks.iter().map(|task| folder.join(table).join(&task.name)).collect(),
        rows: written.iter().map(|(tally, _)| tally.rows).sum(),
        bytes: written.iter().map(|(_, bytes)| bytes).sum(),
        sets: sets.iter().map(|set| set.name(&plan.tag())).collect(),
    }))
}

fn tasks<'a>(plan: &Plan, sets: &'a [Set], rows: u64) -> Vec<Task<'a>> {
    let mut tasks = Vec::new();
    for set in sets {
        let parts = set.rows().div_ceil(rows);
        for part in 0..parts {
            let mark = Mark {
                note: NOTE.to_owned(),
                table: plan.table.def().name.to_owned(),
                set: set.name(&plan.tag()),
                part: part + 1,
                parts,
                model: MODEL,
                seed: plan.seed,
                rows: plan.rows,
                vintage: plan.vintage(),
            };
            let name = format!("part-{:05}-synthetic.parquet", tasks.len() + 1);
            tasks.push(Task { set, name, from: part * rows, until: ((part + 1) * rows).min(set.rows()), mark });
        }
    }
    tasks
}

/// Totals of the files of each set, in the order of the files: so threads do not show.
fn totals(sets: &[Set], tasks: &[Task<'_>], written: &[(Tally, u64)]) -> Vec<Tally> {
    let of = |set: &Set| {
        let files = tasks.iter().zip(written).filter(|(task, _)| std::ptr::eq(task.set, set));
        files.fold(Tally::default(), |sum, (_, (tally, _))| sum.with(tally))
    };
    sets.iter().map(of).collect()
}

impl Tally {
    fn with(self, other: &Self) -> Self {
        Self {
            rows: self.rows + other.rows,
            weight: self.weight + other.weight,
            persons: self.persons + other.persons,
            receiving: self.receiving + other.receiving,
            amount: self.amount + other.amount,
        }
    }
}

impl Task<'_> {
    /// Writes the file; `None` if `go_on` said no.
    fn write(&self, folder: &Path, plan: &Plan, go_on: &dyn Fn(u64) -> bool) -> Result<Option<(Tally, u64)>> {
        let path = folder.join(&self.name);
        let failed = |e: ParquetError| match e {
            ParquetError::External(e) => match e.downcast::<io::Error>() {
                Ok(e) => cannot_write(&path, *e),
                Err(e) => Error::Internal(e.to_string()),
            },
            e => e.into(),
        };
        let file = File::create_new(&path).map_err(|e| cannot_write(&path, e))?;
        let mut writer = file_writer(BufWriter::new(file), plan.table.def()).map_err(failed)?;
        let mark = serde_json::to_string(&self.mark).map_err(|e| Error::Internal(e.to_string()))?;
        writer.append_key_value_metadata(KeyValue::new(MARK.to_owned(), mark));
        let (mut tally, mut from) = (Tally::default(), self.from);
        while from < self.until {
            let count = CHUNK.min(usize::try_from(self.until - from).unwrap_or(CHUNK));
            let (batch, part) = self.set.batch(from, count)?;
            writer.write(&batch).map_err(failed)?;
            tally = tally.with(&part);
            from += part.rows.max(1);
            if !go_on(part.rows) {
                return Ok(None);
            }
        }
        let file = writer.into_inner().map_err(failed)?;
        let flushed = file.into_inner().map_err(io::IntoInnerError::into_error).and_then(|file| {
            file.sync_all()?;
            Ok(file.metadata()?.len())
        });
        Ok(Some((tally, flushed.map_err(|e| cannot_write(&path, e))?)))
    }
}
