import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import pRetry from 'p-retry';
import { readAtMost } from '../../../bounded.js';
import { McprtError, messageOf, toldBy } from '../../../errors.js';
import { httpFetch } from '../../../http.js';
import { pause } from '../../../pause.js';
import type { Proxies } from '../../../proxy.js';
import { retryAfter } from '../../../retry-after.js';
import { isUntrusted, speaksNoTls } from '../tls.js';
import { isVirtualHost, type S3Address, urlOf, usualRegion } from './s3-address.js';
import type { Refused } from './s3-failure.js';
import { complaintOf, regionIn } from './s3-xml.js';

export interface S3Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  /** Of credentials that end by themselves; empty where there is none. */
  sessionToken: string;
}

export interface S3Connection {
  address: S3Address;
  credentials: S3Credentials;
  /** Empty where nobody says one. */
  region: string;
  caBundle: string;
  proxies: Proxies;
  signal: AbortSignal;
  /** ms before a second try; each further one is twice as long. */
  firstPause?: number;
}

export interface S3Request {
  method: 'GET' | 'HEAD' | 'PUT' | 'DELETE';
  /** Empty for the bucket itself. */
  key?: string;
  query?: Readonly<Record<string, string>>;
  headers?: Readonly<Record<string, string>>;
  body?: Buffer;
  /** Most bytes of the answer. */
  most?: number;
}

/** An answer of success, or a refusal. */
export type S3Answer = { headers: Headers; body: Buffer } | { refused: Refused; headers: Headers };

export interface S3Calls {
  /**
   * Asks, and again where the answer may pass.
   *
   * @throws McprtError `store-unavailable`, `store-read`, `store-endpoint`, `proxy-…`; the signal's reason
   */
  ask(request: S3Request): Promise<S3Answer>;
}

const attempts = 5;
/** A page of a list has some hundred kB. In bytes. */
const largest = 8 * 1024 * 1024;
/** How long an answer may take to its end, and one with a backup in it, in ms. */
const within = { call: 60_000, backup: 600_000 } as const;
/** How long a server's own wish to be left alone is followed, in s. */
const longestWait = 30;
const passing =
  /^(?:SlowDown|InternalError|ServiceUnavailable|RequestTimeout|OperationAborted|ConditionalRequestConflict|RequestTimeoutException)$/;
const unzipped = promisify(gunzip);

/** Every answer to it tells whether the region is the right one, a refusal too. */
const regionQuestion: S3Request = { method: 'GET', query: { 'list-type': '2', 'max-keys': '1' } };

/** What may be over at the next try. */
class Passing extends Error {
  readonly refused: Refused;
  readonly headers: Headers;

  constructor(refused: Refused, headers: Headers) {
    super(refused.code);
    this.refused = refused;
    this.headers = headers;
  }
}

