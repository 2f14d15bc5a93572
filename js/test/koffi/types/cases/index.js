'use strict';

require('./texts');
require('./records');
require('./functions');
const { cases, define } = require('./list');

module.exports = { cases, define };
