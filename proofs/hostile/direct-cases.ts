import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pack } from 'tar-stream';
import { memberOfZip } from '../../shared/backup/stores/zip.js';
import { type Cluster, openCluster } from '../../shared/cluster/cluster.js';
import { kinds } from '../../shared/cluster/objects.js';
import { openTransport } from '../../shared/cluster/transport.js';
import { readImageArchive } from '../../shared/images/archive.js';
import { openRegistry } from '../../shared/images/registry.js';
import { publicRoute } from '../../shared/images/route.js';
import { tailOfLines } from '../../shared/images/tail.js';
import { openMcp } from '../../shared/mcp/client.js';
import { readServersFile } from '../../shared/platform/servers-file.js';
import { openWeb } from '../../shared/platform/web.js';
import { direct } from '../../shared/proxy.js';
import { anyAnswers, bomb } from './bundle-cases.js';
import { type Answer, forEver, type HostileServer, json } from './server.js';
import { hostileText, longText } from './texts.js';

/** Something hostile that is given to a function. */
export interface DirectCase {
  name: string;
  /** The code that it ends with; undefined where it is taken, and must have come to little. */
  code: RegExp | undefined;
  run(given: Given): Promise<unknown>;
}

interface Given {
  server: HostileServer;
  host: string;
  folder: string;
}

const never = new AbortController().signal;

/** A case of one kind: its name, the code that it ends with (empty where it is taken), and what is given. */
const casesOf =
  <T>(kind: string, use: (hostile: T, given: Given) => Promise<unknown>) =>
  (name: string, code: string, hostile: T): DirectCase => ({
    name: `${kind}: ${name}`,
    code: code === '' ? undefined : new RegExp(`^${code}$`),
    run: (given) => use(hostile, given),
  });

const reach = ({ server, host }: Given) => ({
  overrides: [{ host, port: 443, address: '127.0.0.1', toPort: server.port }],
  dnsServer: '',
  caBundle: server.ca,
  proxies: direct,
});

const mcp = casesOf<Answer>('MCP server', async (answer, given) => {
  given.server.answer = answer;
  const web = openWeb(reach(given));
  try {
    const client = openMcp(web, { host: given.host, path: '/mcp', signal: never });
    await client.initialize();
    return await client.listTools();
  } finally {
    web.close();
  }
});

const hello = { protocolVersion: '2025-06-18', capabilities: {}, serverInfo: { name: hostileText, version: '1' } };

/** JSON-RPC: a session is opened, and one answer is given to whatever is asked then, with a count. */
function rpc(resultOf: (count: number) => unknown, opening: object = hello): Answer {
  let count = 0;
  return (_, response, body) => {
    const asked = JSON.parse(body === '' ? '{}' : body) as { id?: number; method?: string };
    count += 1;
    const result = asked.method === 'initialize' ? opening : resultOf(count);
    json(response, 200, { jsonrpc: '2.0', id: asked.id, result });
  };
}

const events =
  (text: string): Answer =>
  (_, response) =>
    forEver(response.writeHead(200, { 'content-type': 'text/event-stream' }), text);

const endless =
  (text: string): Answer =>
  (_, response) =>
    forEver(response, text);

const answerOf =
  (body: unknown): Answer =>
  (_, response) =>
    json(response, 200, body);

const registry = casesOf<Answer>('registry', async (answer, given) => {
  given.server.answer = answer;
  const route = publicRoute(given.host, { username: 'u', password: 'p' }, reach(given));
  try {
    return await openRegistry(route, never, 5).find('app', 'latest');
  } finally {
    await route.close();
  }
});

/** Cases of the API server's answers. */
const cluster = (kind: string, use: (cluster: Cluster) => Promise<unknown>) =>
  casesOf<Answer>(kind, async (answer, { server, host }) => {
    server.answer = answer;
    const transport = openTransport(
      { server: server.url, context: '', headers: {}, tls: { ca: server.ca, servername: host }, secrets: [] },
      { userAgent: 'proof', deadline: 30_000 },
    );
    try {
      return await use(openCluster(transport));
    } finally {
      await transport.close();
    }
  });

const watch = cluster('watch', async (opened) => {
  const options = { resourceVersion: '1', signal: AbortSignal.timeout(60_000) };
  for await (const _ of opened.watch(kinds.secret, options));
});

const log = cluster('log of a container', (opened) =>
  opened.logs({ namespace: 'a', name: 'b' }, { container: 'c', lines: 5, previous: false, signal: never }),
);

const archive = casesOf<Iterable<[string, Buffer]>>('image archive', async (entries, { folder }) => {
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
});

