import { createHash } from 'node:crypto';
import { McprtError } from '../../../errors.js';
import { limits } from '../../limits.js';
import { isWanted, nextWhenMissing, type Store } from '../store.js';
import { s3Fate } from './s3-address.js';
import type { S3Answer, S3Calls, S3Request } from './s3-call.js';
import { type Asked, type Doing, type Refused, s3Failure } from './s3-failure.js';
import { pageOf } from './s3-xml.js';

export interface S3Ports extends Omit<Asked, 'isLocking'> {
  calls: S3Calls;
  /** Days that nobody can delete a backup for, by Object Lock; 0 for none. */
  lockDays: number;
  now: () => Date;
}

const suffix = '.mcprt';
/** Of one list; time in ms. */
const listLimits = { pages: 100, time: 120_000 } as const;
const day = 24 * 3600_000;
const lockHeader = 'x-amz-object-lock-retain-until-date';

/** A bucket of S3, or of a server that speaks as S3 does: each backup is an object. */
export function s3Store({ calls, address, keysFrom, lockDays, now }: S3Ports): Store {
  const { bucket, prefix } = address;
  const asked: Asked = { address, keysFrom, isLocking: lockDays > 0 };
  const shown = `s3://${bucket}/${prefix}`;
  const keyOf = (name: string): string => `${prefix}${name}${suffix}`;
  /** @throws what a refusal is, but for the statuses that are answers */
  const must = async (
    request: S3Request,
    doing: Doing,
    isAnswer: (refused: Refused) => boolean = () => false,
  ): Promise<S3Answer> => {
    const answer = await calls.ask(request);
    if ('refused' in answer && !isAnswer(answer.refused)) throw s3Failure(answer.refused, doing, asked);
    return answer;
  };
  const read = async (name: string): Promise<Buffer> => {
    const request = { method: 'GET', key: keyOf(name), most: limits.archiveBytes } as const;
    const answer = await must(request, 'read', isMissing);
    if ('refused' in answer) throw missed(name, shown);
    return answer.body;
  };
  const headOf = async (name: string, doing: Doing): Promise<Headers | undefined> => {
    const answer = await must({ method: 'HEAD', key: keyOf(name) }, doing, ({ status }) => status === 404);
    return 'refused' in answer ? undefined : answer.headers;
  };
  const put = async (name: string, bytes: Buffer, condition: Readonly<Record<string, string>>): Promise<S3Answer> => {
    const until = new Date(now().getTime() + lockDays * day);
    const lock = { 'x-amz-object-lock-mode': 'COMPLIANCE', [lockHeader]: until.toISOString() };
    const headers = {
      'content-type': 'application/x-tar',
      // AWS wants it where an object is locked; all check it.
      'content-md5': createHash('md5').update(bytes).digest('base64'),
      ...condition,
      ...(lockDays > 0 ? lock : {}),
    };
    return calls.ask({ method: 'PUT', key: keyOf(name), body: bytes, headers });
  };

  return {
    name: 's3',
    fate: s3Fate(address),
    async save(name, bytes) {
      const notes: string[] = [];
      let answer = await put(name, bytes, { 'if-none-match': '*' });
      if ('refused' in answer && isUnconditional(answer.refused)) {
        if ((await headOf(name, 'write')) !== undefined) throw taken(name, shown);
        notes.push(
          'the server knows no conditional write: it was looked whether the name is free before it was written',
        );
        answer = await put(name, bytes, {});
      }
      if ('refused' in answer && [409, 412].includes(answer.refused.status)) {
        // An answer that got lost on its way may have been a success.
        if (!(await read(name)).equals(bytes)) throw taken(name, shown);
      } else if ('refused' in answer) {
        throw s3Failure(answer.refused, 'write', asked);
      }
      const until = lockDays > 0 ? lockedUntil(await headOf(name, 'write')) : undefined;
      if (until !== undefined) notes.push(`nobody can delete it before ${until.toISOString().slice(0, 10)}`);
      const where = `${shown}${name}${suffix}`;
      return {
        where,
        until,
        notes: [where, ...notes],
        ...(lockDays > 0 && until === undefined ? { doubt: unseenLock(lockDays) } : {}),
      };
    },
    read,
    async list(wanted) {
      const end = Date.now() + listLimits.time;
      const found = new Set<string>();
      const tokens = new Set<string>();
      const beginning = `${prefix}${'name' in wanted ? `${wanted.name}${suffix}` : wanted.prefix}`;
      let cut: McprtError | undefined;
      for (let token: string | undefined; ; ) {
        const query = {
          'list-type': '2',
          prefix: beginning,
          'encoding-type': 'url',
          ...(token === undefined ? {} : { 'continuation-token': token }),
        };
        const answer = await must({ method: 'GET', query }, 'list');
        const page = 'refused' in answer ? undefined : await pageOf(answer.body);
        if (page === undefined) throw noList(address.endpoint);
        for (const key of page.keys) found.add(key);
        if (!page.isTruncated) break;
        const next = page.next;
        if (next === undefined || tokens.has(next) || tokens.size + 1 >= listLimits.pages || Date.now() > end) {
          cut = listCut(shown, found.size);
          break;
        }
        tokens.add(next);
        token = next;
      }
      const names = [...found]
        .filter((key) => key.startsWith(prefix) && key.endsWith(suffix))
        .map((key) => key.slice(prefix.length, -suffix.length))
        .filter((name) => !name.includes('/') && isWanted(name, wanted));
      return {
        entries: names.map((name) => ({
          name,
          foreign: undefined,
          fetch: () => read(name),
          async remove() {
            const head = await headOf(name, 'delete');
            if (head === undefined) return;
            const until = lockedUntil(head);
            if (until !== undefined && until > now()) throw locked(name, until);
            // Without its version a deletion would only hide it.
            const version = head.get('x-amz-version-id') ?? '';
            const query = version === '' || version === 'null' ? {} : { versionId: version };
            await must({ method: 'DELETE', key: keyOf(name), query }, 'delete', isMissing);
          },
        })),
        cut,
        where: `looked in ${shown}`,
      };
    },
    async holds(name) {
      const until = lockedUntil(await headOf(name, 'read'));
      return until === undefined || until < now()
        ? {
            until: undefined,
            words: 'as long as the bucket, its lifecycle rules and whoever may delete there leave it',
          }
        : { until, words: 'nobody can delete it before, by Object Lock' };
    },
  };
}

