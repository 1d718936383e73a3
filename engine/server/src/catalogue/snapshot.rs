//! The engine's relations with their oids, keys and schemas, as one session sees them at one time.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use arrow::datatypes::Field;

use super::mapping::type_oid;
use super::oid::Oids;
use super::relation::{Reference, Relation, Server};
use super::shape::{PG_CATALOG, SCHEMAS, shapes};
use super::system::{Procedure, procedures};

/// Oid of the schema `public`.
pub(crate) const PUBLIC: u32 = 2200;
/// Schema that functions of the engine are shown in: they are found without one.
pub(crate) const FUNCTIONS: &str = "mart";
/// Oid of the role that owns everything.
pub(crate) const OWNER: u32 = 10;

/// What the rows of the catalogue and its functions are made of.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) server: Server,
    pub(crate) tables: Vec<Table>,
    /// Schemas by name, those of the system too.
    pub(crate) namespaces: BTreeMap<String, u32>,
    pub(crate) roles: Vec<Role>,
    pub(crate) database: u32,
    /// Schemas that are searched for names without one, `pg_catalog` aside.
    pub(crate) path: Vec<String>,
    /// Functions of the engine, by oid.
    pub(crate) functions: BTreeMap<u32, Procedure>,
    objects: HashMap<u32, Object>,
}

/// A relation with its oids.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) oid: u32,
    pub(crate) namespace: u32,
    pub(crate) relation: Relation,
    pub(crate) key: Option<Key>,
    pub(crate) foreign: Vec<Foreign>,
}

/// A primary key and its index, which have one name.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) constraint: u32,
    pub(crate) index: u32,
    pub(crate) name: String,
    /// Numbers of the columns, from 1.
    pub(crate) columns: Vec<i16>,
}

/// A foreign key.
#[derive(Debug)]
pub(crate) struct Foreign {
    pub(crate) constraint: u32,
    pub(crate) name: String,
    pub(crate) columns: Vec<i16>,
    /// Oid of the relation that it refers to, and of the index there.
    pub(crate) target: u32,
    pub(crate) index: u32,
    pub(crate) to: Vec<i16>,
}

/// A role.
#[derive(Debug)]
pub(crate) struct Role {
    pub(crate) oid: u32,
    pub(crate) name: String,
    /// Whether it is one of PostgreSQL's own.
    pub(crate) predefined: bool,
}

/// What an oid stands for: a table by its place, and of that the index or constraint.
#[derive(Debug, Clone, Copy)]
enum Object {
    Table(usize),
    Index(usize),
    Key(usize),
    Foreign(usize, usize),
}

impl Snapshot {
    /// Gives oids to what there is. A key or reference with a column that the relation does not have is left out.
    pub(crate) fn new(mut relations: Vec<Relation>, server: Server) -> Self {
        relations.sort_by(|a, b| (&a.schema, &a.name).cmp(&(&b.schema, &b.name)));
        let mut oids = Oids::default();
        let namespaces = namespaces(&relations, &mut oids);
        let database = oids.of("database", "", &server.database);
        let roles = roles(&server, &mut oids);
        let mut tables: Vec<Table> = relations.into_iter().map(|r| table(r, &namespaces, &mut oids)).collect();
        link(&mut tables, &mut oids);
        let objects = objects(&tables);
        let path = path(&server, &namespaces);
        let functions = server.functions.iter().map(|f| {
            let oid = oids.of("function", FUNCTIONS, &format!("{} {}", f.kind, f.name));
            let of = |field: &Field| type_oid(field).0;
            let procedure = Procedure {
                oid,
                name: f.name.clone(),
                returns: of(&f.result),
                kind: f.kind.to_string(),
                arguments: f.arguments.iter().map(of).collect(),
                ..Procedure::default()
            };
            (oid, procedure)
        });
        let functions = functions.collect();
        Self { server, tables, namespaces, roles, database, path, functions, objects }
    }

    /// The function of an oid, of PostgreSQL or of the engine.
    pub(crate) fn procedure(&self, oid: u32) -> Option<&Procedure> {
        self.functions.get(&oid).or_else(|| procedures().get(oid))
    }

    /// The table or view of an oid.
    pub(crate) fn table(&self, oid: u32) -> Option<&Table> {
        match self.objects.get(&oid) {
            Some(Object::Table(t)) => self.tables.get(*t),
            _ => None,
        }
    }

