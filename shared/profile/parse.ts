import { Cursor, type Position } from './cursor.js';
import type { Finding } from './finding.js';
import { type Fault, readWord, type Scope } from './shell-word.js';

/** One variable with the value that a shell would have given it. Line and column are those of its name. */
export interface Assignment extends Position {
  readonly name: string;
  readonly value: string;
}

export interface ParsedProfile {
  /** In the order of the file, one for each name: the last one counts. */
  readonly assignments: ReadonlyMap<string, Assignment>;
  /** Syntax faults and repeated names. A variable with a syntax fault is not among the assignments. */
  readonly findings: readonly Finding[];
}

/** Variables that a profile may refer to without setting them, such as HOME. */
export type Environment = Readonly<Record<string, string | undefined>>;

const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const ASSIGNED_NAME = /[A-Za-z_][A-Za-z0-9_]*=/y;
const EXPORTED_NAME = /[A-Za-z_][A-Za-z0-9_]*(?=[ \t;\n]|$)/y;
const REST_OF_LINE = /[^\n]*/y;
const COMMENT = /#[^\n]*/y;
const BLANKS = /(?:[ \t]|\\\n)+/y;
const SHELL_OPTIONS = /set(?:[ \t]+[-+]?[A-Za-z]+)+(?=[ \t]*(?:[;\n#]|$))/y;
const LEFT_OF_EQUALS = /[^\s=;#'"`$]+(?==)/y;

/**
 * Reads a profile as a shell would when it sources the file, without running one: assignments with or without
 * `export`, quotes, comments, variables of earlier lines and of `environment`. Never throws: every fault becomes a
 * finding with its line, and the lines around it are still read.
 */
export function parseProfile(text: string, environment: Environment): ParsedProfile {
  if (text.includes('\0')) return { assignments: new Map(), findings: [toFinding(encodingFault())] };
  return new Parser(text.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n'), environment).parse();
}

class Parser {
  readonly #assignments = new Map<string, Assignment>();
  readonly #findings: Finding[] = [];
  readonly #faulty = new Set<string>();
  /** Of the `export` that is being read: it is a command, whose words all have their values before it runs. */
  readonly #exported: Assignment[] = [];
  readonly #cursor: Cursor;
  readonly #environment: Environment;

  constructor(text: string, environment: Environment) {
    this.#cursor = new Cursor(text);
    this.#environment = environment;
  }

  parse(): ParsedProfile {
    while (!this.#cursor.atEnd) this.#readStatement();
    return { assignments: this.#assignments, findings: this.#findings };
  }

  #readStatement(): void {
    const cursor = this.#cursor;
    cursor.takeMatch(/(?:\s|;|\\\n)+/y);
    if (cursor.atEnd) return;
    if (cursor.takeMatch(COMMENT) !== undefined || cursor.takeMatch(SHELL_OPTIONS) !== undefined) return;
    const exports = cursor.takeMatch(/export(?:[ \t]|\\\n)+/y) !== undefined;
    let isSound: boolean;
    do {
      isSound = this.#readItem(exports);
      cursor.takeMatch(BLANKS);
    } while (isSound && !this.#atStatementEnd());
    for (const assignment of this.#exported.splice(0)) this.#assign(assignment);
    if (!isSound) cursor.takeMatch(REST_OF_LINE);
  }

  /** One `NAME=value`, or the bare name of an `export NAME`. False when the rest of the line is of no use. */
  #readItem(exports: boolean): boolean {
    const at = this.#cursor.position;
    if (exports && this.#atExportedName()) {
      this.#cursor.takeMatch(NAME);
      return true;
    }
    const name = this.#cursor.takeMatch(NAME);
    if (name !== undefined && this.#cursor.peek() === '=') return this.#readAssignment(name, at, exports);
    const isBadName = this.#cursor.lookingAt(LEFT_OF_EQUALS) !== undefined;
    this.#report(undefined, isBadName ? badNameFault(at) : missingEqualsFault(at));
    return false;
  }

  #readAssignment(name: string, at: Position, exports: boolean): boolean {
    this.#cursor.take();
    const isBlankAfterEquals = this.#cursor.lookingAt(BLANKS) !== undefined;
    let isSound = true;
    const scope: Scope = {
      lookup: (wanted) => this.#lookup(wanted),
      // Behind the first error the rest of the word is guesswork.
      report: (fault) => {
        if (isSound) this.#report(name, fault);
        if (fault.severity === 'error') isSound = false;
      },
    };
    const value = readWord(this.#cursor, scope);
    this.#cursor.takeMatch(BLANKS);
    const isFollowedByItem = this.#cursor.lookingAt(ASSIGNED_NAME) !== undefined || (exports && this.#atExportedName());
    if (isSound && !this.#atStatementEnd() && !isFollowedByItem) {
      scope.report(looseTextFault(this.#cursor.position, isBlankAfterEquals));
    }
    if (!isSound) this.#faulty.add(name);
    else if (exports) this.#exported.push({ name, value, ...at });
    else this.#assign({ name, value, ...at });
    return isSound;
  }

  #assign(assignment: Assignment): void {
    const earlier = this.#assignments.get(assignment.name);
    if (earlier !== undefined) this.#report(assignment.name, duplicateFault(assignment, earlier));
    // Deleted first, so that the order of the map is the order of the lines that count.
    this.#assignments.delete(assignment.name);
    this.#assignments.set(assignment.name, assignment);
  }

  #atStatementEnd(): boolean {
    return this.#cursor.lookingAt(/[#;\n]|$/y) !== undefined;
  }

  /** At a name that `export` marks without a value: one that has a value already. */
  #atExportedName(): boolean {
    const name = this.#cursor.lookingAt(EXPORTED_NAME);
    const isExported = this.#exported.some((one) => one.name === name);
    return name !== undefined && (isExported || this.#lookup(name) !== undefined);
  }

  /** A faulty variable reads as empty: its own finding says enough. */
  #lookup(name: string): string | undefined {
    const own = this.#assignments.get(name)?.value;
    if (own !== undefined) return own;
    if (this.#faulty.has(name)) return '';
    return Object.hasOwn(this.#environment, name) ? this.#environment[name] : undefined;
  }

  #report(variable: string | undefined, fault: Fault): void {
    this.#findings.push(toFinding(fault, variable));
  }
}

function toFinding(fault: Fault, variable?: string): Finding {
  const { at, ...what } = fault;
  return { ...what, ...at, ...(variable !== undefined && { variable }) };
}

function encodingFault(): Fault {
  return {
    code: 'profile-encoding',
    severity: 'error',
    message: 'The file holds NUL bytes: it is not UTF-8 text, perhaps UTF-16.',
    remedy: 'Save it as UTF-8.',
    at: { line: 1, column: 1 },
  };
}

function badNameFault(at: Position): Fault {
  return {
    code: 'profile-bad-name',
    severity: 'error',
    message: 'What stands left of = is not the name of a variable.',
    remedy: 'Use letters, digits and underscores, and no digit in front.',
    at,
  };
}

function missingEqualsFault(at: Position): Fault {
  return {
    code: 'profile-missing-equals',
    severity: 'error',
    message: 'This is not NAME=value. A profile is read, never executed.',
    remedy: 'Write NAME=value with no blank around =, or put # in front.',
    at,
  };
}

function looseTextFault(at: Position, isBlankAfterEquals: boolean): Fault {
  return {
    code: 'profile-loose-text',
    severity: 'error',
    message: 'Text follows the value after a blank; a shell would take it for a command.',
    remedy: isBlankAfterEquals ? 'Remove the blank after =.' : 'Put the whole value in quotes, or # before a comment.',
    at,
  };
}

function duplicateFault(assignment: Assignment, earlier: Assignment): Fault {
  return {
    code: 'profile-duplicate',
    severity: 'warning',
    message: `${assignment.name} was set on line ${earlier.line} already; this line wins.`,
    remedy: 'Keep one of the two lines.',
    at: { line: assignment.line, column: assignment.column },
  };
}
