import { readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { parseAllDocuments, type Tags } from 'yaml';
import { McprtError } from '../errors.js';
import { isRecord } from '../json.js';
import { passwordsIn, secretsIn, shownPath } from '../secret-shapes.js';
import type { KubeconfigPart } from './kubeconfig.js';

/** A kubeconfig of many clusters is some hundred KiB. In bytes. */
const largest = 4 * 1024 * 1024;
const help = 'give a path that exists, the file’s text, or its base64 (`base64 -w0 < kubeconfig`)';
const lists = ['clusters', 'users', 'contexts'];
/** A token may look like a time. */
const customTags = (tags: Tags): Tags =>
  tags.filter((tag) => tag !== 'timestamp' && !(typeof tag === 'object' && tag.tag === 'tag:yaml.org,2002:timestamp'));
/** Nobody merges more. */
const mostFiles = 32;

/**
 * Reads what was given as a kubeconfig: its text in YAML or JSON, base64 of that, a path, or several as in KUBECONFIG. What
 * it is shows only when it is read, so whatever of it may be a secret is told before, also where it turns out to be none.
 *
 * @param onSecrets told of every secret in it, and of what looks like one, before anything else happens
 * @param home what `~/` begins at
 * @returns its files that there are, in their order; of a text the one part
 * @throws McprtError `kubeconfig-missing`, `kubeconfig-invalid`; neither quotes what was given, but a path that is one
 */
export function readKubeconfig(
  source: string,
  onSecrets: (secrets: string[]) => void,
  home = homedir(),
): KubeconfigPart[] {
  const given = withoutMark(source);
  if (given.trim() === '') {
    throw new McprtError('kubeconfig-missing', {
      what: 'no kubeconfig was given',
      why: 'the input `kubeconfig` is empty, and so are MCP_SETUP_KUBECONFIG and KUBECONFIG in the profile and environment',
      next: 'give the path of one; a job takes its text or base64 from a secret of its environment',
    });
  }
  onSecrets(suspects(given));
  const path = given.trim();
  const file = partIn(path, onSecrets, home);
  if (file !== undefined) return [file];
  const fields = fieldsOf(given) ?? fieldsOf(evenly(given)) ?? fieldsOf(fromBase64(given, onSecrets));
  if (fields !== undefined) {
    onSecrets(leaves(fields));
    return [{ fields }];
  }
  // Those of a list that are not there are none, as kubectl takes it.
  const listed = path.split(delimiter).filter((one) => one !== '');
  const parts = listed.slice(0, mostFiles).flatMap((one) => partIn(one, onSecrets, home) ?? []);
  if (parts.length > 0) return parts;
  const shown = shownPath(path);
  if (shown !== undefined) {
    throw new McprtError('kubeconfig-missing', {
      what: `there is no kubeconfig at ${shown}`,
      why: 'the file does not exist on this machine, or cannot be read',
      next: help,
    });
  }
  // It may be a kubeconfig that was damaged on its way: it is not shown, nor any part of it.
  throw invalid('it is neither YAML or JSON of a kubeconfig, nor base64 of it, nor the path of a file');
}

function invalid(why: string): McprtError {
  return new McprtError('kubeconfig-invalid', { what: 'the kubeconfig cannot be read', why, next: help });
}

/** The kubeconfig in a file; undefined where the text is no path of one. */
function partIn(given: string, onSecrets: (secrets: string[]) => void, home: string): KubeconfigPart | undefined {
  const path = given.startsWith('~/') ? join(home, given.slice(2)) : given;
  const bytes = fileOf(path);
  if (bytes === undefined) return undefined;
  const text = textOf(bytes);
  onSecrets(suspects(text));
  const fields = fieldsOf(text) ?? fieldsOf(fromBase64(text, onSecrets));
  if (fields === undefined) throw invalid('the file holds neither YAML or JSON of a kubeconfig nor base64 of it');
  onSecrets(leaves(fields));
  return { fields, folder: dirname(path) };
}

/** The content of a file; undefined where the text is no path of one. */
function fileOf(path: string): Buffer | undefined {
  try {
    const found = statSync(path);
    if (!found.isFile()) return undefined;
    if (found.size > largest) throw invalid(`the file has ${found.size} bytes, more than any kubeconfig`);
    return readFileSync(path);
  } catch (error) {
    if (error instanceof McprtError) throw error;
    return undefined;
  }
}

/** The text of a file, in the encodings in which editors and shells write one. */
function textOf(bytes: Buffer): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return withoutMark(bytes.toString('utf16le'));
  if (bytes[0] === 0xfe && bytes[1] === 0xff) {
    return withoutMark(
      Buffer.from(bytes.subarray(0, bytes.length & ~1))
        .swap16()
        .toString('utf16le'),
    );
  }
  return withoutMark(bytes.toString('utf8'));
}

