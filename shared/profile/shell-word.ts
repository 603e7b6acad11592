// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these texts are about shell variables
import type { Cursor, Position } from './cursor.js';
import type { Severity } from './finding.js';

/** What is wrong with a piece of syntax, and where. */
export interface Fault {
  readonly code: `profile-${string}`;
  readonly severity: Severity;
  readonly message: string;
  readonly remedy: string;
  readonly at: Position;
}

/** What a word may refer to, and where its faults go. */
export interface Scope {
  /** The value of a variable at this point of the file; undefined when nothing set it. */
  lookup(name: string): string | undefined;
  report(fault: Fault): void;
}

const VARIABLE = /[A-Za-z_][A-Za-z0-9_]*/y;
const PLACEHOLDER = /<[A-Za-z0-9 _./-]+>/y;
const SINGLE_QUOTES = 'Put the value in single quotes to take every character as it is.';

/**
 * Reads one shell word: bare, quoted and escaped text next to each other, with variables put in. Stops before a
 * blank, a semicolon or the end of the line. A fault is reported and reading goes on, so the text is only good when
 * no error was reported. Rules: POSIX.1-2024, Shell Command Language, 2.2 and 2.6.1 to 2.6.2.
 */
export function readWord(cursor: Cursor, scope: Scope): string {
  return readText(cursor, scope, false, /[ \t;]/);
}

function readText(cursor: Cursor, scope: Scope, quoted: boolean, stop: RegExp): string {
  let text = '';
  let tildeMayFollow = !quoted;
  while (!cursor.atEnd && cursor.peek() !== '\n' && !stop.test(cursor.peek())) {
    const next = cursor.peek();
    const mayBeTilde = tildeMayFollow;
    const isJoined = next === '\\' && cursor.peek(1) === '\n';
    tildeMayFollow = !quoted && (next === ':' || (isJoined && mayBeTilde));
    if (next === '\\') text += readEscape(cursor, quoted);
    else if (next === '$') text += readDollar(cursor, scope, quoted);
    else if (next === '"') text += readDoubleQuoted(cursor, scope);
    else if (next === '`') text += reject(cursor, scope, commandFault(cursor.position));
    else if (quoted) text += cursor.take();
    else if (next === "'") text += readSingleQuoted(cursor, scope);
    else if (next === '~' && mayBeTilde) text += readTilde(cursor, scope);
    else if ('&|()<>'.includes(next)) text += readOperator(cursor, scope);
    else text += cursor.take();
  }
  return text;
}

function reject(cursor: Cursor, scope: Scope, fault: Fault): string {
  scope.report(fault);
  cursor.take();
  return '';
}

function commandFault(at: Position): Fault {
  return {
    code: 'profile-command',
    severity: 'error',
    message: 'A command would have to run to know this value. A profile is read, never executed.',
    remedy: `Write the result itself. ${SINGLE_QUOTES}`,
    at,
  };
}

function expansionFault(at: Position, message: string): Fault {
  return { code: 'profile-expansion', severity: 'error', message, remedy: SINGLE_QUOTES, at };
}

function readEscape(cursor: Cursor, quoted: boolean): string {
  const escaped = cursor.peek(1);
  if (quoted && !'$`"\\\n'.includes(escaped)) return cursor.take();
  cursor.take(2);
  return escaped === '\n' ? '' : escaped;
}

