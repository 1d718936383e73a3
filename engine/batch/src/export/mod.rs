//! Models beside the lake: files in a folder or store that other tools read.
//!
//! Each file is replaced whole (`sink`). `<name>.<format>.envoi.json` beside it says what is in it, where that comes from
//! and its checksums, so that one that is there already is not written again.

mod sink;

use std::collections::BTreeMap;
use std::sync::Arc;

use envoi::lake::Manifest;
use envoi::lake::lake::{PublishedModel, Store, checksum};
use envoi::{Answer, Error, Result};
use futures::future::BoxFuture;
use object_store::ObjectStoreExt;
use serde::{Deserialize, Serialize};

use crate::build::Context;
use crate::project::{Export, Model};
pub use sink::Sink;
use sink::{put, replaced};

/// Writes rows in the formats that people read.
pub trait Packer: Send + Sync {
    /// Writes one file of all rows of an answer as they come, and gives it back.
    fn pack<'a>(&'a self, format: &'a str, answer: Answer, out: Sink) -> BoxFuture<'a, Result<Sink>>;
}

/// What is said beside an exported model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Label {
    /// The model.
    pub model: String,
    /// What it holds.
    pub description: Option<String>,
    /// SHA-256 of the rows' files in the lake.
    pub sha256: String,
    /// Rows.
    pub rows: u64,
    /// Format of the files.
    pub format: String,
    /// Checksum of each file.
    pub files: BTreeMap<String, String>,
    /// Bytes of each file.
    #[serde(default)]
    pub sizes: BTreeMap<String, u64>,
    /// SHA-256 over what is said of the columns, and how rows are sorted and divided.
    #[serde(default)]
    pub shape: String,
    /// Version of the lake that has the same rows.
    pub lake_version: u64,
    /// The run that built them.
    pub run_id: String,
    /// Engine and version.
    pub engine: String,
    /// SHA-256 over the query and its settings.
    pub query_hash: String,
    /// Tables they were built from, with the editions that were read.
    pub inputs: Vec<crate::record::Input>,
    /// Columns, with types and units.
    pub columns: Vec<envoi::lake::lake::ModelColumn>,
}

/// Writes a published model to its places; gives how many files were written.
pub(crate) async fn exports(
    context: &Context,
    model: &Model,
    manifest: &Arc<Manifest>,
    packer: &dyn Packer,
) -> Result<usize> {
    let mut written = 0;
    let Some(published) = manifest.model(&model.name) else { return Ok(0) };
    for export in &model.config.export {
        written += one(context, model, published, manifest, packer, export).await.map_err(|e| {
            Error::new(e.class(), format!("cannot export `{}` to `{}`: {e}", model.name, export.target))
        })?;
    }
    Ok(written)
}

async fn one(
    context: &Context,
    model: &Model,
    published: &PublishedModel,
    manifest: &Arc<Manifest>,
    packer: &dyn Packer,
    export: &Export,
) -> Result<usize> {
    let store = Store::open(&export.target)?;
    let label_path = format!("{}.{}.envoi.json", model.name, export.format);
    let sha256 = content(published);
    let before: Option<Label> = match store.get(&label_path).await? {
        Some(bytes) => serde_json::from_slice(&bytes).ok(),
        None => None,
    };
    let said = (&published.description, &published.columns, &model.config.sort, export.partitioned);
    let shape = checksum(&serde_json::to_vec(&said).map_err(|e| Error::new(envoi::Class::Internal, e.to_string()))?);
    if let Some(label) = &before
        && (&label.sha256, &label.format, &label.shape) == (&sha256, &export.format, &shape)
        && whole(&store, label).await
    {
        return Ok(0);
    }
    let mut parts: Vec<(String, String)> = Vec::new();
    if export.partitioned && !published.is_view() {
        let mut series: Vec<String> = manifest.model_files(&model.name).into_iter().map(|f| f.series).collect();
        series.dedup();
        for part in series {
            let (name, format) = (&model.name, &export.format);
            let path = match part.as_str() {
                "" => format!("{name}/all.{format}"),
                // Readers find the values in the names of folders.
                values if values.contains('=') => format!("{name}/{values}/{name}.{format}"),
                span => format!("{name}/{span}.{format}"),
            };
            parts.push((path, part));
        }
    } else {
        parts.push((format!("{}.{}", model.name, export.format), String::new()));
    }
    let (mut files, mut sizes) = (BTreeMap::new(), BTreeMap::new());
    for (path, part) in &parts {
        let manifest =
            if part.is_empty() { Arc::clone(manifest) } else { Arc::new(alone(manifest, &model.name, part)) };
        let session = context.session(model, &manifest).await?;
        let draft = session.draft(&format!("select * from model.{}", model.name)).await?;
        let shape = envoi::Shape { sort: model.config.sort.clone(), ..envoi::Shape::default() };
        let answer = session.shaped(&draft, shape).await?;
        let sum = replaced(&store, path, |out| packer.pack(&export.format, answer, out)).await?;
        files.insert(path.clone(), sum.sha256);
        sizes.insert(path.clone(), sum.bytes);
    }
    let label = Label {
        model: model.name.clone(),
        description: published.description.clone(),
        sha256,
        rows: published.rows,
        format: export.format.clone(),
        files,
        sizes,
        shape,
        lake_version: manifest.version,
        run_id: published.run_id.clone(),
        engine: published.engine.clone(),
        query_hash: published.query_hash.clone(),
        inputs: crate::build::recorded(published),
        columns: published.columns.clone(),
    };
    let text = serde_json::to_vec_pretty(&label).map_err(|e| Error::new(envoi::Class::Internal, e.to_string()))?;
    // The label goes last: one that is there says what the files are.
    put(&store, &label_path, text).await?;
    for gone in before.iter().flat_map(|l| l.files.keys()).filter(|f| !label.files.contains_key(*f)) {
        store.delete(gone).await?;
    }
    Ok(parts.len())
}

/// Whether the files are there that a label names, as large as it says.
async fn whole(store: &Store, label: &Label) -> bool {
    for path in label.files.keys() {
        let there = store.object_store().head(&store.path(path)).await.ok().map(|meta| meta.size);
        if there.is_none() || there != label.sizes.get(path).copied() {
            return false;
        }
    }
    true
}

/// What is known of the rows: of a view, that of what it reads.
fn content(published: &PublishedModel) -> String {
    if !published.is_view() {
        return published.sha256.clone();
    }
    let inputs: Vec<&str> = published.inputs.iter().map(|i| i.fingerprint.as_str()).collect();
    checksum(format!("{} {}", published.query_hash, inputs.join(" ")).as_bytes())
}

/// A version in which a model has the files of one partition alone.
fn alone(manifest: &Manifest, model: &str, part: &str) -> Manifest {
    let mut alone = manifest.clone();
    alone.files.retain(|f| f.schema != envoi::lake::lake::MODEL_SCHEMA || f.table != model || f.series == part);
    alone
}
