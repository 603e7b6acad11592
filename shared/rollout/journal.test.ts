import { describe, expect, it } from '@jest/globals';
import { clustersOwn } from '../backup/testing/memory-world.js';
import { type Cluster, objectOf } from '../cluster/cluster.js';
import { kinds } from '../cluster/objects.js';
import { memoryApi } from '../cluster/testing/memory-api.js';
import {
  beginJournal,
  type Journal,
  mergePrevious,
  type Previous,
  type PreviousWorkload,
  readJournal,
  requireOurs,
} from './journal.js';

const workload = (parts: Partial<PreviousWorkload> = {}): PreviousWorkload => ({
  kind: 'Deployment',
  name: 'api',
  images: { api: 'first' },
  initContainers: [],
  pullSecrets: [],
  annotation: null,
  ...parts,
});
const previous = (parts: Partial<Previous> = {}): Previous => ({
  config: {},
  workloads: [],
  permissions: [],
  ...parts,
});
const now = new Date('2026-01-01T00:00:00Z');
const journal = (run: string, parts: Partial<Journal> = {}): Journal => ({
  run,
  expires: new Date(now.getTime() + 60_000),
  previous: previous(),
  ...parts,
});

/** A cluster with a place for the journal, or with one that says this. */
function server(data?: Record<string, string>): { cluster: Cluster } {
  const api = memoryApi({ now: () => now });
  clustersOwn(api);
  const metadata = { namespace: 'kube-system', name: 'mcprt-rollout' };
  if (data !== undefined) api.put(objectOf(kinds.configMap, { metadata, data }));
  return api;
}

describe('mergePrevious', () => {
  it('keeps what was written down first: that was the last state that worked', () => {
    const first = previous({
      config: { A: 'first' },
      workloads: [workload({ pullSecrets: ['a'], annotation: 'first' })],
      permissions: [{ kind: 'Role', namespace: 'n', name: 'r', object: null }],
    });
    const later = previous({
      config: { A: 'later', B: 'later' },
      workloads: [workload({ images: { api: 'later' }, annotation: 'later' })],
      permissions: [{ kind: 'Role', namespace: 'n', name: 'r', object: { rules: [] } }],
    });
    expect(mergePrevious(first, later)).toEqual(first);
  });

  it('adds what the later run changes besides', () => {
    const first = previous({
      workloads: [workload()],
      permissions: [{ kind: 'Role', namespace: 'n', name: 'r', object: null }],
    });
    const set = workload({ kind: 'StatefulSet' });
    const role = { kind: 'Role', namespace: 'other', name: 'r', object: null };
    const merged = mergePrevious(first, previous({ workloads: [workload(), set], permissions: [role] }));
    expect(merged.workloads).toEqual([workload(), set]);
    expect(merged.permissions).toEqual([...first.permissions, role]);
  });

  it('adds another container of a workload that was written down already', () => {
    const first = previous({ workloads: [workload()] });
    const set = workload({ kind: 'StatefulSet', images: { db: 'later' } });
    const later = previous({ workloads: [set, workload({ images: { api: 'later', side: 'later' } })] });
    expect(mergePrevious(first, later).workloads).toEqual([workload({ images: { api: 'first', side: 'later' } }), set]);
  });
});

describe('requireOurs', () => {
  const { cluster } = server();

  it.each<[string, Journal]>([
    ['of this run', journal('own')],
    ['that has expired', journal('other', { expires: now })],
  ])('lets a journal pass %s', (_, found) => {
    expect(() => requireOurs(cluster, found, 'own')).not.toThrow();
  });

  it('refuses while another run holds it, by the cluster’s clock', () => {
    const found = journal('other', { expires: new Date(now.getTime() + 1) });
    expect(() => requireOurs(cluster, found, 'own')).toThrow(expect.objectContaining({ code: 'rollout-busy' }));
  });
});

describe('beginJournal', () => {
  it('writes down what can be read again', async () => {
    const { cluster } = server();
    const wanted = journal('own', { previous: previous({ config: { A: 'b' }, workloads: [workload()] }) });
    await beginJournal(cluster, wanted);
    expect(await readJournal(cluster)).toEqual(wanted);
  });

  it('goes on from what a run that was cut off wrote down', async () => {
    const { cluster } = server();
    await beginJournal(cluster, journal('other', { expires: now, previous: previous({ config: { A: 'first' } }) }));
    const own = journal('own', { previous: previous({ config: { A: 'later' }, workloads: [workload()] }) });
    const begun = await beginJournal(cluster, own);
    expect(begun).toEqual({ ...own, previous: previous({ config: { A: 'first' }, workloads: [workload()] }) });
    expect(await readJournal(cluster)).toEqual(begun);
  });

  it('leaves the journal of a run that goes on', async () => {
    const { cluster } = server();
    const other = await beginJournal(cluster, journal('other'));
    await expect(beginJournal(cluster, journal('own'))).rejects.toMatchObject({ code: 'rollout-busy' });
    expect(await readJournal(cluster)).toEqual(other);
  });
});

describe('readJournal', () => {
  it('is undefined where there is none', async () => {
    expect(await readJournal(server().cluster)).toBeUndefined();
  });

  const whole = { run: 'r', expires: now.toISOString(), previous: JSON.stringify(previous()) };
  it.each<[string, Record<string, string>]>([
    ['no JSON', { ...whole, previous: '{' }],
    ['another shape', { ...whole, previous: '{"config":{}}' }],
    ['no time', { ...whole, expires: 'soon' }],
    ['nothing', {}],
  ])('refuses one with %s: what to put back would be unknown', async (_, data) => {
    await expect(readJournal(server(data).cluster)).rejects.toMatchObject({ code: 'rollout-journal' });
  });
});