function* many(count: number, content: Buffer): Generator<[string, Buffer]> {
  for (let at = 0; at < count; at += 1) yield [`blobs/${at}`, content];
}

const zip = casesOf<() => Promise<unknown>>('zip file', (open) => open());

const docker = casesOf<{ lines: number; text: string }>('Docker', async ({ lines, text }) => {
  const tail = tailOfLines(() => undefined);
  await tail.read(Readable.from(Array.from({ length: lines }, () => Buffer.alloc(10_000, text))));
  return tail.lines();
});

const foreign = casesOf<string>('fork', async (text) =>
  readServersFile(text, { file: '.mcp/servers.yaml', wanted: '', isForeign: true }),
);
const fork = (name: string, text: string): DirectCase => foreign(name, 'smoke-metadata', text);
const image = { name: 'demo', tools: [{ name: 'add', sideEffect: 'read' }] };
const metadata = (fields: Record<string, unknown>): string => JSON.stringify({ servers: [{ ...image, ...fields }] });

/** Everything that is a function of its own, and meets a stranger's bytes there. */
export const directCases: readonly DirectCase[] = [
  ...anyAnswers.map(({ name, answer }) =>
    registry(name, name === 'text in a refusal' ? 'registry-unauthorized' : '', answer),
  ),
  registry('an index of a million images', '', (_, response) => {
    const one = { digest: 'sha256:x', platform: { os: 'a', architecture: 'b' } };
    json(response, 200, { manifests: Array(60_000).fill(one) });
  }),
  registry(
    'an image that has another digest',
    'registry-digest',
    answerOf({ config: { digest: `sha256:${'0'.repeat(64)}` } }),
  ),
  ...anyAnswers.map(({ name, answer }) => mcp(name, '', answer)),
  mcp(
    'pages without an end',
    'smoke-tools-endless',
    rpc((count) => ({ tools: [], nextCursor: String(count) })),
  ),
  mcp(
    'full pages without an end',
    'smoke-tools-endless',
    rpc((count) => ({
      tools: Array(3_000).fill({ name: hostileText, inputSchema: { type: 'object' } }),
      nextCursor: String(count),
    })),
  ),
  mcp(
    'headers that are none',
    '',
    rpc(() => ({ tools: [] }), { ...hello, protocolVersion: hostileText }),
  ),
  mcp('events without an end', 'smoke-size', events('data: {"id":0}\n\n')),
  mcp('pings without an end', 'smoke-size', events('data: {"jsonrpc":"2.0","id":"p","method":"ping"}\n\n')),
  mcp('an event without an end', 'smoke-size', events('data: x')),
  watch('a line without an end', 'cluster-too-large', endless('x')),
  watch('lines that are no JSON', 'cluster-unavailable', endless(`${hostileText.replaceAll('\n', '')}\n`)),
  watch('events without an end', 'cluster-too-large', (_, response) => {
    const object = { metadata: { name: 'x'.repeat(50_000) } };
    return forEver(response, `${JSON.stringify({ type: 'ADDED', object })}\n`);
  }),
  log('without an end', 'cluster-too-large', endless('x\n')),
  archive('2,500 small files of JSON', 'image-archive', many(2_500, Buffer.alloc(20_000, '[0,'))),
  archive('12,000 files', 'image-archive', many(12_000, Buffer.from('x'))),
  archive('a manifest that is nested without an end', 'image-archive', [['manifest.json', Buffer.alloc(900_000, '[')]]),
  archive('an architecture that is markup', '', [
    ['manifest.json', Buffer.from(JSON.stringify([{ Config: 'c' }]))],
    ['c', Buffer.from(JSON.stringify({ architecture: hostileText.repeat(1_000) }))],
  ]),
  {
    name: 'image archive: no tar file',
    code: /^image-archive$/,
    async run({ folder }) {
      const file = join(folder, 'none.tar');
      await writeFile(file, longText);
      return readImageArchive(file);
    },
  },
  ...[1, 0, 0xfffffffe].map((said) =>
    zip(`says ${said} bytes`, 'backup-malformed', async () =>
      memberOfZip(await bomb('backup.tar', said), 'backup.tar', 192 * 1024 * 1024),
    ),
  ),
  zip('ends everywhere', 'backup-malformed', () =>
    memberOfZip(Buffer.alloc(50_000_000, 'PK\u0005\u0006'), 'backup.tar', 1024),
  ),
  docker('output without an end of a line', '', { lines: 20_000, text: 'x' }),
  docker('lines without an end', '', { lines: 5_000, text: 'x\n' }),
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
