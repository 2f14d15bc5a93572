'use strict';
// What the types need to know of `koffi.config()`.

const DEFAULT_MAX_TYPE_SIZE = 64 * 1024 * 1024;

let read = () => DEFAULT_MAX_TYPE_SIZE;

/** The largest type in bytes: the setting `max_type_size`. */
const maxTypeSize = () => read();

/** Says where the setting is. */
function readMaxTypeSizeFrom(reader) {
  read = reader;
}

module.exports = { DEFAULT_MAX_TYPE_SIZE, maxTypeSize, readMaxTypeSizeFrom };