    /// The table whose primary key's index has an oid.
    pub(crate) fn indexed(&self, oid: u32) -> Option<(&Table, &Key)> {
        match self.objects.get(&oid) {
            Some(Object::Index(t)) => self.tables.get(*t).and_then(|t| t.key.as_ref().map(|k| (t, k))),
            _ => None,
        }
    }

    /// The primary key of an oid.
    pub(crate) fn key(&self, oid: u32) -> Option<(&Table, &Key)> {
        match self.objects.get(&oid) {
            Some(Object::Key(t)) => self.tables.get(*t).and_then(|t| t.key.as_ref().map(|k| (t, k))),
            _ => None,
        }
    }

    /// The foreign key of an oid.
    pub(crate) fn foreign(&self, oid: u32) -> Option<(&Table, &Foreign)> {
        match self.objects.get(&oid) {
            Some(Object::Foreign(t, f)) => self.tables.get(*t).and_then(|t| t.foreign.get(*f).map(|f| (t, f))),
            _ => None,
        }
    }

    /// Schema and name of a relation or index, of the system's too.
    pub(crate) fn name_of(&self, oid: u32) -> Option<(&str, &str)> {
        if let Some(table) = self.table(oid) {
            return Some((&table.relation.schema, &table.relation.name));
        }
        if let Some((table, key)) = self.indexed(oid) {
            return Some((&table.relation.schema, &key.name));
        }
        shapes().by_oid(oid).map(|s| (s.schema, s.name))
    }

    /// Oid of a relation or index; without a schema, the first one that the search finds.
    pub(crate) fn oid_of(&self, schema: Option<&str>, name: &str) -> Option<u32> {
        let Some(schema) = schema else {
            let searched = std::iter::once("pg_catalog").chain(self.path.iter().map(String::as_str));
            return searched.into_iter().find_map(|s| self.oid_of(Some(s), name));
        };
        if let Some(shape) = shapes().get(schema, name) {
            return Some(shape.oid);
        }
        let within = self.tables.iter().filter(|t| t.relation.schema == schema);
        within
            .clone()
            .find(|t| t.relation.name == name)
            .map(|t| t.oid)
            .or_else(|| within.filter_map(|t| t.key.as_ref()).find(|k| k.name == name).map(|k| k.index))
    }

    /// Whether a relation is found by its name alone; `None` if there is none of the oid.
    pub(crate) fn visible(&self, oid: u32) -> Option<bool> {
        let (_, name) = self.name_of(oid)?;
        Some(self.oid_of(None, name) == Some(oid))
    }

    /// The name of a schema.
    pub(crate) fn namespace(&self, oid: u32) -> Option<&str> {
        self.namespaces.iter().find(|(_, o)| **o == oid).map(|(n, _)| n.as_str())
    }

    /// The name of a role.
    pub(crate) fn role(&self, oid: u32) -> Option<&str> {
        self.roles.iter().find(|r| r.oid == oid).map(|r| r.name.as_str())
    }

    /// The oid of a role.
    pub(crate) fn role_oid(&self, name: &str) -> Option<u32> {
        self.roles.iter().find(|r| r.name == name).map(|r| r.oid)
    }

    /// The name of the role that owns everything.
    pub(crate) fn owner(&self) -> &str {
        self.role(OWNER).unwrap_or_default()
    }
}

fn namespaces(relations: &[Relation], oids: &mut Oids) -> BTreeMap<String, u32> {
    let information = shapes().get("information_schema", "tables").map_or(0, |_| INFORMATION_SCHEMA);
    let own: BTreeSet<&str> = relations.iter().map(|r| r.schema.as_str()).collect();
    let own = own.into_iter().filter(|s| !SCHEMAS.contains(s) && *s != "public" && *s != "pg_toast");
    let mut all: BTreeMap<String, u32> = own.map(|s| (s.to_owned(), oids.of("schema", "", s))).collect();
    let system =
        [("pg_catalog", PG_CATALOG), ("pg_toast", 99), ("public", PUBLIC), ("information_schema", information)];
    all.extend(system.map(|(n, o)| (n.to_owned(), o)));
    all
}

