'use strict';
// CPython inside Node with the API of Koffi: an interpreter, objects as opaque handles, errors, and
// a Python function that calls JavaScript.

const assert = require('node:assert/strict');
const koffi = require(process.env.KOFFI_MODULE || 'ffi-jit/koffi');
const { show } = require('./support/show.js');

/** Debian's default versions, newest first. */
const NAMES = ['3.14', '3.13', '3.12', '3.11', '3.10', '3.9'].map((v) => `libpython${v}.so.1.0`);

function loadFirst(names) {
  for (const name of names) {
    try {
      return koffi.load(name, { global: true });
    } catch {}
  }
}

const python = loadFirst(NAMES);
if (!python) {
  console.log('skipped: libpython3 is not on this machine (Debian: apt-get install libpython3.11)');
  process.exit(0);
}

const PyObject = koffi.opaque('PyObject');
const py = Object.fromEntries(
  [
    'void Py_InitializeEx(int signals)',
    'int Py_FinalizeEx()',
    'const char *Py_GetVersion()',
    'int PyRun_SimpleString(const char *code)',
    'PyObject *PyImport_AddModule(const char *name)',
    'PyObject *PyModule_GetDict(PyObject *module)',
    'PyObject *PyImport_ImportModule(const char *name)',
    'PyObject *PyObject_GetAttrString(PyObject *object, const char *name)',
    'PyObject *PyObject_CallFunction(PyObject *callable, const char *format, ...)',
    'PyObject *PyObject_Str(PyObject *object)',
    'const char *PyUnicode_AsUTF8(PyObject *object)',
    'PyObject *PyDict_GetItemString(PyObject *dict, const char *key)',
    'int PyDict_SetItemString(PyObject *dict, const char *key, PyObject *value)',
    'PyObject *PyLong_FromLongLong(int64_t value)',
    'int64_t PyLong_AsLongLong(PyObject *object)',
    'PyObject *PyLong_FromVoidPtr(void *address)',
    'double PyFloat_AsDouble(PyObject *object)',
    'PyObject *PyErr_Occurred()',
    'void PyErr_Clear()',
    'void Py_DecRef(PyObject *object)',
  ].map((prototype) => {
    const made = python.func(prototype);
    return [made.name, made];
  }),
);

py.Py_InitializeEx(0);
console.log(`CPython ${py.Py_GetVersion().split(' ')[0]}`);
assert.equal(PyObject.size, 0);

const main = py.PyModule_GetDict(py.PyImport_AddModule('__main__'));
const run = (code) => py.PyRun_SimpleString(code);
const global_ = (name) => py.PyDict_GetItemString(main, name);

/** The text of an object, which is released. */
function textOf(object) {
  const text = py.PyObject_Str(object);
  const result = py.PyUnicode_AsUTF8(text);
  py.Py_DecRef(text);
  return result;
}

console.log('Code and variables');
assert.equal(
  show('run("total = sum(n * n for n in range(1000))")', () =>
    run('total = sum(n * n for n in range(1000))'),
  ),
  0,
);
assert.equal(
  show('total', () => py.PyLong_AsLongLong(global_('total'))),
  332833500,
);
run('words = sorted(set("the quick brown fox jumps over the lazy dog".split()))');
assert.equal(
  show('str(words)', () => textOf(global_('words'))),
  "['brown', 'dog', 'fox', 'jumps', 'lazy', 'over', 'quick', 'the']",
);

console.log('Functions of modules');
const math = py.PyImport_ImportModule('math');
const hypot = py.PyObject_GetAttrString(math, 'hypot');
const result = py.PyObject_CallFunction(hypot, 'dd', 'double', 3, 'double', 4);
assert.equal(
  show('PyFloat_AsDouble(math.hypot(3.0, 4.0))', () => py.PyFloat_AsDouble(result)),
  5,
);
const factorial = py.PyObject_GetAttrString(math, 'factorial');
const big = py.PyObject_CallFunction(factorial, 'i', 'int', 30);
assert.equal(
  show('str(math.factorial(30))', () => textOf(big)),
  '265252859812191058636308480000000',
);
for (const object of [result, big, hypot, factorial, math]) py.Py_DecRef(object);

console.log('An exception of Python');
assert.equal(py.PyImport_ImportModule('no_such_module'), null);
const raised = py.PyErr_Occurred();
assert.equal(
  show('PyErr_Occurred()', () => textOf(raised)),
  "<class 'ModuleNotFoundError'>",
);
py.PyErr_Clear();

console.log('Python calls JavaScript');
koffi.proto('int64_t Visit(int64_t n, const char *word)');
const visited = [];
const visit = koffi.register((n, word) => {
  visited.push(word);
  return n * word.length;
}, 'Visit *');
const address = py.PyLong_FromVoidPtr(visit);
py.PyDict_SetItemString(main, 'visit_address', address);
py.Py_DecRef(address);
const code = `
import ctypes
visit = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_char_p)(visit_address)
answers = [visit(n, word.encode()) for n, word in enumerate(words)]
`;
if (run('import ctypes') === 0) {
  assert.equal(
    show('visit(n, word) for every word', () => run(code)),
    0,
  );
  console.log(`    JavaScript saw ${visited.join(' ')}`);
  assert.equal(textOf(global_('answers')), '[0, 3, 6, 15, 16, 20, 30, 21]');
}

assert.equal(
  show('Py_FinalizeEx()', () => py.Py_FinalizeEx()),
  0,
);
koffi.unregister(visit);
