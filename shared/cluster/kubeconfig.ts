import { isAbsolute, join } from 'node:path';
import * as z from 'zod';
import { McprtError } from '../errors.js';
import { isRecord } from '../json.js';

/** One file, or one text, of a kubeconfig. */
export interface KubeconfigPart {
  fields: Record<string, unknown>;
  /** Where its relative paths begin; those of a text begin where the job is. */
  folder?: string;
}

/** What a kubeconfig says of a cluster. Nothing is an empty text. Paths are absolute, but for those of a text. */
export type KubeconfigCluster = z.infer<typeof clusterShape>;
/** What a kubeconfig says of a user. */
export type KubeconfigUser = z.infer<typeof userShape>;

/** One context with what it names. */
export interface ChosenContext {
  context: string;
  cluster: KubeconfigCluster;
  user: KubeconfigUser;
  userName: string;
}

// As Kubernetes' own client reads them: null is nothing, and a number is no text.
const or = <T>(shape: z.ZodType<T>, nothing: T) => shape.nullish().transform((value) => value ?? nothing);
const text = or(z.string(), '');
const clusterShape = z.object({
  server: text,
  'certificate-authority': text,
  'certificate-authority-data': text,
  'insecure-skip-tls-verify': or(z.boolean(), false),
  'tls-server-name': text,
  'proxy-url': text,
});
const userShape = z.object({
  'client-certificate': text,
  'client-certificate-data': text,
  'client-key': text,
  'client-key-data': text,
  token: text,
  tokenFile: text,
  username: text,
  password: text,
  as: text,
  'as-uid': text,
  'as-groups': or(z.array(z.string()), []),
  'as-user-extra': or(z.record(z.string(), z.array(z.string())), {}),
  exec: z.looseObject({}).nullish(),
  'auth-provider': z.looseObject({}).nullish(),
});
const contextShape = z.object({ cluster: text, user: text });
/** Fields that name files. */
const paths = ['certificate-authority', 'client-certificate', 'client-key', 'tokenFile'];

/**
 * Chooses a context, and what it names. Of several files the first that has an entry of a name has it whole, and the first
 * that names a current context names it. What is elsewhere in the files is not looked at.
 *
 * @param wanted name of the context; the current one when it is empty
 * @throws McprtError `kubeconfig-invalid`, `kubeconfig-redacted`, which quote names only
 */
export function chooseContext(parts: readonly KubeconfigPart[], wanted: string): ChosenContext {
  const current = parts
    .map(({ fields }) => fields['current-context'])
    .find((name) => name !== undefined && name !== '');
  const name = wanted || current;
  if (typeof name !== 'string') throw noContext('it names no current context');
  const context = entryOf(parts, 'contexts', 'context', name);
  if (context === undefined) throw noContext(`it has no context ${shown(name)}`, parts);
  const { cluster, user } = read(contextShape, context, `its context ${shown(name)}`);
  const clusterFields = entryOf(parts, 'clusters', 'cluster', cluster);
  if (clusterFields === undefined) throw noContext(`its context ${shown(name)} is of a cluster that it has not`);
  const userFields = user === '' ? {} : entryOf(parts, 'users', 'user', user);
  if (userFields === undefined) throw noContext(`its context ${shown(name)} is of a user that it has not`);
  const chosen = {
    context: name,
    cluster: read(clusterShape, clusterFields, `its cluster ${shown(cluster)}`),
    user: read(userShape, userFields, `its user ${shown(user)}`),
    userName: user,
  };
  refuseRedacted(chosen);
  const contradiction = contradictionIn(chosen);
  if (contradiction !== undefined) throw unusable(contradiction);
  return chosen;
}

/** A kubeconfig that can be read, and not be used. @param why what is wrong with it, without a word of its values */
export function unusable(why: string): McprtError {
  return new McprtError('kubeconfig-invalid', {
    what: 'the kubeconfig cannot be used',
    why,
    next: 'store it again as the cluster wrote it, with the data in it: `kubectl config view --raw --flatten --minify`',
  });
}

/** Longer than the name that any cloud gives to a context. */
const longestName = 253;

/**
 * A name of a kubeconfig's, for a message. What has several lines or is too long is none, and may be anything: it is not
 * shown, and not cut either, as a piece of a secret is not found to be one.
 */
export function shown(name: string): string {
  return name.length <= longestName && !/[\r\n]/.test(name) ? JSON.stringify(name) : `of ${name.length} characters`;
}

/** `kubectl config view` writes these in place of what is secret or long. */
const redacted = /^(?:REDACTED|DATA\+OMITTED)$/;

