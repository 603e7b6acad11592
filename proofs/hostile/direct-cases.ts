import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pack } from 'tar-stream';
import { memberOfZip } from '../../shared/backup/stores/zip.js';
import { openCluster } from '../../shared/cluster/cluster.js';
import { kinds } from '../../shared/cluster/objects.js';
import { openTransport, type Transport } from '../../shared/cluster/transport.js';
import { readImageArchive } from '../../shared/images/archive.js';
import { openRegistry } from '../../shared/images/registry.js';
import { publicRoute } from '../../shared/images/route.js';
import { tailOfLines } from '../../shared/images/tail.js';
import { openMcp } from '../../shared/mcp/client.js';
import { readServersFile } from '../../shared/platform/servers-file.js';
import { openWeb } from '../../shared/platform/web.js';
import { anyAnswers, bomb } from './bundle-cases.js';
import { type Answer, forEver, type HostileServer, json } from './server.js';
import { hostileText, longText } from './texts.js';

/** Something hostile that is given to a function. */
export interface DirectCase {
  name: string;
  /** The code that it ends with; undefined where it is taken, and must have come to little. */
  code: RegExp | undefined;
  run(stage: { server: HostileServer; host: string; folder: string }): Promise<unknown>;
}

const never = new AbortController().signal;

/** JSON-RPC by what is asked. */
function rpc(resultOf: (method: string, count: number) => unknown): Answer {
  let count = 0;
  return (_, response, body) => {
    const asked = JSON.parse(body === '' ? '{}' : body) as { id?: number; method?: string };
    count += 1;
    json(response, 200, { jsonrpc: '2.0', id: asked.id, result: resultOf(asked.method ?? '', count) });
  };
}

async function mcpCase(answer: Answer, { server, host }: { server: HostileServer; host: string }): Promise<unknown> {
  server.answer = answer;
  const web = openWeb({
    overrides: [{ host, port: 443, address: '127.0.0.1', toPort: server.port }],
    dnsServer: '',
    caBundle: server.ca,
  });
  try {
    const mcp = openMcp(web, { host, path: '/mcp', signal: never });
    await mcp.initialize();
    return await mcp.listTools();
  } finally {
    web.close();
  }
}

async function transportCase<T>(
  answer: Answer,
  { server, host }: { server: HostileServer; host: string },
  use: (transport: Transport) => Promise<T>,
): Promise<T> {
  server.answer = answer;
  const transport = openTransport(
    { server: server.url, context: '', headers: {}, tls: { ca: server.ca, servername: host }, secrets: [] },
    { userAgent: 'proof', deadline: 30_000 },
  );
  try {
    return await use(transport);
  } finally {
    await transport.close();
  }
}

const watched = async (transport: Transport): Promise<void> => {
  const options = { resourceVersion: '1', signal: AbortSignal.timeout(60_000) };
  for await (const _ of openCluster(transport).watch(kinds.secret, options));
};

async function registryCase(
  answer: Answer,
  { server, host }: { server: HostileServer; host: string },
): Promise<unknown> {
  server.answer = answer;
  const reach = {
    overrides: [{ host, port: 443, address: '127.0.0.1', toPort: server.port }],
    dnsServer: '',
    caBundle: server.ca,
  };
  const route = publicRoute(host, { username: 'u', password: 'p' }, reach);
  try {
    return await openRegistry(route, never, 5).find('app', 'latest');
  } finally {
    await route.close();
  }
}

async function archiveCase(entries: Iterable<[string, Buffer]>, folder: string): Promise<unknown> {
  const file = join(folder, 'image.tar');
  const tar = pack();
  const written = pipeline(tar, createWriteStream(file));
  for (const [name, content] of entries) {
    await new Promise<void>((resolve, reject) => {
      tar.entry({ name }, content, (error) => (error ? reject(error) : resolve()));
    });
  }
  tar.finalize();
  await written;
  return readImageArchive(file);
}

