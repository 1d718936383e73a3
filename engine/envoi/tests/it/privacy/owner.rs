//! The owner is warned.

use super::{ask, owner};
use crate::lakes::blocking;

#[test]
fn the_owner_sees_all_and_is_told() {
    blocking(async {
        let owner = owner().await;
        for (sql, words) in [
            ("select household_id from household limit 1", "rows of single households"),
            ("select * from (select income_total from household order by 1) limit 3", "rows of single households"),
            ("select region, count(*) from household group by region, survey_id", "cells of fewer than 10 households"),
            ("select distinct region from household where survey_id = 'ton_2015'", "cells of fewer than 10 households"),
            ("create table own as select * from household", "rows of single households"),
        ] {
            let (_, notes) = ask(&owner, sql).await.unwrap();
            assert!(notes.len() == 1 && notes[0].contains(words), "{sql}: {notes:?}");
        }
        for sql in [
            "select count(*) from household",
            "select survey_id, gini(income_total, weight) from household group by survey_id",
            "select count(*) from country",
            "explain select * from household",
            "select h.survey_id, count(*) from household h join household g on h.household_id = g.household_id group by 1",
        ] {
            let (_, notes) = ask(&owner, sql).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
            assert!(notes.is_empty(), "{sql}: {notes:?}");
        }
    });
}
