//! Influences against changes of weights, and rows that come in parts.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, NullArray, UInt32Array};
use arrow::compute::{concat, take};
use arrow::datatypes::Float64Type;
use datafusion_expr::{Accumulator, EmitTo, GroupsAccumulator};

use super::accumulator::Effect;
use super::call::Call;
use super::group::Households;
use super::model::{Measure, Model, estimates, influences};
use super::store::Store;
use crate::aggregate::survey::design::Design;

fn call() -> Call {
    let design = Design::none(super::NAME);
    Call { design, replicates: None, relative: None, estimated: None, alone: false, finite: false, cells: true }
}

/// Invented households; the weights of one unit are multiplied.
fn arrays(rows: i64, unit: i64, by: f64) -> Vec<ArrayRef> {
    let column =
        |of: &dyn Fn(i64) -> f64| -> ArrayRef { Arc::new((0..rows).map(|i| Some(of(i))).collect::<Float64Array>()) };
    let psu = |i: i64| i * 13 % 7;
    let received = |i: i64| if i % 3 == 0 { (i * 37 % 41) as f64 * 4.0 } else { 0.0 };
    vec![
        column(&|i| (i * 7919 % 101) as f64 * 3.0 + received(i)),
        column(&received),
        column(&|i| 1.0 + (i % 4) as f64),
        column(&|_| 60.0),
        column(&|i| (1.0 + (i * 31 % 17) as f64 / 4.0) * if psu(i) == unit { by } else { 1.0 }),
        column(&|i| 1.0 + (i % 5) as f64),
        Arc::new(NullArray::new(rows as usize)),
        Arc::new((0..rows).map(|i| Some(psu(i))).collect::<Int64Array>()),
        Arc::new(NullArray::new(rows as usize)),
        column(&|_| 0.7),
        Arc::new((0..rows).map(|i| (i % 6 > 0).then_some(i % 6)).collect::<Int64Array>()),
    ]
}

fn households(call: &Call, arrays: &[ArrayRef]) -> Households {
    let mut store = Store::default();
    store.take(call, arrays, |_| 0, None, 1).unwrap();
    super::group::households(call, &store, 0).unwrap().unwrap()
}

#[test]
fn influences_are_derivatives_by_weight() {
    let call = call();
    let of = |unit: i64, by: f64| {
        let h = households(&call, &arrays(300, unit, by));
        let model = Model::new(&call, &h);
        (h, model)
    };
    let step = 1e-5;
    let (h, model) = of(0, 1.0);
    // Factors of calibration are held, so of the scales those with the survey's weights.
    for (place, compared) in model.scales.iter().enumerate().take(2) {
        for measure in Measure::ALL.into_iter().filter(|m| m.is_of(compared.scale)) {
            let places = compared.places.unwrap();
            let (with, without) = influences(&h, &model, places, measure).unwrap();
            let without = without.unwrap_or_else(|| vec![0.0; h.units]);
            assert!(with.iter().sum::<f64>().abs() < 1e-12, "{measure:?}");
            for unit in 0..7i64 {
                let at = |by: f64| {
                    let (h, model) = of(unit, by);
                    estimates(&h, &model, model.scales[place].places.unwrap(), measure).unwrap()
                };
                let (up, down) = (at(1.0 + step), at(1.0 - step));
                let slope = ((up.0 - down.0) / (2.0 * step), (up.1 - down.1) / (2.0 * step));
                let is = (with[unit as usize], without[unit as usize]);
                let size = |v: f64| 1e-7 * (1.0 + v.abs());
                assert!((is.0 - slope.0).abs() < size(slope.0), "{measure:?} {unit}: {is:?} {slope:?}");
                assert!((is.1 - slope.1).abs() < size(slope.1), "{measure:?} {unit}: {is:?} {slope:?}");
            }
        }
    }
}

