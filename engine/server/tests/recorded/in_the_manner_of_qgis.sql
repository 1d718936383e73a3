-- what may be written
select has_schema_privilege('lake', 'CREATE'), has_database_privilege(current_database(), 'CREATE'), pg_is_in_recovery();

-- relations without geometry
select c.relname, n.nspname, c.relkind from pg_class c, pg_namespace n where n.oid = c.relnamespace and has_schema_privilege(n.nspname, 'usage') and has_table_privilege('"' || n.nspname || '"."' || c.relname || '"', 'select') and c.relkind in ('v', 'r', 'm', 'p', 'f') and n.nspname not in ('pg_catalog', 'information_schema') order by 2, 1;

-- comment of a table
select description from pg_description where objoid = '"lake"."economy"'::regclass and objsubid = 0;

-- first key
select a.attname from pg_index i, pg_attribute a where i.indexrelid = a.attrelid and i.indrelid = '"lake"."economy"'::regclass and (i.indisprimary or i.indisunique) order by case when i.indisprimary then 1 else 2 end, a.attnum limit 1;

-- columns
select a.attname, t.typname, t.typtype, t.typelem, a.attnotnull, format_type(a.atttypid, a.atttypmod), col_description(a.attrelid, a.attnum) from pg_attribute a, pg_type t where a.atttypid = t.oid and a.attrelid = '"lake"."economy"'::regclass and a.attnum > 0 order by a.attnum;

-- rows, about
select reltuples::bigint from pg_catalog.pg_class where oid = '"lake"."economy"'::regclass;
