// node-postgres and pg-cursor: both protocols, types, arrays, cursors, pools, error codes, cancelling.
'use strict';
const assert = require('node:assert/strict');
const { createRequire } = require('node:module');
const from = createRequire(`${process.env.ENVOI_CLIENTS || process.cwd()}/`);
const pg = from('pg');
const Cursor = from('pg-cursor');

// Runs until it is stopped.
const ENDLESS = 'select count(*) from generate_series(1, 1000000) as a(n), generate_series(1, 1000000) as b(n) where a.n % b.n = -1';
const YEARS = [2000, 2005, 2010, 2015, 2019, 2020, 2021, 2022, 2023];
const settings = { password: process.env.PGPASSWORD || undefined };

async function fails(what, promise, ...codes) {
  await assert.rejects(promise, (error) => {
    assert.ok(codes.includes(error.code), `${what}: SQLSTATE ${error.code}, not ${codes}: ${error.message}`);
    return true;
  });
}

async function values(db) {
  const { rows, fields, rowCount, command } = await db.query(
    'select iso3, year from mart.remittance_vs_oda where iso3 = $1 order by year', ['MEX']);
  assert.deepEqual(rows.map((r) => r.year), YEARS);
  assert.deepEqual(fields.map((f) => [f.name, f.dataTypeID]), [['iso3', 25], ['year', 23]]);
  assert.deepEqual([command, rowCount], ['SELECT', 9]);
  assert.deepEqual((await db.query("select remittance_usd, remit_oda_ratio, remit_exceeds_oda from mart.remittance_vs_oda where iso3 = 'CHN' and year = 2023")).rows,
    [{ remittance_usd: 29484300000, remit_oda_ratio: null, remit_exceeds_oda: true }]);
  assert.deepEqual((await db.query({ text: 'select iso3 from lake.country where iso3 = any($1) order by 1', values: [['NPL', 'MEX']], rowMode: 'array' })).rows,
    [['MEX'], ['NPL']]);
  assert.deepEqual((await db.query('select count(*) as n from mart.remittance_vs_oda where iso3 = $1 and year = any($2::int[])', ['MEX', [2000, 2005]])).rows,
    [{ n: '2' }]); // int8 is text: it does not fit a number
  await db.query("set time zone 'UTC'");
  const typed = await db.query(`select 1::int2 as a, 9007199254740993::int8 as b, 0.1::float8 as c, 1.10::numeric(5,2) as d, 'ж'::text as e,
    true as f, timestamptz '2020-02-29 12:00:00.25+01' as g, '\\x00ff'::bytea as h, array[1,null,3]::int4[] as i, array['a','b,"c']::text[] as j,
    '{"k": [1, null]}'::json as k, null::float8 as l, 'NaN'::float8 as m, '-infinity'::float8 as n, array[0.5]::float8[] as o`);
  assert.deepEqual(typed.rows[0], {
    a: 1, b: '9007199254740993', c: 0.1, d: '1.10', e: 'ж', f: true, g: new Date('2020-02-29T11:00:00.250Z'), h: Buffer.from([0, 255]),
    i: [1, null, 3], j: ['a', 'b,"c'], k: { k: [1, null] }, l: null, m: NaN, n: -Infinity, o: [0.5],
  });
  assert.deepEqual(typed.fields.map((f) => f.dataTypeID), [21, 20, 701, 1700, 25, 16, 1184, 17, 1007, 1009, 114, 701, 701, 701, 1022]);
  assert.deepEqual((await db.query({ text: 'select $1::int4 + 1::int4 as n, $2::text as t, $3::timestamptz as z, $4::bytea as b, $5::bool as f, $6::json as j',
    values: [41, "it's", new Date(0), Buffer.from([0, 1]), false, { a: 1 }] })).rows[0],
  { n: 42, t: "it's", z: new Date(0), b: Buffer.from([0, 1]), f: false, j: { a: 1 } });
  for (const year of [2000, 2010, 2020]) { // one prepared statement, three times
    assert.equal((await db.query({ name: 'newer', text: 'select count(*)::int4 as n from mart.remittance_vs_oda where iso3 = $1 and year > $2', values: ['MEX', year] })).rows[0].n,
      YEARS.filter((y) => y > year).length);
  }
  const several = await db.query("select 1::int4 as a; select 'x' as b");
  assert.deepEqual(several.map((r) => r.rows[0]), [{ a: 1 }, { b: 'x' }]);
  assert.deepEqual((await db.query("select iso3 from lake.country where iso3 = 'none'")).rows, []);
  assert.equal((await db.query('')).command, null); // an empty statement has an answer of its own
}

async function cursors(db) {
  const cursor = db.query(new Cursor('select n from generate_series(1, 2000) as t(n) where n <= $1::int4 order by n', [1000]));
  assert.deepEqual((await cursor.read(3)).map((r) => Number(r.n)), [1, 2, 3]);
  assert.equal((await cursor.read(500)).length, 500);
  assert.equal((await cursor.read(5000)).length, 497);
  assert.equal((await cursor.read(10)).length, 0);
  await cursor.close();
  const left = db.query(new Cursor('select n from generate_series(1, 1000) as t(n)'));
  await left.read(1);
  await left.close(); // the rest is never asked for
  assert.deepEqual((await db.query('select 1::int4 as a')).rows, [{ a: 1 }]);
}

async function errors(db) {
  await fails('column', db.query('select nothing'), '42703');
  await fails('column, extended', db.query('select nothing where 1 = $1', [1]), '42703');
  await fails('table', db.query('select * from lake.nothing'), '42P01');
  await fails('syntax', db.query('selekt 1'), '42601');
  await fails('division', db.query('select 1 / (year - year) from mart.remittance_vs_oda'), '22012');
  await fails('parameter', db.query('select $1::int4', ['x']), '22P02');
  await fails('insert', db.query("insert into lake.indicator (indicator) values ('x')"), '25006', '42501');
  await db.query('select nothing from lake.country').catch((e) => assert.deepEqual([e.severity, e.position], ['ERROR', '8']));
  await db.query('begin');
  await fails('in a transaction', db.query('select nothing'), '42703');
  await fails('until rollback', db.query('select 1'), '25P02');
  await db.query('rollback');
  await db.query('set statement_timeout = 250');
  await fails('too long', db.query(ENDLESS), '57014');
  await db.query('set statement_timeout = 0');
}

async function cancelling(db, pool) {
  // node-postgres has no call for it: another connection asks by the process's number.
  const { rows: [{ pid }] } = await db.query('select pg_backend_pid() as pid');
  const running = fails('cancelled', db.query(ENDLESS), '57014');
  await new Promise((done) => setTimeout(done, 300));
  assert.deepEqual((await pool.query('select pg_cancel_backend($1) as done', [pid])).rows, [{ done: true }]);
  await running;
  assert.deepEqual((await db.query('select 2::int4 as a')).rows, [{ a: 2 }]);
}

(async () => {
  const db = new pg.Client(settings);
  await db.connect();
  const pool = new pg.Pool({ ...settings, max: 4 });
  for (const part of [values, cursors, errors]) await part(db);
  await cancelling(db, pool);
  const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => pool.query('select $1::int4 * 2::int4 as n', [i])));
  assert.deepEqual(answers.map((a) => a.rows[0].n), Array.from({ length: 20 }, (_, i) => 2 * i));
  await pool.end();
  await db.end();
  console.log('node: ok');
})().catch((error) => {
  console.error('wrong:', error);
  process.exit(1);
});
