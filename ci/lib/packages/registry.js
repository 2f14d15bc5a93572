'use strict';
// A package registry on this machine that has our packed packages and no others: `npm install
// ffi-jit` from it is what users do, before anything is published.

const { createHash } = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');

/** What a registry says about a package of one version. */
function metadata({ name, manifest, tarball }, base) {
  const { version } = manifest;
  const digest = createHash('sha512').update(fs.readFileSync(tarball)).digest('base64');
  const dist = { tarball: `${base}/-/${path.basename(tarball)}`, integrity: `sha512-${digest}` };
  return {
    name,
    'dist-tags': { latest: version },
    versions: { [version]: { ...manifest, dist } },
  };
}

/**
 * Serves packages while `use` runs.
 *
 * @template T
 * @param {{ name: string, manifest: object, tarball: string }[]} packed
 * @param {(url: string) => Promise<T>} use
 * @returns {Promise<T>}
 */
async function withRegistry(packed, use) {
  const server = http.createServer((request, response) => {
    const wanted = path.basename(decodeURIComponent(request.url));
    const archive = packed.find(({ tarball }) => path.basename(tarball) === wanted);
    const described = packed.find(({ name }) => name === wanted);
    if (archive) return fs.createReadStream(archive.tarball).pipe(response);
    if (!described) return response.writeHead(404).end('{}');
    response.setHeader('content-type', 'application/json');
    return response.end(JSON.stringify(metadata(described, `http://${request.headers.host}`)));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await use(`http://127.0.0.1:${server.address().port}`);
  } finally {
    server.closeAllConnections?.();
    await new Promise((resolve) => server.close(resolve));
  }
}

module.exports = { withRegistry };
