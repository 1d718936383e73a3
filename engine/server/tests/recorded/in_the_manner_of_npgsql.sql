-- version
SELECT version();

-- types, with arrays told by their receive function
SELECT s.nspname, x.oid, x.typname, x.kind, x.typnotnull, x.element
FROM (
    SELECT inn.oid, inn.typnamespace, inn.typname, inn.kind, inn.typnotnull, inn.relkind,
           e.oid AS element, e.typname AS element_name, ec.relkind AS element_relkind,
           CASE WHEN ep.proname = 'array_recv' THEN 'a' ELSE e.typtype END AS element_kind
    FROM (
        SELECT t.oid, typnamespace, typname, typrelid, typnotnull, relkind, typelem AS elemoid,
               CASE WHEN p.proname = 'array_recv' THEN 'a' ELSE t.typtype END AS kind,
               CASE
                   WHEN p.proname = 'array_recv' THEN t.typelem
                   WHEN t.typtype = 'r' THEN rngsubtype
                   WHEN t.typtype = 'm' THEN (SELECT rngtypid FROM pg_range WHERE rngmultitypid = t.oid)
                   WHEN t.typtype = 'd' THEN t.typbasetype
               END AS element_oid
        FROM pg_type AS t
        LEFT JOIN pg_class AS c ON (c.oid = t.typrelid)
        LEFT JOIN pg_proc AS p ON p.oid = t.typreceive
        LEFT JOIN pg_range ON (pg_range.rngtypid = t.oid)
    ) AS inn
    LEFT JOIN pg_type AS e ON e.oid = element_oid
    LEFT JOIN pg_class AS ec ON (ec.oid = e.typrelid)
    LEFT JOIN pg_proc AS ep ON ep.oid = e.typreceive
) AS x
JOIN pg_namespace AS s ON (s.oid = typnamespace)
WHERE kind IN ('b', 'r', 'm', 'e', 'd')
   OR (kind = 'c' AND relkind = 'c')
   OR (kind = 'p' AND typname IN ('record', 'void'))
   OR (kind = 'a' AND (element_kind IN ('b', 'r', 'm', 'e', 'd')
       OR (element_kind = 'p' AND element_name IN ('record', 'void'))
       OR (element_kind = 'c' AND element_relkind = 'c')))
ORDER BY CASE WHEN kind IN ('b', 'e', 'p') THEN 0 WHEN kind = 'r' THEN 1 WHEN kind = 'm' THEN 2
              WHEN kind = 'c' THEN 3 WHEN kind = 'd' AND element_kind <> 'a' THEN 4
              WHEN kind = 'a' THEN 5 WHEN kind = 'd' AND element_kind = 'a' THEN 6 END;

-- fields of composite types
SELECT t.oid, a.attname, a.atttypid
FROM pg_type AS t
JOIN pg_namespace AS n ON (n.oid = t.typnamespace)
JOIN pg_class AS c ON (c.oid = t.typrelid)
JOIN pg_attribute AS a ON (a.attrelid = t.typrelid)
WHERE (t.typtype = 'c' AND c.relkind = 'c') AND attnum > 0 AND NOT attisdropped
ORDER BY t.oid, a.attnum;

-- labels of enumerations
SELECT pg_type.oid, enumlabel FROM pg_enum JOIN pg_type ON pg_type.oid = enumtypid ORDER BY oid, enumsortorder;

-- schema of a result
SELECT a.attnum, a.attname, c.relname, n.nspname, a.attnotnull, a.attidentity,
       CASE WHEN i.indisprimary THEN TRUE ELSE FALSE END AS is_key
FROM pg_attribute AS a
JOIN pg_class AS c ON c.oid = a.attrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT OUTER JOIN pg_index AS i ON i.indrelid = c.oid AND i.indisprimary AND a.attnum = ANY (i.indkey)
LEFT OUTER JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.atttypid <> 0 AND c.relkind IN ('r', 'v', 'm') AND NOT a.attisdropped AND c.oid = {oid:lake.remittance}
ORDER BY a.attnum;