#[test]
fn reweighted_households_are_another_distribution() {
    let call = call();
    let mut all = arrays(300, 0, 1.0);
    let factor = |i: i64| if i % 3 == 0 { 0.0 } else { 1.0 + (i % 4) as f64 / 3.0 };
    all.extend((0..2).map(|_| Arc::new(NullArray::new(300)) as ArrayRef));
    all.push(Arc::new((0..300).map(|i| Some(factor(i))).collect::<Float64Array>()));
    let h = households(&call, &all);
    let model = Model::new(&call, &h);
    let places = model.scales[0].places.unwrap();
    assert_eq!(model.scales[1].places.unwrap_err(), super::model::REWEIGHTED);

    // The same households alone, their weights multiplied.
    let mut alone = arrays(300, 0, 1.0);
    let weights = alone[4].as_primitive::<Float64Type>().values().iter().zip(0..);
    alone[4] = Arc::new(weights.map(|(w, i)| Some(w * factor(i))).collect::<Float64Array>());
    let other = households(&call, &alone);
    let others = Model::new(&call, &other);
    for measure in [Measure::Mean, Measure::Poverty(0), Measure::Poverty(2), Measure::Gini] {
        let (is, should) = (
            estimates(&h, &model, places, measure).unwrap(),
            estimates(&other, &others, others.scales[0].places.unwrap(), measure).unwrap(),
        );
        assert!((is.1 - should.1).abs() < 1e-13 * should.1.abs(), "{measure:?}: {is:?} {should:?}");
        assert!((is.0 - should.0).abs() > 1e-6, "{measure:?}: with is of all");
        let (is, should) = (
            influences(&h, &model, places, measure).unwrap().1.unwrap(),
            influences(&other, &others, others.scales[0].places.unwrap(), measure).unwrap().1.unwrap(),
        );
        for (is, should) in is.iter().zip(&should) {
            assert!((is - should).abs() < 1e-12 * (1.0 + should.abs()), "{measure:?}: {is} {should}");
        }
    }
}

#[test]
fn factors_and_domains_come_in_parts() {
    let mut all = arrays(400, 0, 1.0);
    // Some groups have factors, from some row on; some rows are of the design alone.
    let factor = |i: i64| if i % 5 < 3 && i > 100 { 0.5 + (i % 3) as f64 } else { 1.0 };
    all.push(Arc::new((0..400).map(|i| Some(i % 2)).collect::<Int64Array>()));
    all.push(Arc::new(NullArray::new(400)));
    all.push(Arc::new((0..400).map(|i| Some(factor(i))).collect::<Float64Array>()));
    all.push(Arc::new((0..400).map(|i| Some(f64::from(i % 11 > 2))).collect::<Float64Array>()));
    let order: Vec<u32> = (0..400).map(|i| i * 171 % 400).collect();
    let groups: Vec<usize> = order.iter().map(|r| group(*r)).collect();
    let mut plain = Effect::new(call());
    GroupsAccumulator::update_batch(&mut plain, &rows(&all, &order), &groups, None, 5).unwrap();
    let should = GroupsAccumulator::evaluate(&mut plain, EmitTo::All).unwrap();
    let mut merged = in_parts(&all, &order);
    assert_eq!(&GroupsAccumulator::evaluate(&mut merged, EmitTo::All).unwrap(), &should);
}

fn rows(arrays: &[ArrayRef], of: &[u32]) -> Vec<ArrayRef> {
    let places = UInt32Array::from(of.to_vec());
    arrays.iter().map(|a| take(a, &places, None).unwrap()).collect()
}

/// Rows that come in parts, of which each gives its first groups before the others; groups are met in
/// another order.
fn in_parts(all: &[ArrayRef], order: &[u32]) -> Effect {
    let mut merged = Effect::new(call());
    for part in order.chunks(90) {
        let mut partial = Effect::new(call());
        let local: Vec<usize> = part.iter().map(|r| 4 - group(*r)).collect();
        GroupsAccumulator::update_batch(&mut partial, &rows(all, part), &local, None, 5).unwrap();
        let first = GroupsAccumulator::state(&mut partial, EmitTo::First(2)).unwrap();
        GroupsAccumulator::merge_batch(&mut merged, &first, &[4, 3], 5).unwrap();
        let rest = GroupsAccumulator::state(&mut partial, EmitTo::All).unwrap();
        GroupsAccumulator::merge_batch(&mut merged, &rest, &[2, 1, 0], 5).unwrap();
    }
    merged
}

