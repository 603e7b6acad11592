import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { accountNamespace, grants, type OperationName, rulesOf } from '../../shared/permissions/operations.js';
import { type Demand, demandsOf, includes, type Verb, wordsOf } from '../../shared/permissions/rule.js';

/** One request as the API server's audit log has it: what the authorizer was asked. */
export interface Asked extends Demand {
  account: string;
  /** Whether it may have changed something: dry runs and questions are none. */
  isWrite: boolean;
  isDenied: boolean;
  /** The lab whose API server was asked, named after its proof. */
  lab: string;
}

const eventShape = z.object({
  verb: z.string(),
  requestURI: z.string(),
  user: z.object({ username: z.string() }),
  objectRef: z
    .object({
      resource: z.string().default(''),
      apiGroup: z.string().default(''),
      subresource: z.string().default(''),
      namespace: z.string().optional(),
      name: z.string().optional(),
    })
    .optional(),
  responseStatus: z.object({ code: z.number().optional() }).optional(),
});

const extension = '.audit';
const writing = ['create', 'update', 'patch', 'delete', 'deletecollection'];

/** How far a folder's audit logs are written, in bytes by file. */
export async function auditEnds(folder: string): Promise<Map<string, number>> {
  const files = await logsIn(folder);
  return new Map(await Promise.all(files.map(async (file) => [file, (await stat(file)).size] as const)));
}

/** The requests of the operations' accounts in a folder's audit logs. @param since where to begin, by file */
export async function readAudit(folder: string, since: ReadonlyMap<string, number> = new Map()): Promise<Asked[]> {
  const texts = await Promise.all(
    (await logsIn(folder)).map(async (file) => ({
      lab: basename(file, extension),
      text: (await readFile(file)).subarray(since.get(file) ?? 0).toString('utf8'),
    })),
  );
  // What stands behind the last line's end is being written.
  return texts.flatMap(({ lab, text }) =>
    text
      .split('\n')
      .slice(0, -1)
      .flatMap((line) => askedIn(line, lab)),
  );
}

async function logsIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.endsWith(extension)).map((name) => join(folder, name));
}

function askedIn(line: string, lab: string): Asked[] {
  const { verb, requestURI, user, objectRef, responseStatus } = eventShape.parse(JSON.parse(line));
  const prefix = `system:serviceaccount:${accountNamespace}:`;
  if (objectRef === undefined || !user.username.startsWith(prefix)) return [];
  const { resource, apiGroup, subresource, namespace, name } = objectRef;
  const asked: Asked = {
    account: user.username.slice(prefix.length),
    verb: verb as Verb,
    group: apiGroup,
    plural: resource,
    subresource,
    namespace,
    name,
    isWrite: writing.includes(verb) && !requestURI.includes('dryRun=All') && !resource.startsWith('selfsubject'),
    isDenied: responseStatus?.code === 403,
    lab,
  };
  // What server-side apply makes needs `create` as well, of that very name.
  const isMade = verb === 'patch' && responseStatus?.code === 201;
  return isMade ? [asked, { ...asked, verb: 'create' }] : [asked];
}

/** What a manifest grants and nobody has asked for, in words, without what its rules say why nobody does. */
export function unusedOf(asked: readonly Asked[]): string[] {
  return unaskedOf(asked, false);
}

/** What nobody has asked for, and why it is needed all the same. */
export function excusedOf(asked: readonly Asked[]): string[] {
  return unaskedOf(asked, true);
}

/**
 * What was asked for and not granted, in words. A Role that went with its namespace is no rule that lacks. After a failure
 * the cluster is looked at as a check does, and what holds a namespace is listed, both as far as it may be.
 */
export function refusedOf(asked: readonly Asked[]): string[] {
  const diagnosis = rulesOf('check').flatMap(demandsOf);
  const refused = asked.filter(({ isDenied, verb }) => isDenied && verb !== 'list');
  const unknown = refused.filter((one) => {
    const own = [...grants.values()].filter(({ accounts }) => accounts.includes(one.account));
    const granted = own.flatMap(({ rules }) => rules).flatMap(demandsOf);
    return ![...granted, ...diagnosis].some((demand) => includes(demand, one));
  });
  return [...new Set(unknown.map((one) => `${one.account}: ${wordsOf(one)} (${one.lab})`))];
}

function unaskedOf(asked: readonly Asked[], isExcused: boolean): string[] {
  const seen = new Map<string, Asked>();
  for (const one of asked) seen.set(JSON.stringify({ ...one, lab: '' }), one);
  return [...grants].flatMap(([name, { rules, accounts }]) => {
    const own = [...seen.values()].filter(({ account, isDenied }) => accounts.includes(account) && !isDenied);
    return rules.flatMap((rule) =>
      demandsOf(rule)
        .filter((demand) => (rule.unseen?.[demand.verb] !== undefined) === isExcused)
        .filter((demand) => !own.some((one) => includes(demand, one)))
        .map((demand) => lineOf(name, demand, rule.unseen?.[demand.verb])),
    );
  });
}

function lineOf(name: OperationName, demand: Demand, why: string | undefined): string {
  return `${name}: ${wordsOf(demand)}${why === undefined ? '' : `: ${why}`}`;
}
