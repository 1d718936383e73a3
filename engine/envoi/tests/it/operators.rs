//! Table functions whose rows are computed: what SQL alone does not show of them.

use envoi::{AnswerKind, Class};

use crate::lakes::{blocking, rows, sample_lake, session};

/// So many households of 30 regions and 4 sizes of a region each, and totals that a tenth more of them has.
fn survey(households: usize) -> (String, String) {
    let survey = format!(
        "(select value as id, concat('region ', value % 30) as region, value % 4 as size, 1.0 + value % 7 as w, \
         cast(value % 11 as double) as y from range(0, {households}))"
    );
    let margins =
        format!("(select 'region', region, sum(w) * (1 + 0.01 * length(region)) * 1.1 from {survey} group by region)");
    (survey, margins)
}

#[test]
fn what_is_held_is_taken_from_the_pool() {
    blocking(async {
        let session = session(sample_lake(), &[("runtime.memory", "32MiB")]).await;
        let (large, margins) = survey(4_000_000);
        let sql = format!("select sum(weight_calibrated) from rake({large}, w, {margins})");
        let error = match session.run(&sql).await {
            Err(error) => error,
            Ok(answer) => answer.collect().await.unwrap_err(),
        };
        assert_eq!(error.class(), Class::Resource, "{error}");
        assert!(error.to_string().contains("rake()"), "{error}");
        // What was taken is given back.
        let (small, margins) = survey(50_000);
        for _ in 0..5 {
            let sql = format!("select count(*), round(max(g_weight), 6) from rake({small}, w, {margins})");
            assert_eq!(rows(&session, &sql).await, [["50000", "1.199"]]);
        }
    });
}

#[test]
fn a_dropped_answer_ends_the_work() {
    blocking(async {
        let session = session(sample_lake(), &[("runtime.threads", "1"), ("runtime.memory", "256MiB")]).await;
        let (survey, margins) = survey(200_000);
        // Two thousand million rows, of which one batch is read.
        let sql = format!(
            "select * from counterfactual_income((select id, y + 1 as income, case when id % 5 = 0 then 1.0 else 0.0 end \
             as r, w, size from {survey}), income, r, w, id, draws => 10000)"
        );
        let mut answer = session.run(&sql).await.unwrap();
        assert!(matches!(answer.kind, AnswerKind::Rows));
        assert!(answer.next().await.unwrap().unwrap().num_rows() > 0);
        drop(answer);
        let sql = format!("select count(*) from rake({survey}, w, {margins})");
        drop(session.run(&sql).await.unwrap());
        assert_eq!(rows(&session, &sql).await, [["200000"]]);
    });
}

#[test]
fn partitions_and_batches_do_not_show() {
    blocking(async {
        let (survey, margins) = survey(60_000);
        let mut answers = Vec::new();
        for (threads, batch) in [("1", 8192), ("4", 8192), ("4", 61)] {
            let session = session(sample_lake(), &[("runtime.threads", threads)]).await;
            rows(&session, &format!("set datafusion.execution.batch_size = {batch}")).await;
            rows(
                &session,
                &format!(
                    "create table survey as {}",
                    survey.trim_matches(['(', ')']).replace("range(0, 60000", "range(0, 60000)")
                ),
            )
            .await;
            let spread = "(select * from survey where y >= 5 union all select * from survey where y < 5)";
            let sql = format!(
                "select id, g_weight, weight_calibrated from rake({spread}, w, {margins}) where id % 5000 = 7 order by id"
            );
            answers.push(rows(&session, &sql).await);
        }
        assert_eq!(answers[0].len(), 12);
        assert_eq!(answers[0], answers[1]);
        assert_eq!(answers[0], answers[2]);
    });
}

#[test]
fn plans_are_kept_and_show_the_call() {
    blocking(async {
        let session = session(sample_lake(), &[]).await;
        let call = "rake((select iso3, year, 1.0 as w from corridor_flow inner join country on iso3 = sender_iso3), w, \
             (select 'year', year, 10.0 from corridor_flow group by year))";
        let sql = format!("select round(sum(weight_calibrated), 6) from {call}");
        let first = rows(&session, &sql).await;
        assert_eq!(first, rows(&session, &sql).await);
        assert_ne!(first.concat().concat(), "NULL");
        // A table of the session is read as it is now.
        let own = "select w, g_weight from rake(own, w, (select 'c', 'a', 10.0))";
        for (weight, g) in [("4.0", "2.5"), ("5.0", "2.0")] {
            rows(&session, &format!("create table own as select 'a' as c, {weight} as w")).await;
            assert_eq!(rows(&session, own).await, [[weight, g]]);
            rows(&session, "drop table own").await;
        }
        let plan = rows(&session, &format!("explain select * from {call} where year > 2000")).await;
        let plan = plan.concat().concat();
        assert!(plan.contains("Computed: rake(weight => w, max_iterations => 100, tolerance => 1e-10)"), "{plan}");
        let (filter, computed) = (plan.find("Filter: ").unwrap(), plan.find("Computed: ").unwrap());
        assert!(filter < computed, "{plan}");
    });
}

#[test]
fn columns_keep_what_is_known_of_them() {
    blocking(async {
        let session = session(sample_lake(), &[]).await;
        let call = "rake((select *, 1.0 as w from corridor_flow), w, (select 'year', year, 1.0 from corridor_flow group by year))";
        let answer = session.run(&format!("select remittance_usd, weight_calibrated from {call}")).await.unwrap();
        let metadata = |column: usize, key: &str| answer.schema.field(column).metadata().get(key).cloned();
        assert!(metadata(0, "unit").is_some_and(|u| u.contains("dollars")), "{:?}", answer.schema);
        assert!(metadata(0, "source").is_some());
        assert!(metadata(1, "description").is_some_and(|d| d.starts_with("The new weight")));
    });
}

#[test]
fn examples_have_rows() {
    blocking(async {
        let session = session(sample_lake(), &[]).await;
        for function in envoi::library::functions().unwrap().iter().filter(|f| f.sql.is_none()) {
            let sql = function.meta.example.trim().trim_start_matches("> ").trim_end_matches(';');
            assert!(!rows(&session, sql).await.is_empty(), "{}", function.name);
        }
    });
}
