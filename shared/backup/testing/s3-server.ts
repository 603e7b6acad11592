import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { S3Credentials } from '../stores/s3/s3-call.js';

/** A stand-in for an S3 server, in this process: it checks signatures and sums, and refuses in S3's words. */
export interface S3Server {
  port: number;
  credentials: S3Credentials;
  /** Objects by key. */
  objects: Map<string, S3Object>;
  requests: { method: string; url: string; headers: IncomingMessage['headers'] }[];
  /** Answers instead of the server while it gives true. */
  instead: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  close(): Promise<void>;
}

export interface S3Object {
  bytes: Buffer;
  version: string;
  lockedUntil: Date | undefined;
}

export interface S3ServerOptions {
  bucket: string;
  region?: string;
  /** Keys of one page. */
  pageSize?: number;
  /** Whether its bucket has Object Lock. */
  hasLock?: boolean;
  /** Whether a caller may not ask how long an object is locked. */
  hidesLock?: boolean;
  /** Whether it knows `If-None-Match` on a write. */
  isConditional?: boolean;
  /** Whether it encodes keys in lists where it is asked to. */
  encodes?: boolean;
  /** Whether it refuses what was signed for another region before it has read it, so that the answer is lost. */
  refusesUnread?: boolean;
  /** Whether the bucket is part of the server's name. */
  isVirtualHost?: boolean;
}

const credentials: S3Credentials = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'a-secret/with+signs=and-more-of-it',
  sessionToken: '',
};
const skew = 15 * 60_000;

class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly more: string;

  constructor(status: number, code: string, more = '') {
    super(code);
    this.status = status;
    this.code = code;
    this.more = more;
  }
}

