'use strict';
// SQLite with the API of Koffi: prototypes, out-parameters, disposable strings, and a scalar
// function, a collation and a row callback that are written in JavaScript.

const assert = require('node:assert/strict');
const koffi = require(process.env.KOFFI_MODULE || 'ffi-jit/koffi');
const { show } = require('./support/show.js');

let lib;
try {
  lib = koffi.load('libsqlite3.so.0');
} catch {
  console.log(
    'skipped: libsqlite3.so.0 is not on this machine (Debian and Ubuntu: ' +
      'apt-get install libsqlite3-0; Fedora: dnf install sqlite-libs)',
  );
  process.exit(0);
}

for (const name of ['sqlite3', 'sqlite3_stmt', 'sqlite3_context', 'sqlite3_value']) {
  koffi.opaque(name);
}
koffi.proto('void ScalarFunction(sqlite3_context *context, int count, sqlite3_value **values)');
koffi.proto(
  'int Collation(void *data, int size1, const void *text1, int size2, const void *text2)',
);
koffi.proto('int RowCallback(void *data, int count, char **values, char **names)');
// Strings of sqlite3_mprintf and sqlite3_expanded_sql are given back to sqlite3_free.
koffi.disposable('sqlite3_str', 'char *', lib.func('void sqlite3_free(void *)'));

const sql = Object.fromEntries(
  [
    'const char *sqlite3_libversion()',
    'int sqlite3_open(const char *path, _Out_ sqlite3 **db)',
    'int sqlite3_close(sqlite3 *db)',
    'int sqlite3_exec(sqlite3 *db, const char *sql, RowCallback *row, void *data, _Out_ sqlite3_str *error)',
    'const char *sqlite3_errmsg(sqlite3 *db)',
    'int sqlite3_prepare_v2(sqlite3 *db, const char *sql, int size, _Out_ sqlite3_stmt **statement, void *tail)',
    'int sqlite3_bind_int64(sqlite3_stmt *statement, int index, int64_t value)',
    'int sqlite3_bind_double(sqlite3_stmt *statement, int index, double value)',
    'int sqlite3_bind_text(sqlite3_stmt *statement, int index, const char *text, int size, intptr_t destructor)',
    'int sqlite3_bind_blob(sqlite3_stmt *statement, int index, const uint8_t *data, int size, intptr_t destructor)',
    'int sqlite3_bind_null(sqlite3_stmt *statement, int index)',
    'int sqlite3_step(sqlite3_stmt *statement)',
    'int sqlite3_reset(sqlite3_stmt *statement)',
    'int sqlite3_finalize(sqlite3_stmt *statement)',
    'sqlite3_str sqlite3_expanded_sql(sqlite3_stmt *statement)',
    'int sqlite3_column_count(sqlite3_stmt *statement)',
    'const char *sqlite3_column_name(sqlite3_stmt *statement, int index)',
    'int sqlite3_column_type(sqlite3_stmt *statement, int index)',
    'int64_t sqlite3_column_int64(sqlite3_stmt *statement, int index)',
    'double sqlite3_column_double(sqlite3_stmt *statement, int index)',
    'const char *sqlite3_column_text(sqlite3_stmt *statement, int index)',
    'const uint8_t *sqlite3_column_blob(sqlite3_stmt *statement, int index)',
    'int sqlite3_column_bytes(sqlite3_stmt *statement, int index)',
    'int sqlite3_create_function(sqlite3 *db, const char *name, int count, int encoding, void *data, ScalarFunction *call, void *step, void *final)',
    'int sqlite3_create_collation(sqlite3 *db, const char *name, int encoding, void *data, Collation *compare)',
    'double sqlite3_value_double(sqlite3_value *value)',
    'const char *sqlite3_value_text(sqlite3_value *value)',
    'void sqlite3_result_double(sqlite3_context *context, double value)',
    'void sqlite3_result_text(sqlite3_context *context, const char *text, int size, intptr_t destructor)',
    'void sqlite3_result_error(sqlite3_context *context, const char *text, int size)',
  ].map((prototype) => {
    const made = lib.func(prototype);
    return [made.name.replace('sqlite3_', ''), made];
  }),
);

const SQLITE_OK = 0;
const SQLITE_ROW = 100;
const SQLITE_UTF8 = 1;
const SQLITE_TRANSIENT = -1; // SQLite copies the text or blob before the call returns

const opened = [null];
console.log(`SQLite ${sql.libversion()}`);
assert.equal(
  show('sqlite3_open(":memory:", &db)', () => sql.open(':memory:', opened)),
  SQLITE_OK,
);
const [db] = opened;

function exec(text, row = null) {
  const error = [null];
  const status = sql.exec(db, text, row, null, error);
  if (status !== SQLITE_OK) throw new Error(error[0]);
}

function prepare(text) {
  const statement = [null];
  assert.equal(sql.prepare_v2(db, text, -1, statement, null), SQLITE_OK, sql.errmsg(db));
  return statement[0];
}

function bind(statement, index, value) {
  if (value === null) return sql.bind_null(statement, index);
  if (typeof value === 'bigint') return sql.bind_int64(statement, index, value);
  if (typeof value === 'number') return sql.bind_double(statement, index, value);
  if (typeof value === 'string')
    return sql.bind_text(statement, index, value, -1, SQLITE_TRANSIENT);
  return sql.bind_blob(statement, index, value, value.length, SQLITE_TRANSIENT);
}

