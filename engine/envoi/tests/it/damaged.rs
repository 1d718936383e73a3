//! Damaged files: an error that names the file, or rows; never a panic, an abort or a hang.

use std::path::{Path, PathBuf};

use envoi::{Class, Session};

use crate::lakes::{blocking, rows, sample_lake, session};

/// Reads every row; the error, if any, must be the file's and name it.
async fn check(session: &Session, reader: &str, file: &Path) -> bool {
    let sql = format!("select * from {reader}('{}')", file.display());
    let read = async { session.run(&sql).await?.collect().await };
    let Err(error) = read.await else { return true };
    let name = file.file_name().unwrap().to_string_lossy();
    assert_ne!(error.class(), Class::Internal, "{name}: {error}");
    assert!(error.to_string().contains(&*name), "{name}: {error}");
    false
}

#[test]
fn cut_and_changed_files_name_themselves() {
    blocking(async {
        let folder = tempfile::tempdir().unwrap();
        let session = session(sample_lake(), &[]).await;
        for (reader, ending) in [("read_parquet", "parquet"), ("read_arrow", "arrow")] {
            let whole = folder.path().join(format!("whole.{ending}"));
            let copy = format!("copy (select value as x, 'name' as y from range(1000)) to '{}'", whole.display());
            rows(&session, &copy).await;
            assert!(check(&session, reader, &whole).await);
            let bytes = std::fs::read(&whole).unwrap();
            for cut in [0, 1, 8, 12, bytes.len() / 2, bytes.len() - 1] {
                let file = folder.path().join(format!("cut_{cut}.{ending}"));
                std::fs::write(&file, &bytes[..cut]).unwrap();
                assert!(!check(&session, reader, &file).await, "{ending} cut at {cut}");
            }
            // Lengths and offsets are in the last kilobyte: each byte of it in turn is changed.
            let from = bytes.len().saturating_sub(1024);
            for at in (from..bytes.len()).step_by(7) {
                let mut changed = bytes.clone();
                changed[at] ^= 0xff;
                let file = folder.path().join(format!("changed_{at}.{ending}"));
                std::fs::write(&file, &changed).unwrap();
                check(&session, reader, &file).await;
            }
        }
    });
}

#[test]
fn the_corpus_is_read_or_refused() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    if !corpus.is_dir() {
        eprintln!("\n*** NOT TESTED: ../shared/corpus is absent, so its damaged files were left out ***\n");
        return;
    }
    let folders = [
        ("parquet_bad", "read_parquet"),
        ("parquet_fuzz", "read_parquet"),
        ("parquet_encfuzz", "read_parquet"),
        ("parquet_encrypted", "read_parquet"),
        ("ipc_file_fuzz", "read_arrow"),
        ("ipc_stream_fuzz", "read_arrow"),
        ("ipc_integration", "read_arrow"),
        ("mutated", ""),
    ];
    blocking(async move {
        let session = session(sample_lake(), &[("runtime.memory", "256MiB")]).await;
        for (folder, reader) in folders {
            let mut files: Vec<PathBuf> =
                std::fs::read_dir(corpus.join(folder)).unwrap().map(|e| e.unwrap().path()).collect();
            files.sort();
            for file in files {
                let arrow = file.file_name().is_some_and(|n| n.to_string_lossy().contains("ipc"));
                let reader = match reader {
                    "" if arrow => "read_arrow",
                    "" => "read_parquet",
                    known => known,
                };
                check(&session, reader, &file).await;
            }
        }
    });
}
