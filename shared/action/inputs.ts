import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as core from '@actions/core';
import { McprtError } from '../errors.js';
import { type Override, parseOverrides } from '../platform/overrides.js';
import { secretsIn, shownPath } from '../secret-shapes.js';
import { mask } from './mask.js';

/** How the text of an input becomes a value; throws with what is wrong in words. */
export interface InputType<T> {
  parse(text: string): T;
  /** For the message when it does not parse. */
  expected: string;
  /** Whether all of it is a secret. Of every other input what looks like a secret is masked: it may be in the wrong place. */
  isSecret?: boolean;
  /** Whether a text is of a form that no secret has, though its letters and digits look like one: a domain, a digest. */
  isPublic?: (text: string) => boolean;
  /** Of an input that is no secret as a whole: whether a text of it holds one, so that no other process may see it. */
  mayBeSecret?: (text: string) => boolean;
  /** The words that it takes, where it takes no others. */
  words?: readonly string[];
  /** Whether it takes several values, one a line. */
  isList?: boolean;
}

/** Any text, as it is. */
export const text: InputType<string> = { parse: (value) => value, expected: 'text' };

/** A secret of any characters, as a password is. */
export const secret: InputType<string> = { parse: (value) => value, expected: 'a secret', isSecret: true };

/** A secret that is sent in a header. */
export const token: InputType<string> = {
  expected: 'a token',
  isSecret: true,
  parse(value) {
    if (!/^[\x21-\x7e]*$/.test(value)) {
      throw new Error('it has a line end, a blank or a letter within that no token has: it was damaged on its way');
    }
    return value;
  },
};

/** A path, or nothing. What can be none is refused, and not shown: a system that is asked for it tells it in its error. */
export const path: InputType<string> = {
  expected: 'a path',
  parse(value) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what no path has
    if (/[\u0000-\u001f\u007f]/.test(value) || value.length > 4_000)
      throw new Error('it has several lines, or is too long');
    if (value.split('/').some((name) => Buffer.byteLength(name) > 255)) throw new Error('a name in it is too long');
    return value;
  },
};

/** The most that a deployment profile has; a variable or secret of GitHub's holds less. In characters. */
const longestProfile = 256 * 1024;

/** The text of a deployment profile, or nothing. */
export const profileText: InputType<string> = {
  expected: 'the text of a deployment profile',
  parse(value) {
    if (value.length > longestProfile) throw new Error('it is longer than any profile');
    return value;
  },
};

/** The domain of a platform, or nothing; whether it is one is said where it is used. */
export const domain: InputType<string> = {
  expected: 'a domain',
  isPublic: (value) => /^[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+$/.test(value),
  parse: (value) => value,
};

/** `true` or `false`, in the spellings of YAML 1.2's core schema. */
export const flag: InputType<boolean> = {
  expected: 'true or false',
  parse(value) {
    if (/^(?:true|True|TRUE)$/.test(value)) return true;
    if (/^(?:false|False|FALSE|)$/.test(value)) return false;
    throw new Error('it is neither');
  },
};

/** A whole number that is not negative. */
export const count: InputType<number> = {
  expected: 'a whole number, such as 0',
  parse(value) {
    if (!/^\d{1,6}$/.test(value)) throw new Error('it is none');
    return Number(value);
  },
};

/** A number, or what is right in the case at hand. */
export const countOrAuto: InputType<number | 'auto'> = {
  expected: '`auto` or a whole number',
  parse: (value) => (value === 'auto' ? 'auto' : count.parse(value)),
};

const units: Record<string, number> = { s: 1000, m: 60_000, h: 3600_000, d: 24 * 3600_000 };

/** A time span such as `90s`, `15m`, `36h`, `14d` or `1h30m`; the value is in ms. */
export const duration: InputType<number> = {
  expected: 'a time span, such as 15m, 36h or 14d',
  parse(value) {
    if (!/^(?:\d{1,12}[smhd])+$/.test(value)) throw new Error('a number must have a unit: s, m, h or d');
    return [...value.matchAll(/(\d{1,12})([smhd])/gy)].reduce(
      (sum, [, amount, unit]) => sum + Number(amount) * (units[unit ?? ''] ?? 0),
      0,
    );
  },
};

/** One of a few words. */
export function oneOf<const T extends string>(words: readonly T[]): InputType<T> {
  return {
    words,
    expected: `one of ${words.join(', ')}`,
    parse(value) {
      const found = words.find((word) => word === value);
      if (found === undefined) throw new Error('it is none of these');
      return found;
    },
  };
}

/** Some of a few words, separated by commas or line ends; none for empty text. */
export function someOf<const T extends string>(words: readonly T[]): InputType<T[]> {
  const one = oneOf(words);
  return {
    words,
    isList: true,
    expected: `any of ${words.join(', ')}, separated by commas or lines`,
    parse: (value) => [
      ...new Set(
        value
          .split(/[\s,]+/)
          .filter((word) => word !== '')
          .map((word) => one.parse(word)),
      ),
    ],
  };
}

/** Names of namespaces, separated by commas or line ends; none for empty text. */
export const namespaceNames: InputType<string[]> = {
  expected: 'names of namespaces, one a line',
  isList: true,
  parse(value) {
    const names = value.split(/[\s,]+/).filter((name) => name !== '');
    if (!names.every((name) => /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/.test(name))) {
      throw new Error('a namespace is called with lower-case letters, digits and dashes');
    }
    return [...new Set(names)];
  },
};

/** A time span, or nothing for the default; the value is in ms. */
export const maybeDuration: InputType<number | undefined> = {
  expected: 'a time span, such as 15m',
  parse: (value) => (value === '' ? undefined : duration.parse(value)),
};

/** Lines that are not empty. */
export const lines: InputType<string[]> = {
  expected: 'lines of text',
  isList: true,
  parse: (value) =>
    value
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== ''),
};

