'use strict';
module.exports = { env: require('../core/loader.js').native.env };
