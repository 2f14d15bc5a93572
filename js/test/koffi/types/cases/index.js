'use strict';
// All cases, in the order in which they are asked.

require('./texts');
require('./records');
require('./functions');
const { cases, define } = require('./list');

module.exports = { cases, define };
