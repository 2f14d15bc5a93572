'use strict';
// The types of the Koffi dialect: what `koffi` exports of them (`api`), and what the rest of the
// dialect needs to know.

const errors = require('../errors.js');
const model = require('./model.js');
const derived = require('./derived.js');
const directions = require('./directions.js');
const names = require('./names.js');
const prototypes = require('./prototypes.js');
const signatures = require('./signatures.js');
const settings = require('./settings.js');
const unions = require('./union-values.js');
const { api } = require('./api.js');
const { resolve } = require('./strings.js');

module.exports = {
  api,
  ...model,
  ...derived,
  ...directions,
  ...prototypes,
  ...settings,
  ...signatures,
  ...unions,
  kindOf: errors.kindOf,
  lookup: names.lookup,
  anonymousName: names.anonymousName,
  resetNames: names.reset,
  resolve,
};