/// Oid of the schema `information_schema` in the server that the rows were taken from.
pub(crate) const INFORMATION_SCHEMA: u32 = 13_207;

fn roles(server: &Server, oids: &mut Oids) -> Vec<Role> {
    let mut roles = Vec::new();
    for (place, name) in server.users.iter().enumerate() {
        let oid = if place == 0 { OWNER } else { oids.of("role", "", name) };
        roles.push(Role { oid, name: name.clone(), predefined: false });
    }
    let sheet = super::embedded::sheet("roles").ok().flatten().unwrap_or_default();
    for row in &sheet.rows {
        if let (Some(Ok(oid)), Some(name)) = (row.get(0).map(str::parse), row.get(1)) {
            roles.push(Role { oid, name: name.to_owned(), predefined: true });
        }
    }
    roles
}

fn table(relation: Relation, namespaces: &BTreeMap<String, u32>, oids: &mut Oids) -> Table {
    let oid = oids.of("relation", &relation.schema, &relation.name);
    let namespace = namespaces.get(&relation.schema).copied().unwrap_or(PUBLIC);
    let key = numbers(&relation, &relation.key).filter(|c| !c.is_empty()).map(|columns| {
        let name = format!("{}_pkey", relation.name);
        Key {
            constraint: oids.of("constraint", &relation.schema, &name),
            index: oids.of("relation", &relation.schema, &name),
            name,
            columns,
        }
    });
    Table { oid, namespace, relation, key, foreign: Vec::new() }
}

/// Finds what references refer to, now that everything has an oid.
fn link(tables: &mut [Table], oids: &mut Oids) {
    let places: HashMap<(String, String), usize> =
        tables.iter().enumerate().map(|(i, t)| ((t.relation.schema.clone(), t.relation.name.clone()), i)).collect();
    for place in 0..tables.len() {
        let Some(table) = tables.get(place) else { continue };
        let mut foreign = Vec::new();
        for reference in &table.relation.references {
            let target = places.get(&(reference.schema.clone(), reference.table.clone())).and_then(|&p| tables.get(p));
            if let Some(target) = target
                && let Some(key) = foreign_key(table, target, reference, oids)
            {
                foreign.push(key);
            }
        }
        if let Some(table) = tables.get_mut(place) {
            table.foreign = foreign;
        }
    }
}

fn foreign_key(table: &Table, target: &Table, reference: &Reference, oids: &mut Oids) -> Option<Foreign> {
    let columns = numbers(&table.relation, &reference.columns)?;
    let to = numbers(&target.relation, &reference.to)?;
    let name = format!("{}_{}_fkey", table.relation.name, reference.columns.join("_"));
    Some(Foreign {
        constraint: oids.of("constraint", &table.relation.schema, &name),
        name,
        columns,
        target: target.oid,
        index: target.key.as_ref().map_or(0, |k| k.index),
        to,
    })
}

fn numbers(relation: &Relation, names: &[String]) -> Option<Vec<i16>> {
    let number = |name: &String| {
        let place = relation.columns.fields().iter().position(|f| f.name() == name)?;
        i16::try_from(place + 1).ok()
    };
    names.iter().map(number).collect()
}

fn objects(tables: &[Table]) -> HashMap<u32, Object> {
    let mut objects = HashMap::new();
    for (place, table) in tables.iter().enumerate() {
        objects.insert(table.oid, Object::Table(place));
        if let Some(key) = &table.key {
            objects.insert(key.index, Object::Index(place));
            objects.insert(key.constraint, Object::Key(place));
        }
        let foreign = table.foreign.iter().enumerate();
        objects.extend(foreign.map(|(number, f)| (f.constraint, Object::Foreign(place, number))));
    }
    objects
}

/// The search path of the settings, the schemas that exist.
fn path(server: &Server, namespaces: &BTreeMap<String, u32>) -> Vec<String> {
    const DEFAULT: &str = "mart, lake, model, public";
    let set = server.settings.iter().find(|(name, _)| name.eq_ignore_ascii_case("search_path"));
    let names = set.map_or(DEFAULT, |(_, value)| value.as_str()).split(',').map(|n| n.trim().trim_matches('"'));
    names.filter(|n| *n != "pg_catalog" && namespaces.contains_key(*n)).map(str::to_owned).collect()
}
