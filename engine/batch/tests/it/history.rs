//! Records of runs: written once, listed newest first, damage passed over.

use chrono::TimeDelta;
use envoi::lake::Lake;
use envoi::lake::lake::ModelColumn;
use envoi_batch::history::{Filter, History, run_id};
use envoi_batch::record::{Failure, Input, ModelRecord, ModelStatus, RunRecord, RunStatus, TestRecord, Trigger};

use crate::simulation::at;

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

pub(crate) fn model(name: &str, status: ModelStatus) -> ModelRecord {
    ModelRecord {
        name: name.to_owned(),
        materialisation: "table".to_owned(),
        status,
        reason: "new".to_owned(),
        attempts: 1,
        seconds: 0.5,
        rows: Some(217),
        bytes: Some(4096),
        sha256: None,
        inputs: vec![Input {
            table: "lake.observation".to_owned(),
            editions: vec![("worldbank.wdi".to_owned(), "2026-07-01".parse().unwrap())],
        }],
        columns: vec![
            ModelColumn { name: "iso3".to_owned(), data_type: "Utf8".to_owned(), unit: None, description: None },
            ModelColumn {
                name: "ratio".to_owned(),
                data_type: "Float64".to_owned(),
                unit: Some("share".to_owned()),
                description: Some("Inflows by aid".to_owned()),
            },
        ],
        steps: Vec::new(),
        tests: vec![TestRecord { name: "unique (iso3)".to_owned(), passed: true, blocks: true, found: None }],
        error: (status == ModelStatus::Failed).then(|| "no such column".to_owned()),
    }
}

/// A run of this minute; those of odd minutes failed.
pub(crate) fn record(minute: i64) -> RunRecord {
    let started_at = at("2026-11-01T00:00:00Z") + TimeDelta::minutes(minute);
    let failed = minute % 2 == 1;
    RunRecord {
        run_id: format!("{}-{minute:08x}", started_at.format("%Y%m%dT%H%M%S.000Z")),
        trigger: Trigger::Schedule { job: format!("job{}", minute % 3), due: started_at, attempt: 1 },
        selectors: vec!["tag:x".to_owned()],
        from: None,
        to: None,
        full_refresh: false,
        started_at,
        finished_at: started_at + TimeDelta::seconds(7),
        status: if failed { RunStatus::Failed } else { RunStatus::Success },
        lake_version: 4,
        published_version: (!failed).then_some(5),
        models: vec![
            model("a", if failed { ModelStatus::Failed } else { ModelStatus::Published }),
            model(&format!("m{minute}"), ModelStatus::Unchanged),
        ],
        pruned: Vec::new(),
        failure: failed.then(|| Failure {
            model: "a".to_owned(),
            step: "plan".to_owned(),
            message: "no such column".to_owned(),
            blocked: vec!["b".to_owned()],
        }),
        engine: "envoi 0.1.0".to_owned(),
    }
}

fn minutes(runs: &[RunRecord]) -> Vec<i64> {
    runs.iter().map(|r| r.started_at.signed_duration_since(at("2026-11-01T00:00:00Z")).num_minutes()).collect()
}

