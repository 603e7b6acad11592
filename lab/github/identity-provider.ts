import { createHash, generateKeyPairSync, type KeyObject, randomBytes, randomUUID, sign } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { listenOnLoopback } from '../driver/loopback.js';
import { makeCertificateAuthority, makeServerCertificate } from '../platform/certificate-authority.js';

/** A job as GitHub's issuer knows it: what its tokens claim is not for the job to say. */
export interface IdentityJob {
  repository: string;
  repositoryId: string;
  /** The environment that the job names, if any. */
  environment?: string;
  /** refs/heads/…, refs/tags/… or refs/pull/…/merge */
  ref: string;
  event: string;
  /** The workflow whose file defines the job: a reusable one, where one is called. */
  workflowRef: string;
  runId?: string;
}

/** The stand-in for GitHub's issuer of identities. */
export interface IdentityProvider {
  issuer: string;
  /** The CA of its TLS certificate, in PEM. */
  certificateAuthority: string;
  /** Path of the same. */
  authorityFile: string;
  /**
   * Variables of a job that may ask (`id-token: write`); `end` ends the job, and nobody may ask for it any more.
   *
   * @param kept a token that the job is given each time, as somebody would show it who has kept one
   */
  job(job: IdentityJob, kept?: string): { env: Record<string, string>; end(): void };
  /** A token of a job as somebody who has watched it would have it. @param more claims in place of its own */
  token(job: IdentityJob, audience: string, more?: Record<string, unknown>): string;
  /** Signs with a new key from now on, and publishes no other. */
  rotate(): void;
  /** How long a token lives, in s; 300 as on GitHub. */
  lifetime: number;
  /** How many tokens jobs have been given. */
  readonly given: number;
  close(): Promise<void>;
}

/**
 * Starts it: discovery and keys over HTTPS, as an API server fetches them, and the address at which a job asks, which
 * wants the job's own request token and puts into the token what it knows about the job. Claims and their shape are those
 * that GitHub documents; a token is valid from ten minutes before it was issued, as there.
 *
 * @param folder for the CA's certificate, which a job's process must trust
 */
export async function startIdentityProvider(folder: string): Promise<IdentityProvider> {
  const ca = await makeCertificateAuthority();
  const { certificate, key } = await makeServerCertificate(['localhost'], ca);
  await mkdir(folder, { recursive: true });
  const caFile = join(folder, 'issuer-ca.pem');
  await writeFile(caFile, ca.certificate);
  const jobs = new Map<string, { job: IdentityJob; kept: string | undefined }>();
  let signer = newSigner();
  let given = 0;

  const server = createServer({ cert: certificate, key }, (request, response) => answer(request, response));
  const { port, close } = await listenOnLoopback(server);
  const issuer = `https://localhost:${port}`;

  const provider: IdentityProvider = {
    issuer,
    certificateAuthority: ca.certificate,
    authorityFile: caFile,
    lifetime: 300,
    get given() {
      return given;
    },
    job(job, kept) {
      const secret = randomBytes(24).toString('base64url');
      jobs.set(secret, { job, kept });
      return {
        env: {
          ACTIONS_ID_TOKEN_REQUEST_URL: `${issuer}/token?api-version=2.0`,
          ACTIONS_ID_TOKEN_REQUEST_TOKEN: secret,
          NODE_EXTRA_CA_CERTS: caFile,
        },
        end: () => void jobs.delete(secret),
      };
    },
    token(job, audience, more = {}) {
      const now = Math.floor(Date.now() / 1000);
      return signed({ ...claimsOf(job, { issuer, audience, now, lifetime: provider.lifetime }), ...more }, signer);
    },
    rotate() {
      signer = newSigner();
    },
    close,
  };

  const answerOf = (url: URL, secret: string): { status: number; body: unknown } => {
    if (url.pathname === '/.well-known/openid-configuration') return { status: 200, body: discovery(issuer) };
    if (url.pathname === '/.well-known/jwks') return { status: 200, body: { keys: [signer.jwk] } };
    if (url.pathname !== '/token' || url.searchParams.get('api-version') !== '2.0') return { status: 404, body: {} };
    const found = jobs.get(secret);
    if (found === undefined) return { status: 401, body: { message: 'the job has ended, or may not ask' } };
    given += 1;
    const audience = url.searchParams.get('audience') ?? `https://github.com/${found.job.repository.split('/')[0]}`;
    return { status: 200, body: { count: 1, value: found.kept ?? provider.token(found.job, audience) } };
  };
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const secret = (request.headers.authorization ?? '').replace(/^Bearer /, '');
    const { status, body } = answerOf(new URL(request.url ?? '/', issuer), secret);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  return provider;
}

interface Signer {
  key: KeyObject;
  jwk: Record<string, unknown>;
}

function newSigner(): Signer {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const kid = randomUUID();
  return { key: privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid } };
}

function signed(claims: Record<string, unknown>, { key, jwk }: Signer): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ typ: 'JWT', alg: 'RS256', kid: jwk.kid })}.${part(claims)}`;
  return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
}

function claimsOf(
  job: IdentityJob,
  { issuer, audience, now, lifetime }: { issuer: string; audience: string; now: number; lifetime: number },
): Record<string, unknown> {
  const { repository, environment, ref, event } = job;
  const [owner = ''] = repository.split('/');
  const context =
    environment !== undefined ? `environment:${environment}` : event === 'pull_request' ? event : `ref:${ref}`;
  return {
    jti: randomUUID(),
    sub: `repo:${repository}:${context}`,
    ...(environment === undefined ? {} : { environment }),
    aud: audience,
    ref,
    ref_type: ref.startsWith('refs/tags/') ? 'tag' : 'branch',
    sha: createHash('sha1').update(ref).digest('hex'),
    repository,
    repository_id: job.repositoryId,
    repository_owner: owner,
    repository_owner_id: '1',
    repository_visibility: 'private',
    actor: 'octocat',
    actor_id: '2',
    run_id: job.runId ?? '7',
    run_number: '1',
    run_attempt: '1',
    runner_environment: 'github-hosted',
    event_name: event,
    head_ref: '',
    base_ref: '',
    workflow: 'mcprt',
    workflow_ref: job.workflowRef,
    job_workflow_ref: job.workflowRef,
    iss: issuer,
    nbf: now - 600,
    iat: now,
    exp: now + lifetime,
  };
}

function discovery(issuer: string): Record<string, unknown> {
  return {
    issuer,
    jwks_uri: `${issuer}/.well-known/jwks`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public', 'pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    scopes_supported: ['openid'],
  };
}