function readSingleQuoted(cursor: Cursor, scope: Scope): string {
  const opened = cursor.position;
  cursor.take();
  const text = cursor.takeMatch(/[^'\n]*/y) ?? '';
  return close(cursor, scope, "'", opened, text);
}

function readDoubleQuoted(cursor: Cursor, scope: Scope): string {
  const opened = cursor.position;
  cursor.take();
  return close(cursor, scope, '"', opened, readText(cursor, scope, true, /"/));
}

function close(cursor: Cursor, scope: Scope, quote: string, opened: Position, text: string): string {
  if (cursor.peek() === quote) {
    cursor.take();
  } else {
    scope.report({
      code: 'profile-unterminated-quote',
      severity: 'error',
      message: `The quote ${quote} is not closed on this line.`,
      remedy: `Close it with ${quote} on the same line; a value has one line.`,
      at: opened,
    });
  }
  return text;
}

function readTilde(cursor: Cursor, scope: Scope): string {
  const at = cursor.position;
  cursor.take();
  if (cursor.lookingAt(/[^/:; \t\n]/y) !== undefined) {
    scope.report(expansionFault(at, 'The home folder of another user cannot be known here.'));
    return '';
  }
  return valueAt('HOME', at, scope);
}

/** A placeholder such as <client-id> is kept as text, so that a later check can say which one was left in. */
function readOperator(cursor: Cursor, scope: Scope): string {
  const placeholder = cursor.takeMatch(PLACEHOLDER);
  if (placeholder !== undefined) return placeholder;
  return reject(cursor, scope, {
    code: 'profile-shell-syntax',
    severity: 'error',
    message: `The character ${cursor.peek()} means something to a shell, and no shell is run.`,
    remedy: SINGLE_QUOTES,
    at: cursor.position,
  });
}

function readDollar(cursor: Cursor, scope: Scope, quoted: boolean): string {
  const at = cursor.position;
  const next = cursor.peek(1);
  if (next === '(') {
    scope.report(commandFault(at));
    return cursor.take(2);
  }
  if (next === '{') return readBraced(cursor, scope, quoted);
  // `$[` begins arithmetic in bash, where other shells take it as it is.
  if (/[0-9@*#?$![-]/.test(next) || cursor.lookingAt(/\$_(?![A-Za-z0-9_])/y) !== undefined) {
    scope.report(expansionFault(at, `$${next} stands for something of the running shell.`));
    return cursor.take(2);
  }
  // A shell joins lines before it looks for names.
  if (cursor.lookingAt(/\$(?:[A-Za-z_]\w*)?(?:\\\n)+\w/y) ?? cursor.lookingAt(/\$\\\n/y)) {
    scope.report(expansionFault(at, 'The line continues in the middle of a variable.'));
    return cursor.take();
  }
  if (!quoted && (next === "'" || next === '"')) {
    scope.report(expansionFault(at, 'A quote that begins with $ is not read here.'));
    return cursor.take(1);
  }
  cursor.take();
  const name = cursor.takeMatch(VARIABLE);
  return name === undefined ? '$' : valueAt(name, at, scope);
}

function readBraced(cursor: Cursor, scope: Scope, quoted: boolean): string {
  const at = cursor.position;
  cursor.take(2);
  const name = cursor.takeMatch(VARIABLE);
  const operator = cursor.takeMatch(/:?-/y);
  if (name === undefined || name === '_' || (operator === undefined && cursor.peek() !== '}')) {
    scope.report(expansionFault(at, 'Of the forms in braces, only ${NAME} and ${NAME:-default} are read.'));
    return '';
  }
  const text = operator === undefined ? valueAt(name, at, scope) : readDefault(cursor, scope, quoted, name, operator);
  if (cursor.peek() === '}') cursor.take();
  else scope.report(expansionFault(at, 'The brace is not closed on this line.'));
  return text;
}

function readDefault(cursor: Cursor, scope: Scope, quoted: boolean, name: string, operator: string): string {
  const value = scope.lookup(name);
  const isUsed = value === undefined || (operator === ':-' && value === '');
  // A default that is not used may name variables that nobody set.
  const reporting: Scope = isUsed
    ? scope
    : { ...scope, report: (fault) => fault.severity === 'error' && scope.report(fault) };
  const fallback = readText(cursor, reporting, quoted, /}/);
  return isUsed ? fallback : value;
}

function valueAt(name: string, at: Position, scope: Scope): string {
  const value = scope.lookup(name);
  if (value !== undefined) return value;
  scope.report({
    code: 'profile-unset-variable',
    severity: 'warning',
    message: `${name} is used here, but no earlier line sets it: it counts as empty.`,
    remedy: `Set ${name} on a line above, or write \${${name}:-default}.`,
    at,
  });
  return '';
}
