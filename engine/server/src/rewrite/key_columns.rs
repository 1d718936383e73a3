//! Subqueries that name the columns of a key: `SELECT array_agg(attname) FROM pg_attribute ...` over numbers that an
//! array of the query around has.
//!
//! Tools write them in many ways, all of them correlated by an array, which the engine does not turn into a join. What
//! they ask is one thing, and a function answers it.

use std::collections::HashSet;

use envoi::sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArguments,
    JoinConstraint, JoinOperator, OrderByExpr, Query, Select, SelectItem, SetExpr, TableFactor, UnaryOperator,
};

use super::build::{self, bare, called, conjuncts};
use super::scope;
use super::subqueries::ungrouped;

/// The call that a subquery comes to; `None` where it asks for something else.
pub(super) fn named(query: &Query) -> Option<Expr> {
    let SetExpr::Select(select) = query.body.as_ref() else { return None };
    let plain = query.with.is_none() && query.limit_clause.is_none() && query.fetch.is_none();
    if !plain || select.distinct.is_some() || select.having.is_some() || !ungrouped(select) {
        return None;
    }
    let [SelectItem::UnnamedExpr(item) | SelectItem::ExprWithAlias { expr: item, .. }] = select.projection.as_slice()
    else {
        return None;
    };
    let attribute = scope::factors(&select.from).find_map(attribute)?;
    let key = Key::of(select, attribute)?;
    key.collected(item)
}

/// The name by which a factor that is `pg_attribute` is called.
fn attribute(factor: &TableFactor) -> Option<String> {
    let TableFactor::Table { name, alias, args: None, .. } = factor else { return None };
    let parts = build::parts(name);
    let is = matches!(parts.as_slice(), [.., schema, table] if schema == "pg_catalog" && table == "pg_attribute");
    is.then(|| alias.as_ref().map_or_else(|| "pg_attribute".to_owned(), |a| build::folded(&a.name)))
}

/// The numbers of columns in FROM.
struct Numbers {
    alias: String,
    array: Expr,
    /// The columns that are the numbers, and those that are their places in the array.
    elements: Vec<String>,
    places: Vec<String>,
}

/// What is asked: the relation whose columns they are, and their numbers.
struct Key {
    attribute: String,
    numbers: Option<Numbers>,
    relation: Expr,
    array: Expr,
}

impl Key {
    fn of(select: &Select, attribute: String) -> Option<Self> {
        let mut factors = scope::factors(&select.from).filter(|f| self::attribute(f).is_none());
        let numbers = match (factors.next(), factors.next()) {
            (None, _) => None,
            (Some(one), None) => Some(Numbers::of(one)?),
            _ => return None,
        };
        if scope::factors(&select.from).filter(|f| self::attribute(f).is_some()).count() != 1 {
            return None;
        }
        let mut key = Self { attribute, array: build::null(), relation: build::null(), numbers };
        let mut joined = false;
        let mut conditions: Vec<Expr> = select.selection.clone().map(conjuncts).unwrap_or_default();
        for join in select.from.iter().flat_map(|t| &t.joins) {
            match &join.join_operator {
                JoinOperator::CrossJoin(_) | JoinOperator::Join(JoinConstraint::None) => {}
                JoinOperator::Join(on) | JoinOperator::Inner(on) => match on {
                    JoinConstraint::On(condition) => conditions.extend(conjuncts(condition.clone())),
                    JoinConstraint::Using(columns) => {
                        let [column] = columns.as_slice() else { return None };
                        let numbers = key.numbers.as_ref()?;
                        if build::last(column) != "attnum" || !numbers.elements.iter().any(|e| e == "attnum") {
                            return None;
                        }
                        joined = true;
                    }
                    _ => return None,
                },
                _ => return None,
            }
        }
        let (mut relation, mut array) = (None, None);
        for condition in &conditions {
            match key.told(condition)? {
                Told::Relation(oid) => relation = Some(oid),
                Told::Array(among) => array = Some(among),
                Told::Joined => joined = true,
                Told::Always => {}
            }
        }
        if key.numbers.is_some() != joined || key.numbers.is_some() == array.is_some() {
            return None;
        }
        key.array = array.or_else(|| key.numbers.as_ref().map(|n| n.array.clone()))?;
        key.relation = relation?;
        Some(key)
    }

