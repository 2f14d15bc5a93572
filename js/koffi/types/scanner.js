'use strict';
// Tokens of type strings and prototypes: identifiers, numbers, `...`, and every other character
// alone. White space separates tokens and means nothing else.

/** What stands before a token, and the token: an identifier, a number, or something else. */
const TOKEN = /[ \t\n\v\f\r]*(?:([\p{XID_Start}_]\p{XID_Continue}*)|([0-9]+)|(\.\.\.|.|$))/suy;

/** Reads a text token by token. The current token is in `text`, and its kind in `kind`. */
class Scanner {
  #source;
  /** Where the current token ends. */
  #end = 0;

  /** @param {string} source */
  constructor(source) {
    this.#source = source;
    /** @type {'word' | 'number' | 'sign' | 'end'} */
    this.kind = 'end';
    this.text = '';
    this.next();
  }

  /** Goes to the next token. At the end it stays there. */
  next() {
    TOKEN.lastIndex = this.#end;
    const [, word, number, sign] = TOKEN.exec(this.#source);
    this.#end = TOKEN.lastIndex;
    this.text = word ?? number ?? sign;
    if (word !== undefined) this.kind = 'word';
    else if (number !== undefined) this.kind = 'number';
    else this.kind = sign === '' ? 'end' : 'sign';
  }

  /** Whether the current token is a word, and this one if one is given. */
  isWord(text = this.text) {
    return this.kind === 'word' && this.text === text;
  }

  /** Whether the current token is a sign, and goes on if so. */
  accept(sign) {
    if (this.kind !== 'sign' || this.text !== sign) return false;
    this.next();
    return true;
  }

  /** A place to come back to: the current token. */
  mark() {
    return [this.#end, this.kind, this.text];
  }

  /** Goes back to a place. */
  back([end, kind, text]) {
    this.#end = end;
    this.kind = kind;
    this.text = text;
  }
}

module.exports = { Scanner };
