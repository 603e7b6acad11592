import { describe, expect, it } from '@jest/globals';
import type { Cluster } from '../cluster/cluster.js';
import type { KubeObject } from '../cluster/objects.js';
import { type Journal, readJournal, writeJournal } from './journal.js';

/** A cluster with a place for one ConfigMap. */
function server(data?: unknown): Cluster {
  let stored: unknown = data === undefined ? undefined : { data };
  return {
    get: async () => stored,
    apply: async (_kind: unknown, object: KubeObject) => {
      stored = object;
      return object;
    },
  } as unknown as Cluster;
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
  it.each<[string, unknown]>([
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
