-- version
select current_setting('server_version_num')::int/100 as version;

-- schemas
select schema_name as "name" from information_schema.schemata where schema_name not in ('information_schema', 'pg_catalog', 'pg_toast') order by schema_name;

-- tables of a schema
select quote_ident(table_name) as "table" from information_schema.tables where quote_ident(table_schema) = 'lake' order by 1;

-- columns of a table
select quote_ident(column_name) as "column", data_type as "type" from information_schema.columns where case when array_length(parse_ident('lake.economy'), 1) = 2 then quote_ident(table_schema) = (parse_ident('lake.economy'))[1] and quote_ident(table_name) = (parse_ident('lake.economy'))[2] else quote_ident(table_name) = 'lake.economy' and quote_ident(table_schema) in (select case when trim(s[i]) = '"$user"' then user else trim(s[i]) end from generate_series(array_lower(string_to_array(current_setting('search_path'), ','), 1), array_upper(string_to_array(current_setting('search_path'), ','), 1)) as i, string_to_array(current_setting('search_path'), ',') s) end;