#[test]
fn newest_first_and_filtered() {
    let folder = tempfile::tempdir().unwrap();
    let history = History::new(Lake::open(folder.path().to_str().unwrap()).unwrap());
    let list = |filter: &Filter| run(history.list(filter)).unwrap();
    assert!(list(&Filter::default()).runs.is_empty());
    for minute in [3, 0, 9, 1, 4, 7, 2, 8, 5, 6] {
        run(history.write(&record(minute))).unwrap();
        // Once more is no error; another of that id is.
        run(history.write(&record(minute))).unwrap();
        let other = RunRecord { started_at: at("2020-01-01T00:00:00Z"), ..record(minute) };
        assert!(run(history.write(&other)).unwrap_err().to_string().contains("has another run"));
    }
    assert_eq!(minutes(&list(&Filter::default()).runs), [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
    assert_eq!(list(&Filter::default()).runs[0], record(9));
    let filter = |limit: usize, job: Option<&str>, model: Option<&str>, status| Filter {
        limit: Some(limit),
        job: job.map(str::to_owned),
        model: model.map(str::to_owned),
        status,
    };
    assert_eq!(minutes(&list(&filter(2, None, None, Some(RunStatus::Failed))).runs), [9, 7]);
    assert_eq!(minutes(&list(&filter(9, Some("job1"), None, None)).runs), [7, 4, 1]);
    assert_eq!(minutes(&list(&filter(9, None, Some("m4"), None)).runs), [4]);
    assert!(list(&filter(0, None, None, None)).runs.is_empty());
    // What is damaged is named, and the others are there.
    let path = |minute: i64| folder.path().join(format!("run/{}.json", record(minute).run_id));
    std::fs::write(path(8), "{\"run_id\": ").unwrap();
    std::fs::copy(path(2), path(3)).unwrap();
    let listed = list(&Filter::default());
    assert_eq!(minutes(&listed.runs), [9, 7, 6, 5, 4, 2, 1, 0]);
    assert!(listed.damaged.len() == 2 && listed.damaged[0].contains("is damaged"), "{:?}", listed.damaged);
    // One, by its id or what it begins with.
    assert_eq!(run(history.get(&record(4).run_id)).unwrap(), record(4));
    assert_eq!(run(history.get("20261101T0009")).unwrap(), record(9));
    for (id, words) in [("2026", "10 runs begin with"), ("1999", "has no run `1999`"), ("20261101T0008", "is damaged")]
    {
        let told = run(history.get(id)).unwrap_err().to_string();
        assert!(told.contains(words), "{told}");
    }
    // Of a due time.
    assert_eq!(run(history.of_due("job1", record(4).started_at)).unwrap(), Some(record(4)));
    assert_eq!(run(history.of_due("job1", record(7).started_at)).unwrap(), None, "it failed");
    for id in ["", "../x", ".x", "a/b"] {
        assert!(run(history.write(&RunRecord { run_id: id.to_owned(), ..record(0) })).is_err(), "{id}");
    }
}

/// Changes the file of a begin.
fn begin(folder: &std::path::Path, change: impl Fn(&mut serde_json::Value)) -> std::path::PathBuf {
    let path = folder.join(format!("run/{}.begin.json", record(4).run_id));
    let mut value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    change(&mut value);
    std::fs::write(&path, value.to_string()).unwrap();
    path
}

#[test]
fn a_run_that_has_no_end_goes_on_or_was_interrupted() {
    let folder = tempfile::tempdir().unwrap();
    let history = History::new(Lake::open(folder.path().to_str().unwrap()).unwrap());
    run(async {
        let listed = async || history.list(&Filter::default()).await.unwrap().runs;
        let running = RunRecord { status: RunStatus::Running, published_version: None, ..record(4) };
        let alive = history.begin(&running).await.unwrap();
        let there = listed().await;
        assert_eq!((there.len(), there[0].status, there[0].models.len()), (1, RunStatus::Running, 2));
        // Its process is gone.
        if cfg!(target_os = "linux") {
            begin(folder.path(), |value| value["process"] = format!("{}0", value["process"].as_str().unwrap()).into());
            assert_eq!(listed().await[0].status, RunStatus::Interrupted);
        }
        // It cannot be seen from here: it goes by signs of life.
        let path = begin(folder.path(), |value| value["process"] = serde_json::Value::Null);
        assert_eq!(listed().await[0].status, RunStatus::Running);
        let old = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
        std::fs::File::options().write(true).open(&path).unwrap().set_modified(old).unwrap();
        let there = history.get(&record(4).run_id).await.unwrap();
        assert_eq!(
            (there.status, there.models[0].reason.as_str()),
            (RunStatus::Interrupted, "the run was interrupted")
        );
        std::fs::write(folder.path().join(format!("run/{}.alive.60.json", record(4).run_id)), "").unwrap();
        assert_eq!(listed().await[0].status, RunStatus::Running);
        assert_eq!(history.of_due("job1", record(4).started_at).await.unwrap(), None);
        // Its end is all that counts.
        history.write(&record(4)).await.unwrap();
        assert_eq!(listed().await, [record(4)]);
        alive.ended().await;
        assert!(!path.exists());
        assert_eq!(listed().await, [record(4)]);
    });
}

#[test]
fn ids_sort_by_time() {
    let (one, other) = (run_id(at("2026-11-27T18:30:00.123Z")), run_id(at("2026-11-27T18:30:00.124Z")));
    assert!(one.starts_with("20261127T183000.123Z-") && one < other, "{one} {other}");
    assert_ne!(run_id(at("2026-11-27T18:30:00Z")), run_id(at("2026-11-27T18:30:00Z")));
}
