'use strict';
// Tokens of type strings and prototypes: identifiers, numbers, `...`, and every other character
// alone. White space separates tokens and means nothing else.

/** What characters of ASCII are. */
const SIGN = 0;
const SPACE = 1;
const DIGIT = 2;
const LETTER = 3;

const CLASSES = new Uint8Array(128);
for (const code of [9, 10, 11, 12, 13, 32]) CLASSES[code] = SPACE;
for (let code = 48; code <= 57; code++) CLASSES[code] = DIGIT;
for (let code = 65; code <= 90; code++) CLASSES[code] = CLASSES[code + 32] = LETTER;
CLASSES[95] = LETTER;

/** Identifiers with letters of other languages; made when there is one. */
let unicodeWord;

/** Reads a text token by token. The current token is in `text`, and its kind in `kind`. */
class Scanner {
  #source;
  /** Where the current token starts and ends. */
  #start = 0;
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
    const source = this.#source;
    const { length } = source;
    let at = this.#end;
    let code = source.charCodeAt(at);
    while (CLASSES[code] === SPACE) code = source.charCodeAt(++at);
    if (at >= length) {
      this.#set('end', length, length);
    } else if (code >= 128) {
      this.#readOther(at);
    } else if (CLASSES[code] === SIGN) {
      const dots = code === 46 && source.startsWith('...', at);
      this.#set('sign', at, at + (dots ? 3 : 1));
    } else {
      this.#readAlphanumeric(at, CLASSES[code]);
    }
  }

  #set(kind, start, end) {
    this.kind = kind;
    this.text = this.#source.slice(start, end);
    this.#start = start;
    this.#end = end;
  }

  /** An identifier, or a number, of which `first` is the class of its first character. */
  #readAlphanumeric(start, first) {
    const source = this.#source;
    let end = start + 1;
    let code = source.charCodeAt(end);
    while (code < 128 && CLASSES[code] >= DIGIT && (first === LETTER || CLASSES[code] === DIGIT)) {
      code = source.charCodeAt(++end);
    }
    if (first === LETTER && code >= 128) this.#readOther(start);
    else this.#set(first === LETTER ? 'word' : 'number', start, end);
  }

  /** What has characters beyond ASCII: an identifier, or a single character. */
  #readOther(start) {
    // biome-ignore lint/complexity/useRegexLiterals: V8 would check a literal whenever it reads this
    unicodeWord ??= new RegExp('[\\p{XID_Start}_]\\p{XID_Continue}*', 'uy');
    unicodeWord.lastIndex = start;
    const word = unicodeWord.exec(this.#source);
    if (word !== null) this.#set('word', start, unicodeWord.lastIndex);
    else this.#set('sign', start, start + (this.#source.codePointAt(start) > 0xffff ? 2 : 1));
  }

  /** Whether the current token is a word, and this one if one is given. */
  isWord(text = this.text) {
    return this.kind === 'word' && this.text === text;
  }

  /** Whether the current token is this sign. */
  isSign(sign) {
    return this.kind === 'sign' && this.text === sign;
  }

  /** Whether the current token is a sign, and goes on if so. */
  accept(sign) {
    if (!this.isSign(sign)) return false;
    this.next();
    return true;
  }

  /** The current token, to come back to. */
  mark() {
    return this.#start;
  }

  /** Goes back to a token. */
  back(mark) {
    this.#end = mark;
    this.next();
  }
}

module.exports = { Scanner };
