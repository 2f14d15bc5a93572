'use strict';
// Files of the checkout by pattern.

const fs = require('node:fs');
const path = require('node:path');
const { root } = require('./paths.js');

/**
 * The files below a folder whose path matches, sorted; none if there is no such folder.
 *
 * @param {string} folder path below the checkout, with forward slashes
 * @param {RegExp} pattern
 * @returns {string[]} paths below the checkout, with forward slashes
 */
function filesBelow(folder, pattern) {
  const top = path.join(root, folder);
  if (!fs.existsSync(top)) return [];
  const found = fs.readdirSync(top, { withFileTypes: true }).flatMap((entry) => {
    const name = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : filesBelow(name, pattern);
    return pattern.test(name) ? [name] : [];
  });
  return found.sort();
}

const read = (file) => fs.readFileSync(path.join(root, file), 'utf8');

module.exports = { filesBelow, read };
