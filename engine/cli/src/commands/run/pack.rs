//! Exported models in the formats of `envoi sql`.

use std::pin::Pin;

use arrow::datatypes::SchemaRef;
use clap::ValueEnum;
use envoi::{Answer, Class, Error};
use envoi_batch::Packer;

use crate::output::{Format, Look, writer};

/// Writes files as `envoi sql -o` does.
#[derive(Debug)]
pub(crate) struct Files;

type Packed<'a> = Pin<Box<dyn Future<Output = envoi::Result<Vec<u8>>> + Send + 'a>>;

impl Packer for Files {
    fn pack<'a>(&'a self, format: &'a str, answer: Answer) -> Packed<'a> {
        Box::pin(packed(format, answer))
    }
}

async fn packed(format: &str, mut answer: Answer) -> envoi::Result<Vec<u8>> {
    let format = Format::from_str(format, true).map_err(Error::user)?;
    let schema = SchemaRef::clone(&answer.schema);
    // A batch at a time, and the writer elsewhere: it is not one that may change threads.
    let (sender, receiver) = std::sync::mpsc::sync_channel(4);
    let work = tokio::task::spawn_blocking(move || {
        let mut out: Vec<u8> = Vec::new();
        let failed = |e: crate::output::OutputError| Error::new(Class::Resource, e.to_string());
        let mut writer =
            writer(format, &schema, &mut out, Look { to_file: true, ..Look::default() }).map_err(failed)?;
        for batch in receiver {
            writer.batch(&batch).map_err(failed)?;
        }
        writer.finish().map_err(failed)?;
        drop(writer);
        Ok(out)
    });
    while let Some(batch) = answer.next().await {
        let batch = batch?;
        let sender = sender.clone();
        let sent = tokio::task::spawn_blocking(move || sender.send(batch)).await;
        if !matches!(sent, Ok(Ok(()))) {
            // The writer says why it stopped.
            break;
        }
    }
    drop(sender);
    work.await.map_err(|e| Error::new(Class::Internal, e.to_string()))?
}
