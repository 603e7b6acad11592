import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { limits } from '../backup/limits.js';
import { clustersOwn } from '../backup/testing/memory-world.js';
import { type Cluster, objectOf } from '../cluster/cluster.js';
import { kinds } from '../cluster/objects.js';
import { memoryApi } from '../cluster/testing/memory-api.js';
import { type Journal, readJournal, writeJournal } from './journal.js';

/** A cluster with a place for the journal, or with one that says this. */
function server(data?: Record<string, unknown>): Cluster {
  const api = memoryApi();
  clustersOwn(api);
  const metadata = { namespace: 'kube-system', name: 'mcprt-wipe' };
  if (data !== undefined) api.put(objectOf(kinds.configMap, { metadata, data }));
  return api.cluster;
}

const journal: Journal = {
  domain: 'example.com',
  backup: { name: 'mcprt-example.com-0000000007', generation: 7, statement: 'ab' },
  run: 'acme/platform/7/wipe',
  scope: 'platform',
  targets: ['Namespace registry 1'],
  secrets: new Map([['registry/registry-tls', '12']]),
};

describe('the journal of a wipe', () => {
  it('is read back as it was written', async () => {
    const cluster = server();
    expect(await readJournal(cluster)).toBeUndefined();
    await writeJournal(cluster, journal);
    expect(await readJournal(cluster)).toEqual(journal);
  });

  it('may hold nothing, which is not one thing without a name', async () => {
    const cluster = server();
    const empty: Journal = { ...journal, targets: [], secrets: new Map() };
    await writeJournal(cluster, empty);
    expect(await readJournal(cluster)).toEqual(empty);
  });

  it('holds what as many tenants have as a backup may hold, and gives way to a smaller one', async () => {
    const api = memoryApi();
    clustersOwn(api);
    const names = Array.from({ length: limits.objects / 2 }, (_, index) => `mcp-team-${'x'.repeat(40)}-${index}`);
    const large: Journal = {
      ...journal,
      targets: names.map((name) => `Namespace ${name} ${createHash('sha256').update(name).digest('hex').slice(0, 36)}`),
      secrets: new Map(
        names.flatMap((name, index) => [
          [`${name}/mcp-runtime-registry-pull`, `${index}1`],
          [`${name}/server-tls`, `${index}2`],
        ]),
      ),
    };
    for (const one of [journal, large, journal]) {
      await writeJournal(api.cluster, one);
      expect(await readJournal(api.cluster)).toEqual(one);
    }
  });

  it('is an error where it was packed and cannot be unpacked', async () => {
    const api = memoryApi();
    clustersOwn(api);
    const { targets: _, ...data } = whole;
    const metadata = { namespace: 'kube-system', name: 'mcprt-wipe' };
    api.put(objectOf(kinds.configMap, { metadata, data, binaryData: { 'targets.gz': 'AAAA' } }));
    await expect(readJournal(api.cluster)).rejects.toMatchObject({ code: 'wipe-journal' });
  });

  const whole = {
    domain: 'example.com',
    name: 'mcprt',
    generation: '7',
    statement: 'ab',
    run: 'r',
    scope: 'platform',
    targets: '',
    secrets: '',
  };
  it.each<[string, Record<string, unknown>]>([
    ['nothing', {}],
    ['no number of a generation', { ...whole, generation: 'seven' }],
    ['no statement', { ...whole, statement: undefined }],
  ])('is an error with %s: on which backup the wipe stands would be unknown', async (_, data) => {
    await expect(readJournal(server(data))).rejects.toMatchObject({
      code: 'wipe-journal',
      next: expect.stringContaining('kubectl delete configmap -n kube-system mcprt-wipe'),
    });
  });
});
