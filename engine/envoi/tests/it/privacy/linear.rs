//! Many statements of one role at random, and all that can be computed from their answers by
//! adding and subtracting: no cell of fewer than 10 households.

use std::collections::BTreeMap;

use super::{ask, owner, reader, rows};
use crate::lakes::blocking;

const REGIONS: [&str; 7] = ["A", "B", "C", "D", "E", "F", "G"];
/// Statements of one role.
const STATEMENTS: usize = 60;

/// Households of the survey by region, area and whether they receive.
type Kind = (usize, bool, bool);

/// A prime for exact elimination.
const P: i128 = (1 << 61) - 1;

fn inverse(of: i128) -> i128 {
    let (mut base, mut power, mut result) = (of.rem_euclid(P), P - 2, 1);
    while power > 0 {
        if power & 1 == 1 {
            result = result * base % P;
        }
        (base, power) = (base * base % P, power >> 1);
    }
    result
}

/// What can be computed from some sums, in echelon form.
#[derive(Default)]
struct Span(Vec<(usize, Vec<i128>)>);

impl Span {
    fn rest(&self, mut row: Vec<i128>) -> Vec<i128> {
        for (pivot, basis) in &self.0 {
            let times = row[*pivot];
            if times != 0 {
                row.iter_mut().zip(basis).for_each(|(v, b)| *v = (*v - times * b % P).rem_euclid(P));
            }
        }
        row
    }

    fn add(&mut self, row: Vec<i128>) {
        let row = self.rest(row);
        if let Some(pivot) = row.iter().position(|v| *v != 0) {
            let scale = inverse(row[pivot]);
            self.0.push((pivot, row.iter().map(|v| v * scale % P).collect()));
        }
    }

    fn has(&self, row: Vec<i128>) -> bool {
        self.rest(row).iter().all(|v| *v == 0)
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    /// A condition, and which kinds of households meet it.
    fn condition(&mut self) -> (String, Vec<bool>, [Option<bool>; 2]) {
        let mut text = "survey_id = 'ton_2015'".to_owned();
        let mut regions = vec![true; REGIONS.len()];
        match self.below(4) {
            0 => {}
            1 => {
                let one = usize::try_from(self.below(7)).unwrap();
                regions = (0..7).map(|r| r == one).collect();
                text += &format!(" and region = '{}'", REGIONS[one]);
            }
            2 => {
                let one = usize::try_from(self.below(7)).unwrap();
                regions = (0..7).map(|r| r != one).collect();
                text += &format!(" and region <> '{}'", REGIONS[one]);
            }
            _ => {
                regions = (0..7).map(|_| self.below(2) == 0).collect();
                let named: Vec<String> = (0..7)
                    .filter(|r| regions[*r])
                    .map(|r| format!("'{}'", REGIONS[r]))
                    .chain(["''".to_owned()])
                    .collect();
                text += &format!(" and region in ({})", named.join(", "));
            }
        }
        let mut flag = |name: &str, yes: &str, no: &str| match self.below(4) {
            0 => {
                text += &format!(" and {name}{yes}");
                Some(true)
            }
            1 => {
                text += &format!(" and {name}{no}");
                Some(false)
            }
            _ => None,
        };
        let flags = [flag("urban", "", " = false"), flag("remittance", " > 0", " = 0")];
        (text, regions, flags)
    }
}

#[test]
fn nothing_small_is_in_the_span_of_the_answers() {
    blocking(async {
        let sql = "select region, urban, remittance > 0, count(*) from household where survey_id = 'ton_2015' group by 1, 2, 3";
        let counted: BTreeMap<Kind, i64> = rows(&owner().await, sql)
            .await
            .iter()
            .map(|r| {
                let region = REGIONS.iter().position(|known| *known == r[0]).unwrap();
                ((region, r[1] == "true", r[2] == "true"), r[3].parse().unwrap())
            })
            .collect();
        let kinds: Vec<Kind> = counted.keys().copied().collect();
        let row = |meets: &dyn Fn(&Kind) -> bool| kinds.iter().map(|kind| i128::from(meets(kind))).collect::<Vec<_>>();
        // Cells by any of the keys, with too few households.
        let mut small: Vec<Vec<i128>> = Vec::new();
        for region in (0..7).map(Some).chain([None]) {
            for urban in [Some(true), Some(false), None] {
                for receives in [Some(true), Some(false), None] {
                    let meets = |k: &Kind| {
                        region.is_none_or(|r| r == k.0)
                            && urban.is_none_or(|u| u == k.1)
                            && receives.is_none_or(|r| r == k.2)
                    };
                    let count: i64 = counted.iter().filter(|(k, _)| meets(k)).map(|(_, n)| n).sum();
                    if (1..10).contains(&count) {
                        small.push(row(&meets));
                    }
                }
            }
        }
        assert!(small.len() > 5, "{}", small.len());
        let (mut told, mut answered, mut asked) = (0, 0, 0);
        for seed in 0..6 {
            let (reader, mut random, mut span) = (reader().await, Random(seed), Span::default());
            for _ in 0..STATEMENTS {
                let (condition, regions, flags) = random.condition();
                let meets =
                    |k: &Kind| regions[k.0] && flags[0].is_none_or(|u| u == k.1) && flags[1].is_none_or(|r| r == k.2);
                let grouped = random.below(4) == 0;
                let by = if grouped { "select sum(weight), region" } else { "select sum(weight), ''" };
                let group = if grouped { " group by region" } else { "" };
                asked += 1;
                let Ok((seen, _)) = ask(&reader, &format!("{by} from household where {condition}{group}")).await else {
                    continue;
                };
                for cell in seen.iter().filter(|cell| cell[0] != "NULL") {
                    answered += 1;
                    span.add(row(&|k: &Kind| meets(k) && (!grouped || REGIONS[k.0] == cell[1])));
                }
            }
            told += small.iter().filter(|target| span.has((*target).clone())).count();
        }
        eprintln!("{asked} statements, {answered} cells shown, {} small cells, {told} recovered", small.len());
        assert_eq!(told, 0, "of {} small cells, in 6 sessions", small.len());
        assert!(answered > asked / 3, "{answered} of {asked}: what tells nothing is shown");
    });
}