/** All the certificates of a system are less. In bytes. */
const mostCertificates = 4 * 1024 * 1024;

/** @throws Error for a block that is damaged, as by line ends that got lost: nothing could be verified by it */
function requireWhole(pem: string): void {
  for (const block of pem.split('-----BEGIN CERTIFICATE-----').slice(1)) {
    const [body = '', end] = block.split('-----END CERTIFICATE-----');
    try {
      if (end === undefined) throw new Error('its end is missing');
      new X509Certificate(Buffer.from(body, 'base64'));
    } catch {
      throw new Error('one of its certificates is damaged: compare it with where it comes from, its line ends as well');
    }
  }
}

/** PEM text, base64 of it as a kubeconfig has it, or the path of a file with it. */
export const certificates: InputType<string> = {
  expected: 'a path, PEM text or base64 of certificates',
  parse(value) {
    const isText = value === '' || value.includes('-----BEGIN');
    const decoded = /^[A-Za-z0-9+/=\s]+$/.test(value) ? Buffer.from(value, 'base64').toString('utf8') : '';
    const pem = isText ? value : decoded.includes('-----BEGIN CERTIFICATE') ? decoded : textAt(value);
    if (pem !== '' && !pem.includes('-----BEGIN CERTIFICATE-----')) throw new Error('it holds no certificate');
    requireWhole(pem);
    return pem;
  },
};

function textAt(given: string): string {
  try {
    const bytes = readFileSync(path.parse(given));
    if (bytes.length <= mostCertificates) return bytes.toString('utf8');
  } catch {
    const shown = shownPath(given);
    throw new Error(`it is no PEM text, and there is no file ${shown === undefined ? 'of that name' : shown}`);
  }
  throw new Error('the file is too large to be of certificates');
}

/** Where to connect instead of where DNS says. */
export const overrides: InputType<Override[]> = {
  expected: 'host=address or host:port=address:port, one a line',
  isList: true,
  parse: parseOverrides,
};

/** The inputs of an action by name. A test holds it equal to the action's action.yml. */
export type InputTypes = Record<string, InputType<unknown>>;

export type Inputs<T extends InputTypes> = {
  [Name in keyof T]: T[Name] extends InputType<infer Value> ? Value : never;
};

/**
 * Reads all inputs of an action. Secrets, and what looks like one, are masked before.
 *
 * @throws McprtError `input-invalid`, for the first input that does not parse; its text is not shown, as it may be a secret
 */
export function readInputs<T extends InputTypes>(types: T): Inputs<T> {
  const given = new Map(Object.keys(types).map((name) => [name, core.getInput(name)]));
  // All of them before the first is looked at: a message about one may be made of another.
  for (const [name, { isSecret, isPublic }] of Object.entries(types)) {
    const value = given.get(name) ?? '';
    if (isSecret) mask(value);
    else if (!isPublic?.(value)) secretsIn(value).forEach(mask);
  }
  const read = Object.entries(types).map(([name, type]) => {
    try {
      return [name, type.parse(given.get(name) ?? '')] as const;
    } catch (error) {
      throw new McprtError('input-invalid', {
        what: `the input \`${name}\` is not ${type.expected}`,
        why: error instanceof Error ? error.message : 'it cannot be read',
        next: `correct \`${name}\` below \`with:\` of this step`,
      });
    }
  });
  return Object.fromEntries(read) as Inputs<T>;
}
