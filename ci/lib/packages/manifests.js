'use strict';
// The package.json files that are published. What they have in common with the main one is taken
// from it: the version, the licence, the Node versions.

const { read } = require('../files.js');
const { platforms } = require('./table.js');

const mainManifest = () => JSON.parse(read('package.json'));

/** What is said of the project in every package. */
const common = ({ version, license, engines, repository, homepage, bugs, author }) => ({
  version,
  license,
  engines,
  repository,
  homepage,
  bugs,
  author,
});

const json = (value) => `${JSON.stringify(value, null, 2)}\n`;

const LICENSES = ['LICENSE', 'LICENSE-APACHE', 'LICENSE-MIT'];
const THIRD_PARTY = 'THIRD-PARTY-LICENSES';

/** package.json of a platform package. */
function platformManifest(platform, main = mainManifest()) {
  const { name, os, cpu, libc, system } = platform;
  return {
    name,
    ...common(main),
    description: `The native addon of ffi-jit for ${system}`,
    os: [os],
    cpu: [cpu],
    libc: libc && [libc],
    main: 'ffi-jit.node',
    files: ['ffi-jit.node', ...LICENSES, THIRD_PARTY],
    preferUnplugged: true,
  };
}

const platformReadme = ({ name, system }) => `# ${name}

The native addon of ffi-jit for ${system}.

It is installed with ffi-jit, as an optional dependency, and is of no use alone: do not depend on
it. Its licence is that of ffi-jit, MIT or Apache-2.0 at your option; the file
\`${THIRD_PARTY}\` has the licences of the libraries that are compiled into it.
`;

/**
 * package.json of the main package as it is published: what is for the checkout alone is left out,
 * and the platform packages of the very same version are optional dependencies. The checkout's own
 * has none, because \`npm ci\` would look for packages that are not published yet.
 */
function publishedManifest(main = mainManifest()) {
  const { private: _private, scripts: _scripts, devDependencies: _dev, ...rest } = main;
  const optionalDependencies = Object.fromEntries(
    platforms.map(({ name }) => [name, main.version]),
  );
  return { ...rest, optionalDependencies };
}

module.exports = {
  LICENSES,
  THIRD_PARTY,
  json,
  mainManifest,
  platformManifest,
  platformReadme,
  publishedManifest,
};