    /// Whether an expression is this column of `pg_attribute`.
    fn is(&self, expr: &Expr, column: &str) -> bool {
        match bare(expr) {
            Expr::Identifier(ident) => build::folded(ident) == column,
            Expr::CompoundIdentifier(parts) => {
                scope::qualifier(parts).as_deref() == Some(&self.attribute)
                    && parts.last().is_some_and(|p| build::folded(p) == column)
            }
            Expr::Cast { expr, .. } => self.is(expr, column),
            _ => false,
        }
    }

    /// Whether an expression is of the query around.
    fn outer(&self, expr: &Expr) -> bool {
        if scope::has_query(expr) {
            return false;
        }
        let mut own: HashSet<String> = self.numbers.iter().map(|n| n.alias.clone()).collect();
        own.insert(self.attribute.clone());
        match bare(expr) {
            // A column alone is one of `pg_attribute`, if that has it.
            Expr::Identifier(ident) => {
                let columns = crate::catalogue::columns("pg_catalog", "pg_attribute");
                let name = build::folded(ident);
                let of_numbers = self.numbers.as_ref().is_some_and(|n| n.has(&name));
                !of_numbers && columns.is_some_and(|c| c.column_with_name(&name).is_none())
            }
            other => !scope::names_own(other, &own),
        }
    }

    fn told(&self, condition: &Expr) -> Option<Told> {
        match bare(condition) {
            Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
                for (one, other) in [(left, right), (right, left)] {
                    if self.is(one, "attrelid") && self.outer(other) {
                        return Some(Told::Relation(bare(other).clone()));
                    }
                    if self.is(one, "attnum") && self.numbers.as_ref().is_some_and(|n| n.is_element(other)) {
                        return Some(Told::Joined);
                    }
                }
                None
            }
            Expr::AnyOp { left, compare_op: BinaryOperator::Eq, right, .. } => {
                let among = self.is(left, "attnum") && self.outer(right);
                among.then(|| Told::Array(bare(right).clone()))
            }
            // Columns of keys are there.
            Expr::BinaryOp { left, op: BinaryOperator::Gt, right } => {
                (self.is(left, "attnum") && right.to_string() == "0").then_some(Told::Always)
            }
            Expr::UnaryOp { op: UnaryOperator::Not, expr } => self.is(expr, "attisdropped").then_some(Told::Always),
            _ => None,
        }
    }

    /// What the names are collected to.
    fn collected(&self, item: &Expr) -> Option<Expr> {
        let item = bare(item);
        if let Some((name, arguments)) = called(item)
            && name == "array_to_string"
            && let [array, rest @ ..] = arguments.as_slice()
            && rest.iter().all(|r| build::literal(r).is_some())
        {
            let all = std::iter::once(self.collected(array)?).chain(rest.iter().map(|r| (*r).clone()));
            return Some(build::call("array_to_string", all.collect()));
        }
        if let Expr::Cast { expr, kind, data_type, array, format } = item {
            let expr = Box::new(self.collected(expr)?);
            let (kind, data_type, format) = (kind.clone(), data_type.clone(), format.clone());
            return Some(Expr::Cast { kind, expr, data_type, array: *array, format });
        }
        let Expr::Function(Function { name, args: FunctionArguments::List(list), over: None, filter: None, .. }) = item
        else {
            return None;
        };
        let arguments: Option<Vec<&Expr>> = list
            .args
            .iter()
            .map(|a| match a {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(e)) => Some(e),
                _ => None,
            })
            .collect();
        let arguments = arguments?;
        let first = arguments.first()?;
        if !self.is(first, "attname") || list.duplicate_treatment.is_some() {
            return None;
        }
        let by_number = match list.clauses.as_slice() {
            [] => self.numbers.is_none(),
            [FunctionArgumentClause::OrderBy(by)] => self.by_number(by)?,
            _ => return None,
        };
        let function = if by_number { "envoi_key_columns_by_number" } else { "envoi_key_columns" };
        let names = build::call(function, vec![self.relation.clone(), self.array.clone()]);
        match (build::last(name).as_str(), arguments.as_slice()) {
            ("array_agg", [_]) => Some(names),
            ("string_agg", [_, separator]) if build::literal(separator).is_some() => {
                Some(build::call("array_to_string", vec![names, (*separator).clone()]))
            }
            _ => None,
        }
    }

    /// Whether an order is that of the relation's columns; that of the array otherwise.
    fn by_number(&self, by: &[OrderByExpr]) -> Option<bool> {
        let [one] = by else { return None };
        if one.options.asc == Some(false) {
            return None;
        }
        if self.numbers.as_ref().is_some_and(|n| n.is_place(&one.expr)) {
            return Some(false);
        }
        if let Some((name, arguments)) = called(bare(&one.expr))
            && name == "array_position"
            && let [array, number] = arguments.as_slice()
        {
            let same = bare(array).to_string() == self.array.to_string();
            return (same && self.is(number, "attnum")).then_some(false);
        }
        self.is(&one.expr, "attnum").then_some(true)
    }
}