/** Refuses what was printed for people to look at: with its stand-ins nobody gets in. */
function refuseRedacted({ cluster, user }: ChosenContext): void {
  const fields = Object.entries({ ...cluster, ...user })
    .filter(([, value]) => typeof value === 'string' && redacted.test(value.trim()))
    .map(([name]) => name);
  if (fields.length === 0) return;
  // The stand-ins are masked as the values that they stand for, so they are not quoted.
  throw new McprtError('kubeconfig-redacted', {
    what: 'the kubeconfig has no credentials in it, but placeholders',
    why: `${fields.join(', ')}: \`kubectl config view\` leaves these values out`,
    next: 'store the kubeconfig again, with its values: `kubectl config view --raw --flatten --minify`',
  });
}

/** Whether a file and the data in its place say something, or one of them. */
function given(fields: Readonly<Record<string, unknown>>, name: string): { any: boolean; both: boolean } {
  const [file, data] = [fields[name] !== '', fields[`${name}-data`] !== ''];
  return { any: file || data, both: file && data };
}

/** What Kubernetes' own client refuses, as it can be meant in two ways. */
function contradictionIn({ cluster, user }: ChosenContext): string | undefined {
  const authority = given(cluster, 'certificate-authority');
  const certificate = given(user, 'client-certificate');
  const key = given(user, 'client-key');
  const hasMore =
    user['as-uid'] !== '' || user['as-groups'].length > 0 || Object.keys(user['as-user-extra']).length > 0;
  if (authority.both) return 'it has both certificate-authority and certificate-authority-data';
  if (certificate.both) return 'it has both client-certificate and client-certificate-data';
  if (certificate.any && key.both) return 'it has both client-key and client-key-data';
  if (cluster.server === '') return 'its cluster has no server';
  if (cluster['insecure-skip-tls-verify'] && authority.any)
    return 'it names a CA and turns off the check of the API server’s certificate';
  if (user.token !== '' && (user.username !== '' || user.password !== ''))
    return 'its user has a token and a username or password';
  if (certificate.any && !key.any) return 'its user has a client certificate without the key of it';
  if (hasMore && user.as === '') return 'it asks for a group, UID or more of another user without saying which (`as`)';
  if (user.exec && user['auth-provider']) return 'its user has a plugin and an auth provider';
  return undefined;
}

function noContext(why: string, parts: readonly KubeconfigPart[] = []): McprtError {
  const names = parts
    .flatMap((part) => listOf(part, 'contexts'))
    .flatMap(({ name }) => (typeof name === 'string' ? [name] : []));
  const has = names.length === 0 ? '' : `; it has ${[...new Set(names)].slice(0, 10).map(shown).join(', ')}`;
  return new McprtError('kubeconfig-invalid', {
    what: 'the kubeconfig has no usable current context',
    why: `${why}${has}`,
    next: 'name one of its contexts in the input `context`, or set current-context with `kubectl config use-context`',
  });
}

/** The entry of a name with its paths made absolute; undefined when there is none. */
function entryOf(
  parts: readonly KubeconfigPart[],
  list: 'contexts' | 'clusters' | 'users',
  field: string,
  name: string,
): Record<string, unknown> | undefined {
  for (const part of parts) {
    const found = listOf(part, list).filter((one) => one.name === name);
    if (found.length > 1) throw unusable(`its ${list} have the name ${shown(name)} twice`);
    const [entry] = found;
    if (entry !== undefined) return withAbsolutePaths(isRecord(entry[field]) ? entry[field] : {}, part.folder);
  }
  return undefined;
}

function listOf({ fields }: KubeconfigPart, list: string): Record<string, unknown>[] {
  const entries = fields[list];
  return Array.isArray(entries) ? entries.filter(isRecord) : [];
}

function withAbsolutePaths(fields: Record<string, unknown>, folder: string | undefined): Record<string, unknown> {
  if (folder === undefined) return fields;
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) =>
      paths.includes(name) && typeof value === 'string' && value !== '' && !isAbsolute(value)
        ? [name, join(folder, value)]
        : [name, value],
    ),
  );
}

/** Reads fields by their shape. What is wrong is told by its field: its value may be a secret. */
function read<T>(shape: z.ZodType<T>, fields: Record<string, unknown>, subject: string): T {
  const { data, error } = shape.safeParse(fields);
  if (error === undefined) return data as T;
  const [issue] = error.issues;
  const field = issue?.path.filter((part) => typeof part === 'string').join('.') ?? '';
  throw unusable(`the field ${field} of ${subject} is of the wrong kind: a text that looks like a number needs quotes`);
}
