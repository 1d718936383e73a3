-- columns of a foreign key, by places in the array
SELECT c.conname AS name, t2.oid::regclass::text AS to_table, (SELECT array_agg(a.attname ORDER BY idx) FROM (SELECT idx, c.conkey[idx] AS conkey_elem FROM generate_subscripts(c.conkey, 1) AS idx) indexed_conkeys JOIN pg_attribute a ON a.attrelid = t1.oid AND a.attnum = indexed_conkeys.conkey_elem) AS conkey_names, (SELECT array_agg(a.attname ORDER BY idx) FROM (SELECT idx, c.confkey[idx] AS confkey_elem FROM generate_subscripts(c.confkey, 1) AS idx) indexed_confkeys JOIN pg_attribute a ON a.attrelid = t2.oid AND a.attnum = indexed_confkeys.confkey_elem) AS confkey_names FROM pg_constraint c JOIN pg_class t1 ON c.conrelid = t1.oid JOIN pg_class t2 ON c.confrelid = t2.oid JOIN pg_namespace n ON c.connamespace = n.oid WHERE c.contype = 'f' AND t1.relname = 'remittance' AND n.nspname = 'lake' ORDER BY c.conname;

-- columns of a key as an array
SELECT con.conname, ARRAY(SELECT attname FROM pg_attribute WHERE attrelid = con.conrelid AND attnum = ANY (con.conkey)) AS columns FROM pg_constraint con WHERE con.contype = 'p' AND con.conrelid = 'lake.remittance'::regclass;

-- columns of a key in one text
SELECT con.conname, (SELECT string_agg(a.attname, ', ' ORDER BY u.ord) FROM unnest(con.conkey) WITH ORDINALITY AS u(attnum, ord) JOIN pg_catalog.pg_attribute a ON a.attrelid = con.conrelid AND a.attnum = u.attnum AND NOT a.attisdropped) AS columns FROM pg_catalog.pg_constraint con WHERE con.contype IN ('p', 'f') AND con.connamespace = 'lake'::regnamespace ORDER BY con.conname;

-- columns of a key as one text of an array
SELECT con.conname, array_to_string(ARRAY(SELECT a.attname::text FROM pg_attribute a, unnest(con.conkey) k WHERE a.attrelid = con.conrelid AND a.attnum = k), ',') AS columns FROM pg_constraint con WHERE con.contype = 'p' AND con.connamespace = 'lake'::regnamespace ORDER BY con.conname;

-- columns of an index by places
SELECT i.indexrelid::regclass::text AS index, (SELECT array_agg(a.attname ORDER BY array_position(i.indkey, a.attnum)) FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)) AS columns FROM pg_index i WHERE i.indrelid = 'lake.remittance'::regclass;

-- columns of an index, by their numbers
SELECT i.indexrelid::regclass::text AS index, (SELECT string_agg(attname, ',' ORDER BY attnum) FROM pg_attribute WHERE attrelid = i.indrelid AND attnum = ANY (i.indkey) AND attnum > 0) AS columns FROM pg_index i WHERE i.indrelid = 'lake.economy'::regclass;