function* many(count: number, content: Buffer): Generator<[string, Buffer]> {
  for (let at = 0; at < count; at += 1) yield [`blobs/${at}`, content];
}

const image = { name: 'demo', tools: [{ name: 'add', sideEffect: 'read' }] };
const metadata = (fields: Record<string, unknown>): string => JSON.stringify({ servers: [{ ...image, ...fields }] });
const fork = (name: string, text: string): DirectCase => ({
  name: `fork: ${name}`,
  code: /^smoke-metadata$/,
  run: async () => readServersFile(text, { file: '.mcp/servers.yaml', wanted: '', isForeign: true }),
});

/** Everything that is a function of its own, and meets a stranger's bytes there. */
export const directCases: readonly DirectCase[] = [
  ...anyAnswers.map(
    ({ name, answer }): DirectCase => ({
      name: `registry: ${name}`,
      code: name === 'text in a refusal' ? /^registry-unauthorized$/ : undefined,
      run: (stage) => registryCase(answer, stage),
    }),
  ),
  {
    name: 'registry: an index of a million images',
    code: undefined,
    run: (stage) =>
      registryCase(
        (_, response) =>
          json(response, 200, {
            manifests: Array(60_000).fill({ digest: 'sha256:x', platform: { os: 'a', architecture: 'b' } }),
          }),
        stage,
      ),
  },
  {
    name: 'registry: an image that has another digest',
    code: /^registry-digest$/,
    run: (stage) =>
      registryCase((_, response) => json(response, 200, { config: { digest: `sha256:${'0'.repeat(64)}` } }), stage),
  },
  ...anyAnswers.map(
    ({ name, answer }): DirectCase => ({
      name: `MCP server: ${name}`,
      code: undefined,
      run: (stage) => mcpCase(answer, stage),
    }),
  ),
  {
    name: 'MCP server: pages without an end',
    code: /^smoke-tools-endless$/,
    run: (stage) =>
      mcpCase(
        rpc((_, count) => ({ tools: [], nextCursor: String(count) })),
        stage,
      ),
  },
  {
    name: 'MCP server: full pages without an end',
    code: /^smoke-tools-endless$/,
    run: (stage) =>
      mcpCase(
        rpc((_, count) => ({ tools: Array(3_000).fill({ name: hostileText }), nextCursor: String(count) })),
        stage,
      ),
  },
  {
    name: 'MCP server: headers that are none',
    code: undefined,
    run: (stage) =>
      mcpCase(
        rpc(() => ({ protocolVersion: hostileText, tools: [] })),
        stage,
      ),
  },
  {
    name: 'MCP server: events without an end',
    code: /^smoke-size$/,
    run: (stage) =>
      mcpCase(
        (_, response) =>
          forEver(response.writeHead(200, { 'content-type': 'text/event-stream' }), 'data: {"id":0}\n\n'),
        stage,
      ),
  },
  {
    name: 'MCP server: an event without an end',
    code: /^smoke-size$/,
    run: (stage) =>
      mcpCase(
        (_, response) => forEver(response.writeHead(200, { 'content-type': 'text/event-stream' }), 'data: x'),
        stage,
      ),
  },
  {
    name: 'watch: a line without an end',
    code: /^cluster-too-large$/,
    run: (stage) => transportCase((_, response) => forEver(response, 'x'), stage, watched),
  },
  {
    name: 'watch: lines that are no JSON',
    code: /^cluster-unavailable$/,
    run: (stage) =>
      transportCase((_, response) => forEver(response, `${hostileText.replaceAll('\n', '')}\n`), stage, watched),
  },
  {
    name: 'watch: events without an end',
    code: /^cluster-too-large$/,
    run: (stage) =>
      transportCase(
        (_, response) =>
          forEver(
            response,
            `${JSON.stringify({ type: 'ADDED', object: { metadata: { name: 'x'.repeat(50_000) } } })}\n`,
          ),
        stage,
        watched,
      ),
  },
  {
    name: 'log of a container: without an end',
    code: /^cluster-too-large$/,
    run: (stage) =>
      transportCase(
        (_, response) => forEver(response, 'x\n'),
        stage,
        (transport) =>
          openCluster(transport).logs(
            { namespace: 'a', name: 'b' },
            { container: 'c', lines: 5, previous: false, signal: never },
          ),
      ),
  },
  {
    name: 'image archive: 2,500 small files of JSON',
    code: /^image-archive$/,
    run: ({ folder }) => archiveCase(many(2_500, Buffer.alloc(20_000, '[0,')), folder),
  },
  {
    name: 'image archive: 12,000 files',
    code: /^image-archive$/,
    run: ({ folder }) => archiveCase(many(12_000, Buffer.from('x')), folder),
  },
  {
    name: 'image archive: a manifest that is nested without an end',
    code: /^image-archive$/,
    run: ({ folder }) => archiveCase([['manifest.json', Buffer.alloc(900_000, '[')]], folder),
  },
  {
    name: 'image archive: an architecture that is markup',
    code: undefined,
    run: ({ folder }) =>
      archiveCase(
        [
          ['manifest.json', Buffer.from(JSON.stringify([{ Config: 'c' }]))],
          ['c', Buffer.from(JSON.stringify({ architecture: hostileText.repeat(1_000) }))],
        ],
        folder,
      ),
  },
  {
    name: 'image archive: no tar file',
    code: /^image-archive$/,
    async run({ folder }) {
      const file = join(folder, 'none.tar');
      await writeFile(file, longText);
      return readImageArchive(file);
    },
  },
  ...[1, 0, 0xfffffffe].map(
    (said): DirectCase => ({
      name: `zip file: says ${said} bytes`,
      code: /^backup-malformed$/,
      run: async () => memberOfZip(await bomb('backup.tar', said), 'backup.tar', 192 * 1024 * 1024),
    }),
  ),
  {
    name: 'zip file: ends everywhere',
    code: /^backup-malformed$/,
    run: () => memberOfZip(Buffer.alloc(50_000_000, 'PK\u0005\u0006'), 'backup.tar', 1024),
  },
  {
    name: 'Docker: output without an end of a line',
    code: undefined,
    async run() {
      const tail = tailOfLines(() => undefined);
      await tail.read(Readable.from(Array.from({ length: 20_000 }, () => Buffer.alloc(10_000, 'x'))));
      return tail.lines();
    },
  },
  {
    name: 'Docker: lines without an end',
    code: undefined,
    async run() {
      const tail = tailOfLines(() => undefined);
      await tail.read(Readable.from(Array.from({ length: 5_000 }, () => Buffer.alloc(10_000, 'x\n'))));
      return tail.lines();
    },
  },
  fork(
    'a variable out of a Secret',
    metadata({ envVars: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }] }),
  ),
  fork('resources of MCP', metadata({ mcpResources: [{ name: 'x' }] })),
  fork('a field of a later version', metadata({ volumes: [{ secret: { secretName: 's' } }] })),
  fork('a Secret', metadata({ secretEnvVars: [] })),
  fork('a gateway of its own', metadata({ gateway: { upstreamURL: 'http://hostile.example' } })),
  fork(
    'a field behind an alias',
    `x: &k secretEnvVars\nservers:\n- name: demo\n  *k : []\n  tools: [{name: a, sideEffect: read}]`,
  ),
  fork(
    'a list behind an alias',
    `x: &k [{name: A, valueFrom: x}]\nservers:\n- name: demo\n  envVars: *k\n  tools: [{name: a, sideEffect: read}]`,
  ),
  fork(
    'aliases that multiply',
    `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\nservers:\n- name: demo\n  description: [*d,*d,*d,*d]\n  tools: [{name: a, sideEffect: read}]`,
  ),
  fork('lists in lists', `servers: ${'['.repeat(200_000)}`),
  fork('a megabyte', `servers:\n${'- name: x\n'.repeat(110_000)}`),
  fork('names that are markup', metadata({ [hostileText]: hostileText, tools: [{ name: hostileText }] })),
];
