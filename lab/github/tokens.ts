import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { jobBackendId, type Repository, type Run, type RunPermissions, runBackendId } from './run.js';
import { type Scope, scopesOf } from './scopes.js';

/** How long the token of a job lives. */
const LIFETIME_SECONDS = 6 * 3600;

/** Who calls the cache or the artifact service. */
export interface Caller {
  readonly runBackendId: string;
  readonly jobBackendId: string;
  readonly scopes: readonly Scope[];
}

const CLAIMS = z.object({ scp: z.string(), ac: z.string(), nbf: z.number(), exp: z.number() });
const ACCESS = z.array(z.object({ Scope: z.string(), Permission: z.number() }));

/** Issues the tokens of jobs and knows them again. */
export class Tokens {
  readonly #secret = randomBytes(32);
  readonly #restTokens = new Map<string, RunPermissions>();
  readonly #now: () => Date;

  constructor(now: () => Date) {
    this.#now = now;
  }

  /** The runtime token of a job: a JWT that names its run in `scp` and its cache scopes in `ac`. */
  issueRuntimeToken(run: Run, repository: Repository): string {
    const issued = Math.floor(this.#now().getTime() / 1000);
    const results = `Actions.Results:${runBackendId(repository, run)}:${jobBackendId(repository, run)}`;
    const access = scopesOf(run, repository).map(({ scope, permission }) => ({ Scope: scope, Permission: permission }));
    const claims = {
      iss: 'https://token.actions.githubusercontent.com',
      scp: `Actions.ExampleScope ${results}`,
      ac: JSON.stringify(access),
      nbf: issued,
      exp: issued + LIFETIME_SECONDS,
    };
    const content = [{ typ: 'JWT', alg: 'HS256' }, claims].map(base64url).join('.');
    return `${content}.${this.#sign(content)}`;
  }

  /** The caller whom a runtime token names; undefined when it is none of ours, was changed, or has expired. */
  readRuntimeToken(token: string): Caller | undefined {
    const [header, payload, signature] = token.split('.');
    if (header === undefined || payload === undefined || signature === undefined) return undefined;
    if (!isSame(signature, this.#sign(`${header}.${payload}`))) return undefined;
    const claims = CLAIMS.parse(JSON.parse(Buffer.from(payload, 'base64url').toString()));
    const ids = /(?:^| )Actions\.Results:([^: ]+):([^: ]+)(?: |$)/.exec(claims.scp);
    if (claims.exp * 1000 <= this.#now().getTime() || ids?.[1] === undefined || ids[2] === undefined) return undefined;
    const access = ACCESS.parse(JSON.parse(claims.ac));
    const scopes = access.map(({ Scope, Permission }) => ({ scope: Scope, permission: Permission }));
    return { runBackendId: ids[1], jobBackendId: ids[2], scopes };
  }

  /** A GITHUB_TOKEN for the REST API. */
  issueRestToken(permissions: RunPermissions): string {
    const token = `ghs_${randomBytes(18).toString('hex')}`;
    this.#restTokens.set(token, permissions);
    return token;
  }

  /** What a GITHUB_TOKEN may do; undefined when it is none of ours. */
  restPermissions(token: string): RunPermissions | undefined {
    return this.#restTokens.get(token);
  }

  #sign(content: string): string {
    return createHmac('sha256', this.#secret).update(content).digest('base64url');
  }
}

function base64url(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function isSame(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));
}
