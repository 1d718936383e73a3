//! OpenLineage events of a job and of the models it built.

use std::collections::BTreeSet;

use envoi_batch::lineage::Recorder;
use envoi_batch::record::{RunRecord, RunStatus, Trigger};
use envoi_batch::schedule::{End, Ending, Schedule};
use serde_json::Value;

use crate::history::record;
use crate::simulation::at;

fn end(ending: Ending) -> End {
    End {
        ending,
        message: "no such column".to_owned(),
        run_id: None,
        at: at("2026-11-01T00:00:07Z"),
        holder: "one".to_owned(),
        last: false,
        nonce: "x".to_owned(),
    }
}

fn events(file: &std::path::Path) -> Vec<Value> {
    std::fs::read_to_string(file).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What the specification asks of every event and facet.
fn check(event: &Value) {
    let text = |path: &str| event.pointer(path).and_then(Value::as_str).unwrap_or_else(|| panic!("{path}: {event}"));
    assert_eq!(text("/schemaURL"), "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent");
    assert!(text("/producer").starts_with("https://") && text("/eventTime").ends_with('Z'));
    let uuid = text("/run/runId");
    let lengths: Vec<usize> = uuid.split('-').map(str::len).collect();
    assert!(lengths == [8, 4, 4, 4, 12] && &uuid[14..15] == "8" && "89ab".contains(&uuid[19..20]), "{uuid}");
    let sets = ["/inputs", "/outputs"].map(|p| event.pointer(p).unwrap().as_array().unwrap().clone()).concat();
    let mut facets: Vec<Value> =
        ["/run/facets", "/job/facets"].iter().map(|p| event.pointer(p).unwrap().clone()).collect();
    for set in sets {
        assert!(set["namespace"].is_string() && set["name"].is_string(), "{set}");
        facets.push(set["facets"].clone());
        facets.extend(set.get("outputFacets").cloned());
    }
    for facet in facets.iter().flat_map(|f| f.as_object().unwrap().values()) {
        assert!(facet["_producer"].is_string(), "{facet}");
        assert!(facet["_schemaURL"].as_str().unwrap().starts_with("https://openlineage.io/spec/facets/"), "{facet}");
    }
}

#[test]
fn of_a_job_and_its_models() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lineage.ndjson");
    let toml = format!(
        "[lineage]\nfile = {:?}\nnamespace = \"bank\"\n[[job]]\nname = \"marts\"\ndescription = \"d\"\ncron = \"@daily\"",
        file.to_str().unwrap()
    );
    let schedule = Schedule::parse(&toml, "x").unwrap();
    let recorder = Recorder::new(schedule.lineage.clone(), "s3://bucket/lake".to_owned());
    let (job, due) = (&schedule.jobs[0], at("2026-11-01T00:00:00Z"));
    let now = |sent: envoi_batch::lineage::Sent| futures::FutureExt::now_or_never(sent).unwrap().unwrap();
    now(recorder.start(job, due, 1, due));
    now(recorder.end(job, (due, 1), &end(Ending::Success), Some(&record(0))));
    now(recorder.start(job, due, 2, due));
    now(recorder.end(job, (due, 2), &end(Ending::Failed), Some(&record(1))));
    now(recorder.end(job, (due, 3), &end(Ending::Interrupted), None));
    let all = events(&file);
    all.iter().for_each(check);
    let kinds: Vec<String> = all
        .iter()
        .map(|e| format!("{} {}", e["eventType"].as_str().unwrap(), e["job"]["name"].as_str().unwrap()))
        .collect();
    assert_eq!(
        kinds,
        [
            "START marts",
            "START marts.a",
            "COMPLETE marts.a",
            "COMPLETE marts",
            "START marts",
            "START marts.a",
            "FAIL marts.a",
            "FAIL marts",
            "ABORT marts",
        ]
    );
    let done = &all[3];
    assert_eq!(done["run"]["runId"], all[0]["run"]["runId"]);
    assert_eq!(done["run"]["facets"]["nominalTime"]["nominalStartTime"], "2026-11-01T00:00:00.000Z");
    assert_eq!(done["inputs"][0]["name"], "lake.observation");
    assert_eq!(done["inputs"][0]["facets"]["version"]["datasetVersion"], "4 worldbank.wdi@2026-07-01");
    assert_eq!((&done["outputs"][0]["name"], done["outputs"].as_array().unwrap().len()), (&"model.a".into(), 1));
    assert_eq!(done["outputs"][0]["facets"]["dataSource"]["uri"], "s3://bucket/lake");
    let schema = &done["outputs"][0]["facets"]["schema"];
    assert!(
        schema["_schemaURL"].as_str().unwrap().ends_with("/1-1-1/SchemaDatasetFacet.json#/$defs/SchemaDatasetFacet")
    );
    assert_eq!(
        schema["fields"],
        serde_json::json!([
            {"name": "iso3", "type": "Utf8"},
            {"name": "ratio", "type": "Float64", "description": "Inflows by aid; share"},
        ])
    );
    assert_eq!(done["outputs"][0]["outputFacets"]["outputStatistics"]["rowCount"], 217);
    let model = &all[2];
    assert_eq!(model["run"]["facets"]["parent"]["run"]["runId"], done["run"]["runId"]);
    assert_eq!(model["job"]["facets"]["jobType"]["jobType"], "MODEL");
    assert_eq!(all[7]["run"]["facets"]["errorMessage"]["message"], "no such column");
    assert!(all[7]["outputs"].as_array().unwrap().is_empty());
    let runs: BTreeSet<&str> = all.iter().map(|e| e["run"]["runId"].as_str().unwrap()).collect();
    assert_eq!(runs.len(), 5, "three tries, and a model of two of them");
    // By hand, all at once.
    std::fs::remove_file(&file).unwrap();
    now(recorder.run(&RunRecord { trigger: Trigger::Manual, status: RunStatus::Cancelled, ..record(0) }));
    let all = events(&file);
    all.iter().for_each(check);
    assert_eq!(all.last().unwrap()["eventType"], "ABORT");
    // Nowhere to write is said; without a target nothing is done.
    let toml = toml.replace("lineage.ndjson", "none/lineage.ndjson");
    let nowhere = Recorder::new(Schedule::parse(&toml, "x").unwrap().lineage, String::new());
    let told = futures::FutureExt::now_or_never(nowhere.start(job, due, 1, due)).unwrap().unwrap_err();
    assert!(told.contains("cannot tell lineage: `"), "{told}");
    now(Recorder::new(None, String::new()).start(job, due, 1, due));
}