function withoutMark(text: string): string {
  return text.replace(/^\ufeff/, '');
}

function fromBase64(text: string, onSecrets: (secrets: string[]) => void): string {
  const packed = text.replace(/\s+/g, '');
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(packed)) return '';
  const decoded = textOf(Buffer.from(packed, 'base64'));
  onSecrets(suspects(decoded));
  return decoded;
}

/** An indented text whose beginning was trimmed, as the runner’s toolkit does with an input: the other lines as far left. */
function evenly(text: string): string {
  const [first = '', ...rest] = text.split(/\r?\n/);
  const depth = rest.reduce(
    (least, line) => (line.trim() === '' ? least : Math.min(least, line.length - line.trimStart().length)),
    Number.POSITIVE_INFINITY,
  );
  return depth === 0 || depth === Number.POSITIVE_INFINITY
    ? ''
    : [first.trimStart(), ...rest.map((line) => line.slice(depth))].join('\n');
}

/**
 * The fields of a kubeconfig; undefined for a text that is none. It is YAML 1.1, and of several documents the first counts,
 * as Kubernetes' own client reads it.
 */
function fieldsOf(text: string): Record<string, unknown> | undefined {
  if (text.length > largest) return undefined;
  try {
    const [document] = parseAllDocuments(text, { logLevel: 'silent', prettyErrors: false, version: '1.1', customTags });
    // The parser's messages quote what it could not read, which may be a token: none is passed on.
    if (document === undefined || document.errors.length > 0) return undefined;
    const fields: unknown = document.toJS({ maxAliasCount: 100 });
    return isRecord(fields) && lists.some((list) => Array.isArray(fields[list])) ? fields : undefined;
  } catch {
    return undefined;
  }
}

/**
 * What may be a secret in a text that nobody has understood yet. Values of base64 are told with what they hold: keys come
 * into the hands of a client as text.
 */
function suspects(text: string): string[] {
  return secretsIn(text).flatMap(withDecoded);
}

/** The secrets of a kubeconfig, whatever they look like. */
function leaves({ users, clusters }: Record<string, unknown>): string[] {
  const entries = (list: unknown, name: string): Record<string, unknown>[] =>
    (Array.isArray(list) ? list : []).filter(isRecord).map((one) => (isRecord(one[name]) ? one[name] : {}));
  const secrets = entries(users, 'user').flatMap((user) =>
    ['token', 'password', 'client-key-data'].map((name) => user[name]).concat(nested(user['auth-provider'])),
  );
  const addresses = entries(clusters, 'cluster').flatMap((one) => [one.server, one['proxy-url']]);
  return [
    ...secrets.flatMap((one) => (typeof one === 'string' || typeof one === 'number' ? withDecoded(String(one)) : [])),
    ...addresses.filter((one) => typeof one === 'string').flatMap(passwordsIn),
  ];
}

function nested(provider: unknown): unknown[] {
  return isRecord(provider) && isRecord(provider.config) ? Object.values(provider.config) : [];
}

function withDecoded(secret: string): string[] {
  const packed = secret.replace(/\s+/g, '');
  if (!/^[A-Za-z0-9+/]{24,}={0,2}$/.test(packed)) return [secret];
  const decoded = Buffer.from(packed, 'base64').toString('utf8');
  return decoded.includes('\ufffd') ? [secret] : [secret, decoded];
}