/** Starts one on a free port of the loopback interface. Everything stays in memory. */
export async function startS3Server(options: S3ServerOptions): Promise<S3Server> {
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      if (!(error instanceof Refusal)) {
        response.destroy();
        return;
      }
      const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${error.code}</Code><Message>as a test has it</Message>${error.more}</Error>`;
      response.writeHead(error.status, { 'content-type': 'application/xml' });
      response.end(request.method === 'HEAD' ? undefined : body);
    });
  });
  const s3: S3Server = {
    port: 0,
    credentials,
    objects: new Map(),
    requests: [],
    instead: undefined,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    // A proxy is asked with the whole address.
    const url = (request.url ?? '').replace(/^http:\/\/[^/]+/, '');
    const { method = '', headers } = request;
    s3.requests.push({ method, url, headers });
    const isElsewhere = !String(headers.authorization).includes(`/${options.region ?? 'us-east-1'}/s3/`);
    if (options.refusesUnread && isElsewhere && method === 'PUT') {
      response.destroy();
      return;
    }
    const body = await buffer(request);
    if (s3.instead?.(request, response)) return;
    requireSigned({ method, url, headers }, body, options.region ?? 'us-east-1');
    const { pathname, searchParams } = new URL(url, 'http://s3');
    const path = options.isVirtualHost ? `/${(headers.host ?? '').split('.')[0]}${pathname}` : pathname;
    const [, bucket = '', rest = ''] = /^\/([^/]*)\/?(.*)$/s.exec(path) ?? [];
    if (decodeURIComponent(bucket) !== options.bucket) throw new Refusal(404, 'NoSuchBucket');
    const key = decodeURIComponent(rest);
    if (key === '') list(response, searchParams);
    else if (method === 'PUT') put(key, body, request, response);
    else if (method === 'DELETE') remove(key, searchParams.get('versionId'), response);
    else get(key, response, method === 'HEAD');
  };
  const list = (response: ServerResponse, terms: URLSearchParams): void => {
    const keys = [...s3.objects.keys()].filter((key) => key.startsWith(terms.get('prefix') ?? '')).sort();
    const from = Number(terms.get('continuation-token')?.replace('token ', '') ?? 0);
    const page = keys.slice(from, from + (options.pageSize ?? 1000));
    const isTruncated = from + page.length < keys.length;
    const isEncoded = options.encodes !== false && terms.get('encoding-type') === 'url';
    const shown = (key: string): string => (isEncoded ? encodeURIComponent(key).replaceAll('%20', '+') : escaped(key));
    response.end(
      `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${
        isEncoded ? '<EncodingType>url</EncodingType>' : ''
      }<IsTruncated>${isTruncated}</IsTruncated>${
        isTruncated ? `<NextContinuationToken>token ${from + page.length}</NextContinuationToken>` : ''
      }${page.map((key) => `<Contents><Key>${shown(key)}</Key></Contents>`).join('')}</ListBucketResult>`,
    );
  };
  const put = (key: string, bytes: Buffer, { headers }: IncomingMessage, response: ServerResponse): void => {
    const sum = headers['content-md5'];
    if (sum !== undefined && sum !== createHash('md5').update(bytes).digest('base64'))
      throw new Refusal(400, 'BadDigest');
    if (headers['if-none-match'] !== undefined) {
      if (options.isConditional === false) throw new Refusal(501, 'NotImplemented');
      if (s3.objects.has(key)) throw new Refusal(412, 'PreconditionFailed');
    }
    const until = headers['x-amz-object-lock-retain-until-date'];
    if (until !== undefined && !options.hasLock) throw new Refusal(400, 'InvalidRequest');
    if (until !== undefined && sum === undefined) throw new Refusal(400, 'InvalidRequest');
    const version = options.hasLock ? String(s3.requests.length) : 'null';
    s3.objects.set(key, { bytes, version, lockedUntil: until === undefined ? undefined : new Date(String(until)) });
    response.end();
  };
  const get = (key: string, response: ServerResponse, isHead: boolean): void => {
    const found = s3.objects.get(key);
    if (found === undefined) throw new Refusal(404, 'NoSuchKey');
    response.writeHead(200, {
      'content-length': found.bytes.length,
      'x-amz-version-id': found.version,
      ...(found.lockedUntil === undefined || options.hidesLock === true
        ? {}
        : { 'x-amz-object-lock-retain-until-date': found.lockedUntil.toISOString() }),
    });
    response.end(isHead ? undefined : found.bytes);
  };
  const remove = (key: string, version: string | null, response: ServerResponse): void => {
    const found = s3.objects.get(key);
    if (found !== undefined && version === found.version && (found.lockedUntil ?? new Date(0)) > new Date()) {
      throw new Refusal(403, 'AccessDenied');
    }
    s3.objects.delete(key);
    response.writeHead(204).end();
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  s3.port = typeof address === 'object' && address !== null ? address.port : 0;
  return s3;
}

/** Signature Version 4, as its specification has it and written apart from what signs. */
function requireSigned(
  { method, url, headers }: { method: string; url: string; headers: IncomingMessage['headers'] },
  body: Buffer,
  region: string,
): void {
  const [, id = '', date = '', signedFor = '', names = '', signature = ''] =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? '',
    ) ?? [];
  if (id === '') throw new Refusal(403, 'AccessDenied');
  if (id !== credentials.accessKeyId) throw new Refusal(403, 'InvalidAccessKeyId');
  if (signedFor !== region) {
    throw new Refusal(400, 'AuthorizationHeaderMalformed', `<Region>${region}</Region>`);
  }
  const time = String(headers['x-amz-date'] ?? '');
  const at = Date.parse(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  if (!(Math.abs(at - Date.now()) < skew)) throw new Refusal(403, 'RequestTimeTooSkewed');
  const sum = String(headers['x-amz-content-sha256'] ?? '');
  if (sum !== sha256(body)) throw new Refusal(400, 'XAmzContentSHA256Mismatch');
  const list = names.split(';');
  // Whatever S3 acts by must be signed.
  const needed = Object.keys(headers).filter((name) => name.startsWith('x-amz-') || name === 'host');
  if (needed.some((name) => !list.includes(name))) throw new Refusal(403, 'AccessDenied');
  const [path = '', terms = ''] = url.split('?');
  const query = terms
    .split('&')
    .filter((term) => term !== '')
    .map((term) => (term.includes('=') ? term : `${term}=`))
    .sort()
    .join('&');
  const canonical = [
    method,
    path,
    query,
    ...list.map(
      (name) =>
        `${name}:${String(headers[name] ?? '')
          .trim()
          .replace(/\s+/g, ' ')}`,
    ),
    '',
    names,
    sum,
  ].join('\n');
  const scope = `${date}/${region}/s3/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', time, scope, sha256(Buffer.from(canonical))].join('\n');
  const key = [date, region, 's3', 'aws4_request'].reduce<Buffer>(
    (from, word) => createHmac('sha256', from).update(word).digest(),
    Buffer.from(`AWS4${credentials.secretAccessKey}`),
  );
  if (createHmac('sha256', key).update(text).digest('hex') !== signature)
    throw new Refusal(403, 'SignatureDoesNotMatch');
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
