'use strict';
// The C library with the API of Koffi: qsort and bsearch with JavaScript comparing, structs of the
// system, poll, getaddrinfo, and a sleep that leaves the event loop alone.

const assert = require('node:assert/strict');
const { promisify } = require('node:util');
const koffi = require(process.env.KOFFI_MODULE || 'ffi-jit/koffi');
const { show } = require('./support/show.js');

const libc = koffi.load(null);

async function main() {
  console.log('qsort and bsearch');
  koffi.proto('int Compare(const void *a, const void *b)');
  const qsort = libc.func('void qsort(_Inout_ int *base, size_t n, size_t size, Compare *order)');
  const bsearch = libc.func(
    'void *bsearch(const int *key, const void *base, size_t n, size_t size, Compare *order)',
  );
  const numbers = [31, -4, 159, 26, -53, 58, 97, 93, 0, 23];
  let compared = 0;
  const byValue = (a, b) => {
    compared++;
    return koffi.decode.int(a) - koffi.decode.int(b);
  };
  show('qsort(numbers, 10, 4, byValue)', () => qsort(numbers, numbers.length, 4, byValue));
  console.log(`    ${numbers.join(' ')}, after ${compared} comparisons in JavaScript`);
  assert.deepEqual(numbers, [-53, -4, 0, 23, 26, 31, 58, 93, 97, 159]);
  const sorted = Int32Array.from(numbers);
  const found = show('bsearch(&58, sorted, 10, 4, byValue)', () =>
    bsearch([58], sorted, sorted.length, 4, byValue),
  );
  assert.equal((found - koffi.address(sorted)) / 4n, 6n);
  assert.equal(bsearch([57], sorted, sorted.length, 4, byValue), null);

  const strings = ['pear', 'fig', 'banana', 'kiwi'];
  const list = koffi.as(strings, 'char **');
  libc.func('void qsort(_Inout_ void *, size_t, size_t, Compare *)')(list, 4, 8, (a, b) =>
    koffi.decode(a, 'char *').localeCompare(koffi.decode(b, 'char *')),
  );
  console.log(`    ${strings.join(' ')}`);
  assert.deepEqual(strings, ['banana', 'fig', 'kiwi', 'pear']);

  console.log('Variadic functions, and memory that C hands over');
  const snprintf = libc.func('int snprintf(_Out_ char *out, size_t size, const char *format, ...)');
  const out = ['\0'.repeat(64)];
  show('snprintf(out, 64, "%05d %s %.3f", ...)', () =>
    snprintf(out, 64, '%05d %s %.3f', 'int', 42, 'str', 'pi', 'double', Math.PI),
  );
  assert.deepEqual(out, ['00042 pi 3.142']);
  const strdup = libc.func('char *! strdup(const char *text)');
  assert.equal(
    show('strdup("freed when it was read")', () => strdup('freed when it was read')),
    'freed when it was read',
  );
  assert.equal(koffi.stats().disposed, 1);

  console.log('Structs of the system');
  koffi.struct('tm', {
    tm_sec: 'int',
    tm_min: 'int',
    tm_hour: 'int',
    tm_mday: 'int',
    tm_mon: 'int',
    tm_year: 'int',
    tm_wday: 'int',
    tm_yday: 'int',
    tm_isdst: 'int',
    tm_gmtoff: 'long',
    tm_zone: 'const char *',
  });
  const gmtime = libc.func('tm *gmtime_r(const int64_t *time, _Out_ tm *result)');
  const time = {};
  show('gmtime_r(&86400, &tm)', () => gmtime([86400], time));
  assert.equal(`${1900 + time.tm_year}-${time.tm_mon + 1}-${time.tm_mday}`, '1970-1-2');
  const text = Buffer.alloc(64);
  const strftime = libc.func(
    'size_t strftime(void *s, size_t max, const char *format, const tm *t)',
  );
  const length = strftime(text, 64, '%Y-%m-%d %H:%M:%S', time);
  assert.equal(text.toString('latin1', 0, length), '1970-01-02 00:00:00');

  koffi.struct(
    'utsname',
    Object.fromEntries(
      ['sysname', 'nodename', 'release', 'version', 'machine', 'domainname'].map((name) => [
        name,
        'char[65]',
      ]),
    ),
  );
  const system = {};
  libc.func('int uname(_Out_ utsname *buf)')(system);
  assert.equal(system.sysname, 'Linux');
  console.log(`    uname: ${system.sysname} on ${system.machine}`);

  console.log('poll on a pipe');
  koffi.struct('pollfd', { fd: 'int', events: 'short', revents: 'short' });
  const poll = libc.func('int poll(_Inout_ pollfd *fds, uint64_t n, int timeout)');
  const pipe = [0, 0];
  assert.equal(libc.func('int pipe(_Out_ int *fds)')(pipe), 0);
  const POLLIN = 1;
  const watched = [{ fd: pipe[0], events: POLLIN, revents: 0 }];
  assert.equal(
    show('poll(fds, 1, 0) of an empty pipe', () => poll(watched, 1, 0)),
    0,
  );
  libc.func('int64_t write(int fd, const void *data, size_t size)')(pipe[1], 'x', 1);
  assert.equal(
    show('poll(fds, 1, 0) after a write', () => poll(watched, 1, 0)),
    1,
  );
  assert.equal(watched[0].revents, POLLIN);
  for (const fd of pipe) libc.func('int close(int fd)')(fd);

  console.log('getaddrinfo');
  const addrinfo = koffi.opaque('addrinfo');
  koffi.struct(addrinfo, {
    ai_flags: 'int',
    ai_family: 'int',
    ai_socktype: 'int',
    ai_protocol: 'int',
    ai_addrlen: 'uint32_t',
    ai_addr: 'void *',
    ai_canonname: 'const char *',
    ai_next: 'addrinfo *',
  });
  const getaddrinfo = libc.func(
    'int getaddrinfo(const char *node, const char *service, const addrinfo *hints, _Out_ addrinfo **result)',
  );
  const first = [null];
  const AI_NUMERICHOST = 4;
  const status = show('getaddrinfo("127.0.0.1", "80", hints, &result)', () =>
    getaddrinfo('127.0.0.1', '80', { ai_flags: AI_NUMERICHOST, ai_socktype: 1 }, first),
  );
  assert.equal(status, 0);
  const addresses = [];
  for (let at = first[0]; at !== null; ) {
    const info = koffi.decode(at, 'addrinfo');
    const raw = koffi.decode(info.ai_addr, 'uint8_t', info.ai_addrlen);
    addresses.push({ port: raw[2] * 256 + raw[3], host: [...raw.subarray(4, 8)].join('.') });
    at = info.ai_next;
  }
  libc.func('void freeaddrinfo(addrinfo *list)')(first[0]);
  assert.deepEqual(addresses, [{ port: 80, host: '127.0.0.1' }]);
  console.log(`    ${addresses[0].host}:${addresses[0].port}`);

  console.log('errno');
  const open = libc.func('int open(const char *path, int flags)');
  assert.equal(
    show('open("/nonexistent", 0)', () => open('/nonexistent', 0)),
    -1,
  );
  assert.equal(koffi.errno(), koffi.os.errno.ENOENT);

  console.log('A sleep that does not block the event loop');
  const usleep = promisify(libc.func('int usleep(unsigned int microseconds)').async);
  let ticks = 0;
  const timer = setInterval(() => ticks++, 10);
  const started = performance.now();
  await Promise.all([usleep(100_000), usleep(100_000), usleep(100_000)]);
  clearInterval(timer);
  const took = performance.now() - started;
  console.log(
    `    three times 100 ms at once took ${took.toFixed(0)} ms, with ${ticks} ticks of a timer`,
  );
  assert.ok(ticks >= 3);
  assert.ok(took < 290);
}

main();