enum Told {
    Relation(Expr),
    Array(Expr),
    Joined,
    Always,
}

impl Numbers {
    fn of(factor: &TableFactor) -> Option<Self> {
        match factor {
            TableFactor::UNNEST { alias: Some(alias), array_exprs, with_ordinality, .. } => {
                let [array] = array_exprs.as_slice() else { return None };
                let name = build::folded(&alias.name);
                let mut columns = alias.columns.iter().map(|c| build::folded(&c.name));
                let elements = vec![columns.next().unwrap_or_else(|| name.clone())];
                let places = columns.next().or_else(|| with_ordinality.then(|| "ordinality".to_owned()));
                Some(Self { alias: name, array: array.clone(), elements, places: places.into_iter().collect() })
            }
            TableFactor::Table { name, args: Some(args), alias: Some(alias), .. }
                if build::last(name) == "generate_subscripts" =>
            {
                let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(array))) = args.args.first() else { return None };
                let name = build::folded(&alias.name);
                let place = alias.columns.first().map_or_else(|| name.clone(), |c| build::folded(&c.name));
                Some(Self { alias: name, array: array.clone(), elements: Vec::new(), places: vec![place] })
            }
            TableFactor::Derived { subquery, alias: Some(alias), .. } => {
                let SetExpr::Select(select) = subquery.body.as_ref() else { return None };
                Self::selected(select, build::folded(&alias.name))
            }
            _ => None,
        }
    }

    /// A query of nothing but an array's elements and their places.
    fn selected(select: &Select, alias: String) -> Option<Self> {
        let inner = match select.from.as_slice() {
            [] => None,
            [one] if one.joins.is_empty() => Some(Self::of(&one.relation)?),
            _ => return None,
        };
        if select.selection.is_some() || select.distinct.is_some() || !ungrouped(select) {
            return None;
        }
        let mut numbers = Self { alias, array: build::null(), elements: Vec::new(), places: Vec::new() };
        let mut array = inner.as_ref().map(|i| i.array.clone());
        for item in &select.projection {
            let (expr, name) = match item {
                SelectItem::ExprWithAlias { expr, alias } => (expr, build::folded(alias)),
                SelectItem::UnnamedExpr(expr) => (expr, super::output::of_expr(expr)?),
                _ => return None,
            };
            if let Some(inner) = &inner {
                let place = inner.is_place(expr);
                match (place, inner.is_element(expr)) {
                    (true, _) => numbers.places.push(name),
                    (_, true) => numbers.elements.push(name),
                    _ => return None,
                }
                continue;
            }
            let (unnest, arguments) = called(bare(expr))?;
            let ([of], "unnest") = (arguments.as_slice(), unnest.as_str()) else { return None };
            let of = match called(of) {
                Some((function, arguments)) if matches!(function.as_str(), "envoi_subscripts" | "envoi_numbers") => {
                    numbers.places.push(name);
                    (*arguments.first()?).clone()
                }
                _ => {
                    numbers.elements.push(name);
                    (*of).clone()
                }
            };
            // All of them are of one array.
            if array.get_or_insert_with(|| of.clone()).to_string() != of.to_string() {
                return None;
            }
        }
        numbers.array = array?;
        Some(numbers)
    }

    fn has(&self, column: &str) -> bool {
        self.elements.iter().chain(&self.places).any(|c| c == column)
    }

    fn is_among(&self, expr: &Expr, columns: &[String]) -> bool {
        match bare(expr) {
            Expr::Identifier(ident) => columns.contains(&build::folded(ident)),
            Expr::CompoundIdentifier(parts) => {
                scope::qualifier(parts).as_ref() == Some(&self.alias)
                    && parts.last().is_some_and(|p| columns.contains(&build::folded(p)))
            }
            _ => false,
        }
    }

    fn is_place(&self, expr: &Expr) -> bool {
        self.is_among(expr, &self.places)
    }

    /// The number itself, or the array's element at its place.
    fn is_element(&self, expr: &Expr) -> bool {
        if let Some((name, arguments)) = called(bare(expr))
            && name == "envoi_element"
            && let [array, place] = arguments.as_slice()
        {
            return bare(array).to_string() == self.array.to_string() && self.is_place(place);
        }
        self.is_among(expr, &self.elements)
    }
}
