import { createHash, randomBytes } from 'node:crypto';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { buffer } from 'node:stream/consumers';

/** A registry in this process, as small as the tests of what talks to one need it. */
export interface Upstream {
  port: number;
  /** Every request so far. */
  requests: { method: string; url: string; headers: IncomingHttpHeaders }[];
  /** Blobs and manifests by `repository/digest` and `repository/tag`. */
  content: Map<string, Buffer>;
  /** Tags of one answer, at most. */
  tagsPerPage: number;
  /** Answers instead of the registry while it gives true. */
  instead: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  close(): Promise<void>;
}

export const digestOf = (bytes: Buffer | string): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** What must be there before a manifest. */
function blobsOf(manifest: Buffer): string[] {
  return [...manifest.toString().matchAll(/"digest":"(sha256:[0-9a-f]{64})"/g)].map(([, digest = '']) => digest);
}

/**
 * @param absolute what its Location headers begin with; relative ones when empty
 * @param tls PEM of a certificate and its key
 */
export async function startUpstream({
  absolute = '',
  tls,
}: {
  absolute?: string;
  tls?: { certificate: string; key: string };
} = {}): Promise<Upstream> {
  const uploads = new Map<string, Buffer[]>();
  const upstream: Upstream = {
    port: 0,
    requests: [],
    content: new Map(),
    instead: undefined,
    tagsPerPage: 100,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url = '', headers } = request;
    upstream.requests.push({ method, url, headers });
    if (upstream.instead?.(request, response)) return;
    const { pathname, searchParams } = new URL(url, 'http://registry');
    const [, repository = '', kind, name = ''] =
      /^\/v2\/(.+?)\/(manifests|blobs\/uploads|blobs)\/(.*)$/.exec(pathname) ?? [];
    const tagsOf = /^\/v2\/(.+)\/tags\/list$/.exec(pathname)?.[1];
    if (kind === 'blobs/uploads' && method === 'POST') {
      const mounted = upstream.content.get(`${searchParams.get('from')}/${searchParams.get('mount')}`);
      if (mounted !== undefined) {
        upstream.content.set(`${repository}/${searchParams.get('mount')}`, mounted);
        response.writeHead(201, { location: `${absolute}/v2/${repository}/blobs/${searchParams.get('mount')}` }).end();
        return;
      }
      const id = randomBytes(4).toString('hex');
      uploads.set(id, []);
      response.writeHead(202, { location: `${absolute}/v2/${repository}/blobs/uploads/${id}?_state=a%2Fb%3D` }).end();
    } else if (kind === 'blobs/uploads') {
      const parts = uploads.get(name) ?? [];
      parts.push(await buffer(request));
      const all = Buffer.concat(parts);
      const digest = searchParams.get('digest');
      if (digest === null) response.writeHead(202, { location: `${absolute}${url}` }).end();
      else if (digest !== digestOf(all)) response.writeHead(400).end('{"errors":[{"code":"DIGEST_INVALID"}]}');
      else {
        upstream.content.set(`${repository}/${digest}`, all);
        response.writeHead(201, { location: `${absolute}/v2/${repository}/blobs/${digest}` }).end();
      }
    } else if (kind === 'manifests' && method === 'PUT') {
      const bytes = await buffer(request);
      const missing = blobsOf(bytes).filter((digest) => !upstream.content.has(`${repository}/${digest}`));
      if (missing.length > 0) {
        response.writeHead(404).end('{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN"}]}');
        return;
      }
      for (const key of [name, digestOf(bytes)]) upstream.content.set(`${repository}/${key}`, bytes);
      response.writeHead(201, { 'docker-content-digest': digestOf(bytes) }).end();
    } else if (tagsOf !== undefined) {
      const own = [...upstream.content.keys()].filter((key) => key.startsWith(`${tagsOf}/`));
      const tags = own.map((key) => key.slice(tagsOf.length + 1)).filter((tag) => !tag.startsWith('sha256:'));
      const page = Math.min(Number(searchParams.get('n') ?? '100'), upstream.tagsPerPage);
      const after = tags.sort().filter((tag) => tag > (searchParams.get('last') ?? ''));
      if (own.length === 0) {
        response.writeHead(404).end('{"errors":[{"code":"NAME_UNKNOWN"}]}');
        return;
      }
      const last = after[page - 1];
      const isMore = last !== undefined && after.length > page;
      const next = `${absolute}${pathname}?last=${last}&n=${page}`;
      response.writeHead(200, isMore ? { link: `<${next}>; rel="next"` } : {});
      response.end(JSON.stringify({ name: tagsOf, tags: after.slice(0, page) }));
    } else if (kind === 'manifests' && method === 'DELETE') {
      const gone = upstream.content.get(`${repository}/${name}`);
      if (!name.startsWith('sha256:') || gone === undefined) {
        const code = gone === undefined ? 'MANIFEST_UNKNOWN' : 'UNSUPPORTED';
        response.writeHead(gone === undefined ? 404 : 405).end(`{"errors":[{"code":"${code}"}]}`);
        return;
      }
      for (const [key, bytes] of upstream.content) {
        if (key.startsWith(`${repository}/`) && digestOf(bytes) === name) upstream.content.delete(key);
      }
      response.writeHead(202).end();
    } else if (pathname === '/v2/') {
      response.end('{}');
    } else {
      const found = upstream.content.get(`${repository}/${name}`);
      if (found === undefined) response.writeHead(404).end('{"errors":[{"code":"MANIFEST_UNKNOWN"}]}');
      else response.writeHead(200, { 'content-length': found.length }).end(method === 'HEAD' ? undefined : found);
    }
  };
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    answer(request, response).catch(() => response.destroy());
  };
  const server: Server =
    tls === undefined ? createServer(listener) : createTlsServer({ cert: tls.certificate, key: tls.key }, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  upstream.port = typeof address === 'object' && address !== null ? address.port : 0;
  return upstream;
}
