//! `interp_linear`: values between points in time.

use datafusion_common::Result;

use super::{SECTION, T, by_period};
use crate::aggregate::frame::{
    Field, Given, Kernel, Kind, Measure, Rows, Shape, Sink, Text, Work, number, option, refuse,
};

const FIELDS: &[Field] = &[Field::Number("t"), Field::Number("value"), Field::Count("interpolated")];

/// More periods than this between two points are a mistake in `t`.
const LONGEST: f64 = 100_000.0;

pub(super) static INTERP_LINEAR: Measure = Measure {
    name: "interp_linear",
    parameters: &[
        number("v", "A level at points in time, such as migrant stocks of every fifth year."),
        T,
        option("at", Kind::Constants, "A period, or a list of periods, to give the value at."),
    ],
    shape: |types| match types.get(2) {
        Some(t) if t.is_list() => Shape::Numbers,
        Some(t) if !t.is_null() => Shape::Number,
        _ => Shape::Structs(FIELDS),
    },
    work: Work::Rows(|given: &Given| {
        let at = match given.given("at") {
            true => Some(given.numbers("at", "expected a finite number", |_| true)?),
            false => None,
        };
        Ok(Box::new(Interpolate(at)))
    }),
    text: Text {
        section: SECTION,
        syntax: "interp_linear(v, t [, at])",
        description: "Linear interpolation between the points where v is not NULL, in the unit of v; never beyond the first or the \
                      last. With `at` the value there, or a list of values; NULL outside the points. Without, a list of structs for \
                      t, t + 1, … from the first to the last point, `interpolated` being 1 where there was no point; `unnest` makes \
                      rows of it. Without points the answer is NULL. A period that stands twice is an error, as are NaN and infinite \
                      values.",
        example: "> select interp_linear(v, t, 2017), interp_linear(v, t, [2014, 2020]) from (values (100.0, 2015), (150.0, 2020)) as t(v, t);\n120.0, [, 150.0]",
    },
};

#[derive(Debug)]
struct Interpolate(Option<Vec<f64>>);

impl Kernel for Interpolate {
    fn compute(&self, rows: &Rows<'_>, sink: &mut Sink) -> Result<()> {
        let value = |row: usize| rows.values().get(row).copied().unwrap_or(f64::NAN);
        let points: Vec<(f64, f64)> =
            by_period("interp_linear", rows, 1)?.into_iter().map(|(t, row)| (t, value(row))).collect();
        if let Some(at) = &self.0 {
            let values: Vec<Option<f64>> = at.iter().map(|t| between(&points, *t)).collect();
            sink.row(&values);
            return Ok(());
        }
        let (Some((begin, _)), Some((end, _))) = (points.first(), points.last()) else {
            sink.null();
            return Ok(());
        };
        if end - begin > LONGEST {
            return refuse("interp_linear", "t", format!("{begin} to {end}"), "expected at most 100000 periods");
        }
        let mut cells = Vec::new();
        for step in 0..=((end - begin).floor() as u32) {
            let t = begin + f64::from(step);
            let known = points.binary_search_by(|p| p.0.total_cmp(&t)).is_ok();
            cells.extend([Some(t), between(&points, t), Some(f64::from(u8::from(!known)))]);
        }
        sink.row(&cells);
        Ok(())
    }
}

fn between(points: &[(f64, f64)], t: f64) -> Option<f64> {
    let after = points.partition_point(|p| p.0 < t);
    let (right, value) = points.get(after)?;
    if *right == t {
        return Some(*value);
    }
    let (left, before) = points.get(after.checked_sub(1)?)?;
    Some(before + (value - before) * ((t - left) / (right - left)))
}
