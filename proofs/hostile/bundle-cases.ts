import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { createDeflateRaw } from 'node:zlib';
import { type Answer, forEver, json } from './server.js';
import { hostileText, longText } from './texts.js';

/** A way in which a server answers, and the codes that a run may end with. */
export interface HostileAnswer {
  name: string;
  answer: Answer;
}

const nested = '['.repeat(2_000_000);
const manyHeaders = Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`x-${at}`, 'y'.repeat(1_000)]));

/** What anything may answer that is asked over HTTP. */
export const anyAnswers: readonly HostileAnswer[] = [
  { name: 'an answer without an end', answer: (_, response) => forEver(response, '{"a":"b"},') },
  { name: 'a refusal without an end', answer: (_, response) => forEver(response.writeHead(403), 'no ') },
  {
    name: 'JSON that is cut off',
    answer: (_, response) => void response.end('{"kind":"Secret","data":{"hostile":"aG9zdGlsZQ'),
  },
  { name: 'JSON that is nested without an end', answer: (_, response) => void response.end(nested) },
  { name: 'a page of HTML', answer: (_, response) => void response.end(`<html>${hostileText}${longText}`) },
  {
    name: 'text in a refusal',
    answer: (_, response) =>
      json(response, 403, { kind: 'Status', reason: hostileText, message: hostileText, error: hostileText }),
  },
  {
    name: 'long text in a refusal',
    answer: (_, response) => json(response, 422, { kind: 'Status', reason: 'x', message: longText, error: longText }),
  },
  {
    name: 'a redirect',
    answer: (_, response) => void response.writeHead(302, { location: 'https://hostile.example/' }).end(),
  },
  { name: 'headers without an end', answer: (_, response) => void response.writeHead(200, manyHeaders).end('{}') },
  { name: 'a connection that is cut', answer: (request) => void request.socket.destroy() },
  { name: 'null', answer: (_, response) => json(response, 200, null) },
];

/** What an API server may answer. */
export const apiServerAnswers: readonly HostileAnswer[] = [
  ...anyAnswers,
  {
    name: 'a list without an end',
    answer: permitting((request, response) => listed(request.url ?? '', response, [], 'more')),
  },
  {
    name: 'objects that are none',
    answer: permitting((request, response) =>
      listed(request.url ?? '', response, [null, 1, 'x', [], {}, { metadata: null }], ''),
    ),
  },
  {
    name: 'names that are markup',
    answer: permitting((request, response) => {
      const metadata = { name: hostileText, namespace: hostileText, uid: hostileText, resourceVersion: '1' };
      listed(request.url ?? '', response, [{ metadata, spec: {}, status: {}, data: {} }], '');
    }),
  },
];

/** Every question about permissions is answered with yes, so that a run goes on to what is hostile. */
function permitting(answer: Answer): Answer {
  return (request, response, body) => {
    if (request.method !== 'POST') {
      answer(request, response, body);
      return;
    }
    const asked = JSON.parse(body === '' ? '{}' : body) as Record<string, unknown>;
    const resourceRules = [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }];
    json(response, 201, {
      metadata: {},
      ...asked,
      status: { allowed: true, resourceRules, nonResourceRules: [], incomplete: false },
    });
  };
}

function listed(url: string, response: Parameters<Answer>[1], items: readonly unknown[], more: string): void {
  if (url.startsWith('/version')) json(response, 200, { gitVersion: 'v1.32.4+k3s1' });
  else if (url === '/apis') json(response, 200, { kind: 'APIGroupList', groups: [] });
  else if (!url.includes('limit=') && !url.endsWith('/namespaces/kube-system'))
    json(response, 404, { kind: 'Status', reason: 'NotFound' });
  else {
    const metadata = { resourceVersion: '1', name: 'x', uid: 'x', continue: more };
    json(response, 200, { kind: 'List', apiVersion: 'v1', metadata, items, data: {}, spec: {}, status: {} });
  }
}

const MiB = 1024 * 1024;
const packedZeros = (async (): Promise<Buffer> => {
  const zeros = Readable.from(Array.from({ length: 224 }, () => Buffer.alloc(MiB)));
  return buffer(zeros.pipe(createDeflateRaw()));
})();

/** A zip file of one member of 224 MiB, which says that it has another size. */
export async function bomb(member: string, said: number): Promise<Buffer> {
  const packed = await packedZeros;
  const name = Buffer.from(member);
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(8, 8);
  local.writeUInt32LE(packed.length, 18);
  local.writeUInt32LE(said, 22);
  local.writeUInt16LE(name.length, 26);
  const entry = Buffer.alloc(46);
  entry.writeUInt32LE(0x02014b50, 0);
  entry.writeUInt16LE(8, 10);
  entry.writeUInt32LE(packed.length, 20);
  entry.writeUInt32LE(said, 24);
  entry.writeUInt16LE(name.length, 28);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(46 + name.length, 12);
  end.writeUInt32LE(30 + name.length + packed.length, 16);
  return Buffer.concat([local, name, packed, entry, name, end]);
}

const artifact = (id: number, name: string): Record<string, unknown> => ({
  id,
  name,
  expired: false,
  workflow_run: { head_repository_id: 42, head_branch: 'main' },
});
const backupName = 'mcprt-backup-example.com-g00000001-r1.1';

/** A GitHub that lists one artifact, and gives this for it. */
function withArtifact(url: () => string, give: (response: Parameters<Answer>[1]) => void): Answer {
  return (request, response) => {
    const path = request.url ?? '';
    if (path.endsWith('/zip')) response.writeHead(302, { location: `${url()}/blob` }).end();
    else if (path === '/blob') give(response);
    else if (path.includes('/actions/artifacts'))
      json(response, 200, { total_count: 1, artifacts: [artifact(1, backupName)] });
    else json(response, 200, { default_branch: 'main' });
  };
}

/** What GitHub may answer to who looks for backups. */
export function githubAnswers(url: () => string): HostileAnswer[] {
  return [
    ...anyAnswers,
    {
      name: 'an artifact that says it has one byte',
      answer: withArtifact(url, (response) => void bomb('backup.tar', 1).then((zip) => response.end(zip))),
    },
    {
      name: 'an artifact that says it has no end',
      answer: withArtifact(url, (response) => void bomb('backup.tar', 0xfffffffe).then((zip) => response.end(zip))),
    },
    { name: 'an artifact without an end', answer: withArtifact(url, (response) => forEver(response, 'PK')) },
    { name: 'an artifact that is none', answer: withArtifact(url, (response) => void response.end(hostileText)) },
    {
      name: 'a number of artifacts without an end',
      answer: (_, response) =>
        json(response, 200, {
          default_branch: 'main',
          total_count: 1e15,
          artifacts: [artifact(1, `${backupName}${hostileText}`), artifact(2, hostileText)],
        }),
    },
  ];
}
