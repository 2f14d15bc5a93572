'use strict';
// SQLite through its C API: a database in memory, prepared statements, values of every kind.

const assert = require('node:assert/strict');
const { types } = require('node:util');
const { arrayConstructor, close, define, load, open, DataType } = require('ffi-jit');
const { show } = require('./support/show.js');

try {
  open({ library: 'sqlite', path: 'libsqlite3.so.0' });
} catch {
  console.log(
    'skipped: libsqlite3.so.0 is not on this machine (Debian and Ubuntu: ' +
      'apt-get install libsqlite3-0; Fedora: dnf install sqlite-libs)',
  );
  process.exit(0);
}
open({ library: 'libc', path: '' });

const { I32, I64, U64, BigInt: Int64, Double, String: CString, U8Array, External } = DataType;
const fn = (retType, ...paramsType) => ({ library: 'sqlite', retType, paramsType });

// The opaque handles of the C API, sqlite3 * and sqlite3_stmt *, are Externals.
const sq = define({
  sqlite3_libversion: fn(CString),
  sqlite3_open: fn(I32, CString, U8Array),
  sqlite3_close: fn(I32, External),
  sqlite3_exec: fn(I32, External, CString, I64, I64, I64),
  sqlite3_errmsg: fn(CString, External),
  sqlite3_errstr: fn(CString, I32),
  sqlite3_changes: fn(I32, External),
  sqlite3_last_insert_rowid: fn(Int64, External),
  sqlite3_prepare_v2: fn(I32, External, CString, I32, U8Array, I64),
  sqlite3_bind_int64: fn(I32, External, I32, Int64),
  sqlite3_bind_double: fn(I32, External, I32, Double),
  sqlite3_bind_text: fn(I32, External, I32, CString, I32, I64),
  sqlite3_bind_blob: fn(I32, External, I32, U8Array, I32, I64),
  sqlite3_bind_null: fn(I32, External, I32),
  sqlite3_step: fn(I32, External),
  sqlite3_reset: fn(I32, External),
  sqlite3_finalize: fn(I32, External),
  sqlite3_column_count: fn(I32, External),
  sqlite3_column_name: fn(CString, External, I32),
  sqlite3_column_type: fn(I32, External, I32),
  sqlite3_column_int64: fn(Int64, External, I32),
  sqlite3_column_double: fn(Double, External, I32),
  sqlite3_column_text: fn(CString, External, I32),
  sqlite3_column_bytes: fn(I32, External, I32),
});
const { memset } = define({
  memset: { library: 'libc', retType: External, paramsType: [Int64, I32, U64] },
});

const SQLITE_OK = 0;
const SQLITE_ERROR = 1;
const SQLITE_CONSTRAINT = 19;
const SQLITE_ROW = 100;
const SQLITE_DONE = 101;
const SQLITE_TRANSIENT = -1; // SQLite copies the text or blob before the call returns

/**
 * The handle that C stored in an out parameter (sqlite3 **): 8 bytes of a Buffer. memset of no
 * bytes returns the address it is given, and as an External.
 */
const handleIn = (cell) => memset([cell.readBigInt64LE(), 0, 0]);

function check(status, db) {
  if (status === SQLITE_OK) return;
  const detail = db ? `: ${sq.sqlite3_errmsg([db])}` : '';
  assert.fail(`${sq.sqlite3_errstr([status])}${detail}`);
}

function prepare(db, sql) {
  const cell = Buffer.alloc(8);
  check(sq.sqlite3_prepare_v2([db, sql, -1, cell, 0]), db);
  return handleIn(cell);
}

function bind(statement, index, value) {
  if (value === null) return sq.sqlite3_bind_null([statement, index]);
  if (typeof value === 'bigint') return sq.sqlite3_bind_int64([statement, index, value]);
  if (typeof value === 'number') return sq.sqlite3_bind_double([statement, index, value]);
  if (typeof value === 'string') {
    return sq.sqlite3_bind_text([statement, index, value, -1, SQLITE_TRANSIENT]);
  }
  return sq.sqlite3_bind_blob([statement, index, value, value.length, SQLITE_TRANSIENT]);
}

/** One column of the current row, read by the type that SQLite says it has. */
function column(statement, index) {
  switch (sq.sqlite3_column_type([statement, index])) {
    case 1:
      return sq.sqlite3_column_int64([statement, index]);
    case 2:
      return sq.sqlite3_column_double([statement, index]);
    case 3:
      return sq.sqlite3_column_text([statement, index]);
    case 4:
      // The length is known only now, so this result type is made for this call.
      return load({
        library: 'sqlite',
        funcName: 'sqlite3_column_blob',
        retType: arrayConstructor({
          type: U8Array,
          length: sq.sqlite3_column_bytes([statement, index]),
        }),
        paramsType: [External, I32],
        paramsValue: [statement, index],
      });
    default:
      return null;
  }
}

