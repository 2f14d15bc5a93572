'use strict';
// Installs packages that ci/pack.js made, as users will, and uses them with the Node that runs this:
// the last check before they are published, on a machine of each platform.
//
//   node ci/installed.js             those of .cache/packages/out
//   node ci/installed.js DIR         those of another folder
//
// Ends with "N passed, N failed"; the exit code is 1 if anything failed.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { installFor, installedPackages, runProgram } = require('./lib/packages/install.js');
const { MAIN } = require('./lib/packages/pack.js');
const {
  mainManifest,
  platformManifest,
  publishedManifest,
} = require('./lib/packages/manifests.js');
const { hostPlatform, platforms } = require('./lib/packages/table.js');
const { cache } = require('./lib/paths.js');

/** The packages that a folder has. */
function packedIn(folder) {
  const { version } = mainManifest();
  const all = [
    { name: MAIN, manifest: publishedManifest() },
    ...platforms.map((platform) => ({ name: platform.name, manifest: platformManifest(platform) })),
  ];
  return all
    .map((one) => ({ ...one, tarball: path.join(folder, `${one.name}-${version}.tgz`) }))
    .filter(({ tarball }) => fs.existsSync(tarball));
}

async function main([folder = path.join(cache, 'packages/out')]) {
  const platform = hostPlatform();
  if (!platform) throw new Error('there is no package for this machine');
  const packed = packedIn(path.resolve(folder));
  for (const name of [MAIN, platform.name]) {
    if (!packed.some((one) => one.name === name)) throw new Error(`no ${name} in ${folder}`);
  }
  const project = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'ffi-jit-')), 'project');
  await installFor(project, platform, packed);
  console.log(`npm installed ${installedPackages(project).join(' and ')}`);
  const { ok, output } = await runProgram(process.execPath, project, platform.name);
  console.log(output.trim());
  if (!ok) process.exitCode = 1;
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