/// Groups by the number of the row.
fn group(row: u32) -> usize {
    (row % 5) as usize
}

#[test]
fn groups_do_not_depend_on_parts() {
    let all = arrays(400, 0, 1.0);
    let order: Vec<u32> = (0..400).map(|i| i * 171 % 400).collect();
    let mut plain = Effect::new(call());
    let groups: Vec<usize> = order.iter().map(|r| group(*r)).collect();
    GroupsAccumulator::update_batch(&mut plain, &rows(&all, &order), &groups, None, 5).unwrap();
    let should = GroupsAccumulator::evaluate(&mut plain, EmitTo::All).unwrap();
    assert_eq!((should.len(), should.null_count()), (5, 0));
    assert_eq!(GroupsAccumulator::evaluate(&mut plain, EmitTo::All).unwrap().len(), 0);

    let mut merged = in_parts(&all, &order);
    let first = GroupsAccumulator::evaluate(&mut merged, EmitTo::First(3)).unwrap();
    let rest = GroupsAccumulator::evaluate(&mut merged, EmitTo::All).unwrap();
    assert_eq!(&concat(&[&first, &rest]).unwrap(), &should);

    // Row by row, as when there are nearly as many groups as rows.
    let states = GroupsAccumulator::convert_to_state(&plain, &rows(&all, &order), None).unwrap();
    let mut converted = Effect::new(call());
    GroupsAccumulator::merge_batch(&mut converted, &states, &groups, 5).unwrap();
    assert_eq!(&GroupsAccumulator::evaluate(&mut converted, EmitTo::All).unwrap(), &should);
}

#[test]
fn a_filter_and_a_window() {
    let all = arrays(120, 0, 1.0);
    let passes: BooleanArray = (0..120).map(|i| (i % 7 > 0).then_some(i % 2 == 0)).collect();
    let kept: Vec<u32> = (0..120).filter(|i| i % 7 > 0 && i % 2 == 0).collect();
    let mut filtered = Effect::new(call());
    GroupsAccumulator::update_batch(&mut filtered, &all, &[0; 120], Some(&passes), 1).unwrap();
    let filtered = GroupsAccumulator::evaluate(&mut filtered, EmitTo::All).unwrap();
    let mut single = Effect::new(call());
    let empty = Accumulator::evaluate(&mut single).unwrap();
    assert!(empty.is_null());
    Accumulator::update_batch(&mut single, &rows(&all, &kept[..20])).unwrap();
    Accumulator::evaluate(&mut single).unwrap();
    Accumulator::update_batch(&mut single, &rows(&all, &kept[20..])).unwrap();
    let again = Accumulator::evaluate(&mut single).unwrap();
    assert_eq!(&again.to_array().unwrap(), &filtered);
    assert!(Accumulator::size(&single) > 120 * 28);
}

#[test]
fn lines_that_differ_later_on() {
    let mut all = arrays(90, 0, 1.0);
    let line = |row: i64| if row < 60 { 60.0 } else { 70.0 };
    all[3] = Arc::new((0..90).map(|i| Some(line(i))).collect::<Float64Array>());
    let call = call();
    let whole = households(&call, &all);
    let mut store = Store::default();
    for begin in [0, 30, 60] {
        let part: Vec<ArrayRef> = all.iter().map(|a| a.slice(begin, 30)).collect();
        store.take(&call, &part, |_| 0, None, 1).unwrap();
    }
    let parts = super::group::households(&call, &store, 0).unwrap().unwrap();
    assert_eq!(whole.same.line, parts.same.line);
    assert_eq!(whole.changed.line, parts.changed.line);
    assert!(whole.same.line.contains(&60.0) && whole.same.line.contains(&70.0));
}