/** All rows of a query as objects. */
function query(db, sql, ...values) {
  const statement = prepare(db, sql);
  values.forEach((value, index) => {
    check(bind(statement, index + 1, value), db);
  });
  const count = sq.sqlite3_column_count([statement]);
  const names = Array.from({ length: count }, (_, i) => sq.sqlite3_column_name([statement, i]));
  const rows = [];
  while (sq.sqlite3_step([statement]) === SQLITE_ROW) {
    rows.push(Object.fromEntries(names.map((name, i) => [name, column(statement, i)])));
  }
  check(sq.sqlite3_finalize([statement]), db);
  return rows;
}

const exec = (db, sql) => sq.sqlite3_exec([db, sql, 0, 0, 0]);

console.log(`SQLite ${sq.sqlite3_libversion([])}`);
const cell = Buffer.alloc(8);
check(show('sqlite3_open(":memory:", &db)', () => sq.sqlite3_open([':memory:', cell])));
const db = handleIn(cell);
assert.ok(types.isExternal(db));

const schema = `
  CREATE TABLE birds (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, grams REAL, ringed INTEGER, photo BLOB
  )`;
check(
  show('sqlite3_exec(db, "CREATE TABLE birds ...")', () => exec(db, schema)),
  db,
);

console.log('Insert with one prepared statement');
const birds = [
  { name: 'Zaunkönig', grams: 9.5, ringed: 20230411n, photo: Buffer.from([0x89, 0, 0x50, 0x4e]) },
  { name: 'wandering albatross', grams: 8500.25, ringed: 9007199254740993n, photo: null },
  { name: 'Λάρος', grams: 230, ringed: -1n, photo: Buffer.from('not really a photo') },
  { name: 'kiwi', grams: null, ringed: null, photo: null },
];
const insert = prepare(db, 'INSERT INTO birds (name, grams, ringed, photo) VALUES (?, ?, ?, ?)');
for (const { name, grams, ringed, photo } of birds) {
  [name, grams, ringed, photo].forEach((value, index) => {
    check(bind(insert, index + 1, value), db);
  });
  const status = show(`sqlite3_step(insert) of ${name}`, () => sq.sqlite3_step([insert]));
  assert.equal(status, SQLITE_DONE);
  check(sq.sqlite3_reset([insert]), db);
}
check(sq.sqlite3_finalize([insert]), db);
assert.equal(
  show('sqlite3_last_insert_rowid(db)', () => sq.sqlite3_last_insert_rowid([db])),
  BigInt(birds.length),
);

console.log('Query');
const rows = show(
  'SELECT name, grams, ringed, photo ... ORDER BY id',
  () => query(db, 'SELECT name, grams, ringed, photo FROM birds ORDER BY id'),
  (found) => `${found.length} rows`,
);
for (const { name, grams, ringed, photo } of rows) {
  console.log(`    ${name}, ${grams} g, ringed ${ringed}, photo ${photo?.length ?? 'none'}`);
}
assert.deepEqual(rows, birds);
const [heavy] = show(
  'SELECT count(*), avg(grams) ... WHERE grams > ?',
  () => query(db, 'SELECT count(*) AS n, avg(grams) AS mean FROM birds WHERE grams > ?', 100),
  ([row]) => `${row.n}, ${row.mean}`,
);
assert.deepEqual(heavy, { n: 2n, mean: (8500.25 + 230) / 2 });

console.log('A thousand rows in one transaction');
check(exec(db, 'CREATE TABLE numbers (n INTEGER, square INTEGER)'), db);
show(
  'BEGIN; 1000 times bind, step, reset; COMMIT',
  () => {
    check(exec(db, 'BEGIN'), db);
    const statement = prepare(db, 'INSERT INTO numbers VALUES (?, ?)');
    for (let n = 1n; n <= 1000n; n++) {
      bind(statement, 1, n);
      bind(statement, 2, n * n);
      assert.equal(sq.sqlite3_step([statement]), SQLITE_DONE);
      sq.sqlite3_reset([statement]);
    }
    sq.sqlite3_finalize([statement]);
    check(exec(db, 'COMMIT'), db);
  },
  () => 'done',
);
assert.deepEqual(query(db, 'SELECT sum(square) AS total FROM numbers'), [{ total: 333833500n }]);

console.log('Errors');
assert.equal(
  show('sqlite3_exec(db, "SELEC 1")', () => exec(db, 'SELEC 1')),
  SQLITE_ERROR,
);
assert.equal(
  show('sqlite3_errmsg(db)', () => sq.sqlite3_errmsg([db])),
  'near "SELEC": syntax error',
);
assert.equal(
  show('sqlite3_exec(db, "INSERT ... \'kiwi\'")', () =>
    exec(db, "INSERT INTO birds (name) VALUES ('kiwi')"),
  ),
  SQLITE_CONSTRAINT,
);
assert.equal(
  show('sqlite3_errmsg(db)', () => sq.sqlite3_errmsg([db])),
  'UNIQUE constraint failed: birds.name',
);
check(exec(db, "DELETE FROM birds WHERE ringed IS NULL OR name LIKE 'wander%'"), db);
assert.equal(
  show('sqlite3_changes(db)', () => sq.sqlite3_changes([db])),
  2,
);

check(show('sqlite3_close(db)', () => sq.sqlite3_close([db])));
close('sqlite');
close('libc');