/** One column of the current row, read by the type that SQLite says it has. */
const COLUMNS = {
  1: (statement, i) => sql.column_int64(statement, i),
  2: (statement, i) => sql.column_double(statement, i),
  3: (statement, i) => sql.column_text(statement, i),
  4: (statement, i) =>
    koffi.decode(
      sql.column_blob(statement, i),
      koffi.array('uint8_t', sql.column_bytes(statement, i), 'Buffer'),
    ),
  5: () => null,
};

function query(text, ...values) {
  const statement = prepare(text);
  for (const [i, value] of values.entries()) bind(statement, i + 1, value);
  const rows = [];
  while (sql.step(statement) === SQLITE_ROW) {
    const row = {};
    for (let i = 0; i < sql.column_count(statement); i++) {
      row[sql.column_name(statement, i)] = COLUMNS[sql.column_type(statement, i)](statement, i);
    }
    rows.push(row);
  }
  assert.equal(sql.finalize(statement), SQLITE_OK, sql.errmsg(db));
  return rows;
}

console.log('Insert and query');
exec('CREATE TABLE birds (name TEXT UNIQUE, grams REAL, ringed INTEGER, photo BLOB)');
const birds = [
  { name: 'Zaunkönig', grams: 9.5, ringed: 20230411, photo: Buffer.from([0x89, 0, 0x50]) },
  { name: 'albatross', grams: 8500.25, ringed: 9007199254740993n, photo: null },
  { name: 'Λάρος', grams: 230, ringed: null, photo: Buffer.from('not really a photo') },
  { name: 'éider', grams: null, ringed: null, photo: null },
];
const insert = prepare('INSERT INTO birds VALUES (?, ?, ?, ?)');
for (const { name, grams, ringed, photo } of birds) {
  const whole = ringed === null ? null : BigInt(ringed);
  for (const [i, value] of [name, grams, whole, photo].entries()) bind(insert, i + 1, value);
  show(`insert ${name}`, () => sql.step(insert));
  sql.reset(insert);
}
bind(insert, 1, "it's quoted");
const expanded = show('sqlite3_expanded_sql(insert)', () => sql.expanded_sql(insert));
assert.match(expanded, /VALUES \('it''s quoted'/);
sql.finalize(insert);
assert.deepEqual(
  show(
    'SELECT * FROM birds',
    () => query('SELECT * FROM birds ORDER BY rowid'),
    (rows) => `${rows.length} rows`,
  ),
  birds,
);

console.log('A row callback');
const seen = [];
exec('SELECT name, grams FROM birds WHERE grams > 100', (_data, count, values, names) => {
  const texts = koffi.decode(values, 'char *', count);
  const columns = koffi.decode(names, 'char *', count);
  seen.push(Object.fromEntries(Array.from(columns, (name, i) => [name, texts[i]])));
  return 0;
});
assert.deepEqual(seen, [
  { name: 'albatross', grams: '8500.25' },
  { name: 'Λάρος', grams: '230.0' },
]);

console.log('A scalar function in JavaScript');
const arguments_ = (values, count) => Array.from(koffi.decode(values, 'void *', count));
const ounces = koffi.register((context, count, values) => {
  const [grams] = arguments_(values, count);
  sql.result_double(context, sql.value_double(grams) / 28.349523125);
}, 'ScalarFunction *');
const shout = koffi.register((context, count, values) => {
  const text = sql.value_text(arguments_(values, count)[0]);
  if (text === null) sql.result_error(context, 'nothing to shout', -1);
  else sql.result_text(context, `${text.toUpperCase()}!`, -1, SQLITE_TRANSIENT);
}, 'ScalarFunction *');
sql.create_function(db, 'ounces', 1, SQLITE_UTF8, null, ounces, null, null);
sql.create_function(db, 'shout', 1, SQLITE_UTF8, null, shout, null, null);
const [heavy] = show('SELECT shout(name), ounces(grams) ...', () =>
  query('SELECT shout(name) AS name, ounces(grams) AS oz FROM birds WHERE ounces(grams) > 100'),
);
assert.equal(heavy.name, 'ALBATROSS!');
assert.ok(Math.abs(heavy.oz - 299.84) < 0.01);
assert.throws(() => exec('SELECT shout(NULL)'), { message: 'nothing to shout' });

console.log('A collation in JavaScript');
const { compare } = new Intl.Collator('de');
const collation = koffi.register(
  (_data, size1, text1, size2, text2) =>
    compare(koffi.decode.string(text1, size1), koffi.decode.string(text2, size2)),
  'Collation *',
);
sql.create_collation(db, 'intl', SQLITE_UTF8, null, collation);
const names = show('... ORDER BY name COLLATE intl', () =>
  query('SELECT name FROM birds ORDER BY name COLLATE intl').map(({ name }) => name),
);
assert.deepEqual(names, ['albatross', 'éider', 'Zaunkönig', 'Λάρος']);

console.log('Errors');
assert.throws(() => exec('SELEC 1'), { message: 'near "SELEC": syntax error' });
assert.throws(
  () => exec("INSERT INTO birds (name) VALUES ('albatross')"),
  /UNIQUE constraint failed/,
);

assert.equal(
  show('sqlite3_close(db)', () => sql.close(db)),
  SQLITE_OK,
);
for (const callback of [ounces, shout, collation]) koffi.unregister(callback);
console.log(`  ${koffi.stats().disposed} strings were given back to SQLite`);