/** Until when nobody can delete an object; undefined where the server does not say. */
function lockedUntil(headers: Headers | undefined): Date | undefined {
  const time = Date.parse(headers?.get(lockHeader) ?? '');
  return Number.isNaN(time) ? undefined : new Date(time);
}

function isMissing({ status, code }: Refused): boolean {
  return code === 'NoSuchKey' || code === 'NoSuchVersion' || (status === 404 && code === '');
}

/** Whether a server does not know a write that only happens where nothing is yet. */
function isUnconditional({ status, code, message }: Refused): boolean {
  const isOfCondition = /if-none-match|conditional|header you provided/i.test(message);
  return status === 501 || (code === 'NotImplemented' && status < 500) || (status === 400 && isOfCondition);
}

function missed(name: string, shown: string): McprtError {
  return new McprtError('store-miss', {
    what: `there is no backup ${name} in ${shown}`,
    why: 'the server has no such object',
    next: nextWhenMissing.s3,
  });
}

function taken(name: string, shown: string): McprtError {
  return new McprtError('store-duplicate', {
    what: `the name ${name} is taken in ${shown}`,
    why: 'another run, or somebody else, has stored something under it',
    next: 'run it again: each attempt stores under a name of its own; find out who else writes to this bucket',
  });
}

function locked(name: string, until: Date): McprtError {
  return new McprtError('store-locked', {
    what: `${name} is locked`,
    why: `until ${until.toISOString()}, by Object Lock`,
    next: 'nothing: a later backup deletes it when the lock is over',
  });
}

function noList(endpoint: string | undefined): McprtError {
  return new McprtError('store-endpoint', {
    what: `what answers at ${endpoint ?? 'AWS'} does not list a bucket as S3 does`,
    why: 'its answer is no ListBucketResult',
    next: 'check `s3-endpoint`: the port of the API and not of a console, and whether a proxy or firewall answers instead',
  });
}

function listCut(shown: string, read: number): McprtError {
  return new McprtError('store-cut', {
    what: `not all objects of ${shown} could be looked through`,
    why: `${read} were read; no more are in ${listLimits.pages} pages and ${listLimits.time / 1000} s, or the server does not say how its list continues`,
    next: 'name the backup with `name`, which asks for just that object: the summary of each backup shows it. Then delete what nobody needs, or give backups a prefix of their own',
  });
}

function unseenLock(days: number): string {
  return `whether it is locked for ${days} days is not known, as the server does not tell: take a bucket with Object Lock, and allow \`s3:GetObjectRetention\``;
}