/** Speaks with an S3 server: signs, waits where it is asked to, and follows it into the region that it names. */
export function s3Calls(connection: S3Connection): S3Calls {
  const { address, signal, firstPause = 300 } = connection;
  let region = connection.region || usualRegion;
  let isRegionKnown = false;
  const once = async (request: S3Request, signedFor: string): Promise<S3Answer> => {
    const { answer, body } = await exchanged(request, signedFor, connection);
    const { status, headers } = answer;
    if (status < 300) return { headers, body };
    const complaint = await complaintOf(body);
    const named = complaint.region || regionIn(headers.get('x-amz-bucket-region') ?? '');
    return { refused: { ...complaint, region: named, status, date: headers.get('date') ?? '' }, headers };
  };
  const following = async (request: S3Request): Promise<S3Answer> => {
    // Another request may learn it meanwhile.
    const signedFor = region;
    const answer = await once(request, signedFor);
    if (!('refused' in answer && isElsewhere(answer.refused, signedFor))) {
      isRegionKnown = true;
      return answer;
    }
    region = answer.refused.region;
    return once(request, region);
  };
  return {
    async ask(request) {
      const attempt = async (): Promise<S3Answer> => {
        // A server refuses a long body before it has read it, and the answer is lost when it closes the connection.
        if (request.body !== undefined && !isRegionKnown) await following(regionQuestion);
        const answer = await following(request);
        if (!('refused' in answer)) return answer;
        const { status, code } = answer.refused;
        const isPassing = passing.test(code) || status === 429 || (status >= 500 && status !== 501 && status !== 507);
        if (!isPassing) return answer;
        const wait = retryAfter(answer.headers.get('retry-after') ?? undefined, new Date()) ?? 0;
        if (wait > 0) await pause(Math.min(wait, longestWait) * 1000, signal);
        throw new Passing(answer.refused, answer.headers);
      };
      return pRetry(attempt, {
        retries: attempts - 1,
        minTimeout: firstPause,
        factor: 2,
        randomize: true,
        signal,
        shouldRetry: ({ error }) =>
          error instanceof Passing || (error instanceof McprtError && error.code === 'store-unavailable'),
      }).catch((error: unknown) => {
        signal.throwIfAborted();
        if (error instanceof Passing) return { refused: error.refused, headers: error.headers };
        throw error;
      });
    },
  };

  async function exchanged(
    { method, key = '', query = {}, headers = {}, body, most = largest }: S3Request,
    signedFor: string,
    { credentials, caBundle, proxies }: S3Connection,
  ): Promise<{ answer: Response; body: Buffer }> {
    const { AwsV4Signer } = await import('aws4fetch');
    const url = urlOf(address, signedFor, key, query);
    const content = body ?? Buffer.alloc(0);
    const own = { ...headers, 'x-amz-content-sha256': createHash('sha256').update(content).digest('hex') };
    const { accessKeyId, secretAccessKey, sessionToken } = credentials;
    const signer = new AwsV4Signer({
      method,
      url,
      headers: own,
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === '' ? {} : { sessionToken }),
      service: 's3',
      region: signedFor,
    });
    const signed = await signer.sign();
    const isLarge = body !== undefined || most > largest;
    const late = AbortSignal.timeout(isLarge ? within.backup : within.call);
    try {
      const answer = await httpFetch(
        signed.url.href,
        {
          method,
          // What stands between may change this one: it is not signed.
          headers: { ...Object.fromEntries(signed.headers), 'accept-encoding': 'identity' },
          ...(body === undefined ? {} : { body }),
          redirect: 'manual',
          caBundle,
          signal: AbortSignal.any([signal, late]),
        },
        proxies,
      );
      const raw = answer.body === null ? Buffer.alloc(0) : await readAtMost(answer.body, most, () => tooLarge(most));
      return { answer, body: await plain(raw, answer.headers, most) };
    } catch (error) {
      signal.throwIfAborted();
      throw unreachable(error, address);
    }
  }
}

/** Whether a server says that its bucket is in another region than was signed for. */
function isElsewhere({ status, code, region }: Refused, present: string): boolean {
  const isSaid =
    [301, 307].includes(status) ||
    code === 'AuthorizationHeaderMalformed' ||
    code === 'IllegalLocationConstraintException';
  return (isSaid || (status === 400 && code === '')) && region !== '' && region !== present;
}

/** What came, unpacked where somebody on the way has packed it although nobody asked for that. */
async function plain(raw: Buffer, headers: Headers, most: number): Promise<Buffer> {
  const isPacked = /gzip/i.test(headers.get('content-encoding') ?? '') && raw[0] === 0x1f && raw[1] === 0x8b;
  return isPacked ? unzipped(raw, { maxOutputLength: most }) : raw;
}

function tooLarge(most: number): McprtError {
  return new McprtError('store-read', {
    what: 'the stored object is larger than any backup',
    why: `it has more than ${most} bytes`,
    next: 'somebody planted it: find out who can write to this bucket',
  });
}

function unreachable(error: unknown, address: S3Address): McprtError {
  if (error instanceof McprtError && error.code.startsWith('store-')) return error;
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (error instanceof McprtError || cause instanceof McprtError) {
    const told = error instanceof McprtError ? error : cause;
    return new McprtError('store-unavailable', {
      what: 'the S3 server cannot be reached',
      why: toldBy(told),
      next: told instanceof McprtError ? told.next : 'run the operation again',
      cause: error,
    });
  }
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const why = [code, messageOf(cause)].filter((part) => part !== '').join(': ');
  if (code === 'ENOTFOUND' && isVirtualHost(address)) {
    return new McprtError('store-endpoint', {
      what: 'the S3 server’s name with the bucket in it is not known',
      why,
      next: 'correct bucket and `s3-endpoint`; where the server takes the bucket in the path, leave `{bucket}.` out of it',
      cause: error,
    });
  }
  return new McprtError('store-unavailable', {
    what: 'the S3 server cannot be reached',
    why,
    next: isUntrusted(code)
      ? 'give the PEM of its CA in `ca-bundle`'
      : speaksNoTls(code)
        ? 'what answers there speaks no TLS: correct the port in `s3-endpoint`, or begin it with `http://`, by which backups stay sealed and keys are not sent'
        : 'check host and port in `s3-endpoint`, and that this machine reaches it; then run the operation again',
    cause: error,
  });
}
