//! Exported models in the formats of `envoi sql`.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use clap::ValueEnum;
use envoi::{Answer, Class, Error};
use envoi_batch::{Packer, Sink};
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::output::{Format, Look, writer};

/// Writes files as `envoi sql -o` does.
#[derive(Debug)]
pub(crate) struct Files;

impl Packer for Files {
    fn pack<'a>(&'a self, format: &'a str, answer: Answer, out: Sink) -> BoxFuture<'a, envoi::Result<Sink>> {
        packed(format, answer, out).boxed()
    }
}

async fn packed(format: &str, mut answer: Answer, mut out: Sink) -> envoi::Result<Sink> {
    let format = Format::from_str(format, true).map_err(Error::user)?;
    let schema = SchemaRef::clone(&answer.schema);
    // A batch at a time, and the writer elsewhere: it is not one that may change threads.
    let (sender, receiver) = std::sync::mpsc::sync_channel::<envoi::Result<RecordBatch>>(4);
    let work = tokio::task::spawn_blocking(move || {
        let failed = |e: crate::output::OutputError| Error::new(Class::Resource, e.to_string());
        let mut writer =
            writer(format, &schema, &mut out, Look { to_file: true, ..Look::default() }).map_err(failed)?;
        for batch in receiver {
            writer.batch(&batch?).map_err(failed)?;
        }
        writer.finish().map_err(failed)?;
        drop(writer);
        Ok(out)
    });
    while let Some(batch) = answer.next().await {
        let (sender, last) = (sender.clone(), batch.is_err());
        let sent = tokio::task::spawn_blocking(move || sender.send(batch)).await;
        if last || !matches!(sent, Ok(Ok(()))) {
            // The writer says why it stopped.
            break;
        }
    }
    drop(sender);
    work.await.map_err(|e| Error::new(Class::Internal, e.to_string()))?
}
