import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Allowance } from '../backup/allowance.js';
import { brake } from '../backup/brake.js';
import { type BackupKey, makeKeys, readBackupKey } from '../backup/keys.js';
import { keepingStore, quietPorts } from '../backup/testing/memory-store.js';
import { namespace, now, run, scene } from '../backup/testing/scene.js';
import { ApiError } from '../cluster/api-error.js';
import { objectOf } from '../cluster/cluster.js';
import { type KubeObject, kinds } from '../cluster/objects.js';
import type { MemoryApi } from '../cluster/testing/memory-api.js';
import { McprtError } from '../errors.js';
import { requireInstalled } from '../facts/installation.js';
import { groupsOf, namespacesOf } from './delete.js';
import { guardCluster, guardInputs, guardUnknown } from './guard.js';
import { readJournal } from './journal.js';
import { observeForWipe } from './observe.js';
import { findProof, freshBackup, proofOf } from './proof.js';
import { count, planWipe, subjectOf, type WipeTarget } from './targets.js';
import { type WipeOptions, type WipeResult, wipe } from './wipe.js';

let key: BackupKey;
beforeAll(async () => {
  key = readBackupKey((await makeKeys('classic')).backup, () => undefined);
});

const domain = objectOf(kinds.configMap, {
  metadata: { name: 'mcp-sentinel-config', namespace: 'mcp-sentinel' },
  data: { MCP_PLATFORM_DOMAIN: run.domain },
});

async function world(...more: KubeObject[]) {
  const { api } = await scene('running', [domain, ...more]);
  const { store, names } = keepingStore();
  const [lines, warnings, masked]: [string[], string[], string[]] = [[], [], []];
  const ports = quietPorts([store], {
    progress: (line) => void lines.push(line),
    warn: (line) => void warnings.push(line),
    mask: (secret) => void masked.push(secret),
  });
  const choice = { scope: 'platform', also: [], confirm: run.domain, cluster: '' } as const;
  const options = { key, run, allow: [], ...choice, timeout: 60_000, dryRun: false };
  return {
    api,
    ports,
    options,
    names,
    lines,
    warnings,
    masked,
    wipe: (other: Partial<WipeOptions> = {}): Promise<WipeResult> => wipe(api.cluster, ports, { ...options, ...other }),
  };
}

/** Namespaces that begin to go when they are deleted, and do not end, as with a finalizer that nobody takes off. */
function holdFast({ api }: Awaited<ReturnType<typeof world>>): void {
  api.hooks.before = ({ method, path }) => {
    const name = /^\/api\/v1\/namespaces\/([^/?]+)$/.exec(path)?.[1];
    const live = name === undefined ? undefined : api.find(kinds.namespace, { name });
    if (method !== 'DELETE' || live === undefined) return;
    api.put({ ...live, metadata: { ...live.metadata, deletionTimestamp: '2026-11-24T12:00:00Z' } });
    throw new ApiError(409, 'Conflict', 'it is on its way out', path);
  };
}

describe('a wipe', () => {
  it('says what it did, on which backup, and leaves nothing behind', async () => {
    const one = await world(namespace('blog'));
    const result = await one.wipe();
    expect(result).toMatchObject({
      start: 'fresh',
      domain: run.domain,
      wiped: 2,
      refused: undefined,
      proof: { name: one.names()[0], stores: ['directory'] },
    });
    expect(result.seconds.prove + result.seconds.delete + result.seconds.wait).toBeGreaterThanOrEqual(0);
    expect(one.lines).toContain('making a backup: no earlier wipe is unfinished');
    expect(one.lines).toContain('deleting Namespace registry, Namespace mcp-sentinel');
    expect(await readJournal(one.api.cluster)).toBeUndefined();
    expect(one.api.find(kinds.namespace, { name: 'blog' })).toBeDefined();
    // What the live inventory holds of secrets is masked when it is read.
    expect(one.masked).toContain('j');
  });

  it('tells how long each part took', async () => {
    const one = await world();
    let [time, isDeleting] = [0, false];
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => time);
    one.api.hooks.before = ({ method, path }) => {
      const isNamespace = path.startsWith('/api/v1/namespaces') && !path.includes('kube-system');
      isDeleting ||= isNamespace && method === 'DELETE';
      if (path.includes('/validatingadmissionpolicybindings') && !isDeleting) time += 5_060;
      else if (isNamespace && method === 'DELETE') time += 2_000;
      else if (isNamespace && path.includes('?') && isDeleting) time += 700;
    };
    const { seconds } = await one.wipe();
    clock.mockRestore();
    expect(seconds).toEqual({ prove: 5.1, delete: 4, wait: 0.7 });
  });

  it('of nothing does nothing', async () => {
    const one = await world();
    await one.wipe();
    const writes = one.api.writes.length;
    expect(await one.wipe({ cluster: '' })).toMatchObject({
      start: 'nothing',
      wiped: 0,
      proof: undefined,
      seconds: { prove: 0, delete: 0, wait: 0 },
    });
    expect(one.api.writes.slice(writes).filter((line) => !line.includes('mcprt-'))).toEqual([]);
  });

  it('begins only with the domain confirmed, on the cluster that is meant', async () => {
    const one = await world();
    for (const [wish, code] of [
      [{ confirm: '' }, 'wipe-confirm'],
      [{ also: ['kube-system'] }, 'wipe-protected'],
      [{ cluster: 'another' }, 'wipe-wrong-cluster'],
    ] as const) {
      await expect(one.wipe(wish)).rejects.toMatchObject({ code });
    }
    expect([one.api.writes, one.names()]).toEqual([[], []]);
  });

  it('makes no backup while another run holds the cluster', async () => {
    const one = await world();
    const expires = new Date(now.getTime() + 60_000);
    await brake(one.api.cluster, { run: 'another', expires }, { canDeny: true, signal: new AbortController().signal });
    await expect(one.wipe()).rejects.toMatchObject({ code: 'restore-locked' });
    expect(one.names()).toEqual([]);
  });

  it('in a dry run prints each line, writes nothing, and foresees how it would begin', async () => {
    const one = await world(namespace('blog'));
    const writes = one.api.writes.length;
    expect(await one.wipe({ dryRun: true, confirm: '' })).toMatchObject({
      start: 'fresh',
      refused: undefined,
      wiped: 0,
    });
    const uid = one.api.find(kinds.namespace, { name: 'registry' })?.metadata.uid;
    expect(one.lines).toContain(`would delete Namespace registry ${uid}: a namespace of MCP Runtime by its name`);
    expect(one.lines).toContain('would leave Namespace blog: it is not MCP Runtime’s');
    expect(one.api.writes.slice(writes)).toEqual([]);
    one.api.remove(kinds.secret, { namespace: 'registry', name: 'registry-tls' });
    const { start, refused } = await one.wipe({ dryRun: true });
    expect([start, refused]).toEqual(['fresh', expect.stringMatching(/^backup-refused: .*registry-tls/s)]);
  });

  it('in a dry run of nothing foresees nothing, and fails as the cluster does', async () => {
    const one = await world();
    const down = new ApiError(500, 'InternalError', 'down', 'any');
    one.api.hooks.before = ({ path }) => {
      if (path.includes('/secrets/')) throw new Error('reset');
    };
    await expect(one.wipe({ dryRun: true })).rejects.toThrow('reset');
    one.api.hooks.before = ({ path }) => {
      if (path.includes('/secrets/')) throw down;
    };
    expect(await one.wipe({ dryRun: true })).toMatchObject({ refused: expect.stringContaining('down') });
    one.api.hooks.before = () => undefined;
    await one.wipe();
    expect(await one.wipe({ dryRun: true })).toMatchObject({ start: 'nothing', refused: undefined, wiped: 0 });
  });

  it('that does not end says what holds it, keeps its journal, and goes on from there', async () => {
    const one = await world();
    holdFast(one);
    await expect(one.wipe({ timeout: 400 })).rejects.toMatchObject({
      code: 'wipe-stuck',
      message: expect.stringContaining('2 namespaces are still being deleted: registry, mcp-sentinel'),
      why: expect.stringContaining('registry: the cluster’s namespace controller has not said why'),
    });
    expect(one.api.objects(kinds.admissionPolicy)).toEqual([]);
    expect(await readJournal(one.api.cluster)).toMatchObject({
      domain: run.domain,
      scope: 'platform',
      backup: { name: one.names()[0], generation: 1 },
    });
    one.api.hooks.before = () => undefined;
    for (const name of ['registry', 'mcp-sentinel']) one.api.remove(kinds.namespace, { name });
    expect(await one.wipe()).toMatchObject({ start: 'nothing' });
    expect(await readJournal(one.api.cluster)).toBeUndefined();
    expect(one.api.objects(kinds.admissionPolicy)).toEqual([]);
    // What is gone is gone: only a setup brings it back.
    await expect(requireInstalled(one.api.cluster)).rejects.toMatchObject({ code: 'setup-due' });
  });

  it('ends early enough to say what holds it, before its time is over', async () => {
    const one = await world();
    holdFast(one);
    const timeout = 2_000;
    const signal = AbortSignal.timeout(timeout);
    await expect(wipe(one.api.cluster, { ...one.ports, signal }, { ...one.options, timeout })).rejects.toMatchObject({
      code: 'wipe-stuck',
    });
  });

  it('takes cert-manager when all others are gone, and each of them once', async () => {
    const one = await world();
    const deleted: string[] = [];
    one.api.hooks.before = ({ method, path }) => {
      const name = /^\/api\/v1\/namespaces\/([^/?]+)$/.exec(path)?.[1];
      if (method === 'DELETE' && name !== undefined) deleted.push(name);
    };
    await one.wipe({ also: ['cert-manager'] });
    expect([deleted.slice(0, 2).sort(), deleted.slice(2)]).toEqual([['mcp-sentinel', 'registry'], ['cert-manager']]);
    expect(one.lines.filter((line) => line.startsWith('deleting'))).toEqual([
      'deleting Namespace registry, Namespace mcp-sentinel',
      'deleting Namespace cert-manager',
    ]);
  });

  it('waits for cert-manager alone as well', async () => {
    const one = await world();
    holdFast(one);
    const { before } = one.api.hooks;
    one.api.hooks.before = async (call) => {
      if (call.path.endsWith('/namespaces/cert-manager')) await before?.(call);
    };
    await expect(one.wipe({ also: ['cert-manager'], timeout: 2_000 })).rejects.toMatchObject({
      code: 'wipe-stuck',
      message: expect.stringContaining('1 namespace is still being deleted: cert-manager'),
    });
  });

  it('tries no order: none could come, and nobody is asked', async () => {
    const one = await world();
    const orders: string[] = [];
    one.api.hooks.before = ({ method, path }) => {
      if (method === 'POST' && path.includes('/orders')) orders.push(path);
    };
    await one.wipe();
    expect(orders).toEqual([]);
  });

  it('whose backup is lost begins anew only where all that is gone may be', async () => {
    const one = await world();
    one.api.hooks.before = ({ method, path }) => {
      if (method === 'DELETE' && path.endsWith('/namespaces/mcp-sentinel')) throw new Error('killed');
    };
    await expect(one.wipe()).rejects.toThrow('killed');
    one.api.hooks.before = () => undefined;
    const stores = [keepingStore().store];
    const again = (allow: Allowance[]): Promise<WipeResult> =>
      wipe(one.api.cluster, { ...one.ports, stores }, { ...one.options, allow });
    const gone = [...((await readJournal(one.api.cluster))?.secrets.keys() ?? [])].filter((name) =>
      name.startsWith('registry/'),
    );
    expect(gone).not.toEqual([]);
    await expect(again([])).rejects.toMatchObject({ code: 'wipe-proof-lost' });
    await expect(again([{ rule: 'fewer-objects', object: 'other/*' }])).rejects.toMatchObject({
      code: 'wipe-proof-lost',
    });
    // A backup of what is left is as strict as any.
    await expect(again([{ rule: 'fewer-objects' }])).rejects.toMatchObject({ code: 'backup-refused' });
  });

  it('that is resumed stands on the backup of its journal', async () => {
    const one = await world();
    one.api.hooks.before = ({ method, path }) => {
      if (method === 'DELETE' && path.endsWith('/namespaces/mcp-sentinel')) throw new Error('killed');
    };
    await expect(one.wipe()).rejects.toThrow('killed');
    one.api.hooks.before = () => undefined;
    const [name] = one.names();
    expect(await one.wipe({ dryRun: true })).toMatchObject({ start: 'resumed', refused: undefined });
    expect(await one.wipe()).toMatchObject({ start: 'resumed', wiped: 1, proof: { name, stores: ['directory'] } });
    expect(one.names()).toEqual([name]);
    expect(one.lines.join('\n')).toMatch(/continuing the wipe that .* began: .* is still stored in directory/);
  });

  it('that is resumed is refused when there is more than its backup holds, however late that is seen', async () => {
    const change = ({ find, put }: MemoryApi): void => {
      const live = find(kinds.secret, { namespace: 'mcp-sentinel', name: 'mcp-sentinel-secrets' });
      if (live !== undefined) put({ ...live, data: { ...(live.data as object), ADMIN_API_KEYS: 'bmV3' } });
    };
    for (const isLate of [false, true]) {
      const one = await world();
      one.api.hooks.before = ({ method, path }) => {
        if (method === 'DELETE' && path.endsWith('/namespaces/mcp-sentinel')) throw new Error('killed');
      };
      await expect(one.wipe()).rejects.toThrow('killed');
      one.api.hooks.before = () => undefined;
      if (isLate) {
        one.api.hooks.after = (event, object, api) => {
          if (event === 'ADDED' && object.kind === 'ValidatingAdmissionPolicyBinding') change(api);
        };
      } else {
        change(one.api);
        expect((await one.wipe({ dryRun: true })).refused).toMatch(/^wipe-unsaved: /);
      }
      await expect(one.wipe()).rejects.toMatchObject({
        code: 'wipe-unsaved',
        why: expect.stringContaining('mcp-sentinel/mcp-sentinel-secrets'),
      });
      expect(one.api.find(kinds.namespace, { name: 'mcp-sentinel' })).toBeDefined();
    }
  });

  it('is refused when the cluster changes between backup and lock, or something makes it again', async () => {
    const one = await world();
    one.api.hooks.after = (event, object, api) => {
      if (event !== 'ADDED' || object.kind !== 'ValidatingAdmissionPolicyBinding') return;
      const ref = { namespace: 'mcp-sentinel', name: 'mcp-sentinel-secrets' };
      const live = api.find(kinds.secret, ref);
      if (live !== undefined) api.put({ ...live, data: { ...(live.data as object), ADMIN_API_KEYS: 'bmV3' } });
    };
    await expect(one.wipe()).rejects.toMatchObject({
      code: 'wipe-inventory',
      why: expect.stringContaining('Secret mcp-sentinel/mcp-sentinel-secrets was changed since it was backed up'),
    });
    const other = await world();
    other.api.hooks.after = (event, object, api) => {
      if (event === 'DELETED' && object.kind === 'Namespace' && object.metadata.name === 'registry') {
        api.put(objectOf(kinds.namespace, { metadata: { name: 'registry' } }));
      }
    };
    await expect(other.wipe()).rejects.toMatchObject({
      code: 'wipe-recreated',
      message: expect.stringContaining('1 object is there again'),
      why: 'Namespace registry',
    });
  });

  it('asks for the fingerprint where nothing tells whose the cluster is', async () => {
    const one = await world();
    one.api.remove(kinds.configMap, { namespace: 'mcp-sentinel', name: 'mcp-sentinel-config' });
    const uid = one.api.find(kinds.namespace, { name: 'kube-system' })?.metadata.uid ?? '';
    await expect(one.wipe()).rejects.toMatchObject({
      code: 'wipe-wrong-cluster',
      next: expect.stringContaining(`cluster: ${uid}`),
    });
    expect((await one.wipe({ cluster: uid })).start).toBe('fresh');
  });

  it('warns of what is somebody else’s', async () => {
    const one = await world(namespace('blog'));
    await one.wipe({ also: ['blog'] });
    expect(one.warnings).toContain('1 namespace not of MCP Runtime goes too: blog');
    expect(one.api.find(kinds.namespace, { name: 'blog' })).toBeUndefined();
  });
});

describe('the proof of a wipe', () => {
  it('is found by its statement, domain and cluster, and nowhere else', async () => {
    const one = await world();
    holdFast(one);
    await expect(one.wipe({ timeout: 400 })).rejects.toMatchObject({ code: 'wipe-stuck' });
    const journal = await readJournal(one.api.cluster);
    if (journal === undefined) throw new Error('there is one');
    const { fingerprint } = await observeForWipe(one.api.cluster);
    const found = (change: object = {}, print = fingerprint) =>
      findProof(one.ports, { ...journal, ...change }, key, print);
    expect(await found()).toMatchObject({ ...{ name: journal.backup.name }, stores: ['directory'] });
    expect(await found({}, 'another')).toBeUndefined();
    expect(await found({ domain: 'other.example' })).toBeUndefined();
    expect(await found({ backup: { ...journal.backup, statement: 'another' } })).toBeUndefined();
    expect(await found({ backup: { ...journal.backup, name: 'another' } })).toBeUndefined();
  });

  it('counts only the stores that have kept it', () => {
    const stored = [
      { store: 'cache', kept: false },
      { store: 'directory', kept: true },
    ];
    const result = { name: 'n', statement: 's', context: {}, stored } as unknown as Parameters<typeof proofOf>[0];
    expect(proofOf(result)).toEqual({ name: 'n', statement: 's', context: {}, stores: ['directory'] });
  });

  it('is refused where a store gives back something else than it took', async () => {
    const one = await world();
    const [store] = one.ports.stores;
    if (store === undefined) throw new Error('there is one');
    const options = { key, run, allow: [], dryRun: false };
    const failing = (error: Error) =>
      freshBackup(
        one.api.cluster,
        { ...one.ports, stores: [{ ...store, read: () => Promise.reject(error) }] },
        options,
      );
    const said = { what: 'w', why: 'y', next: 'n' };
    const listed = { ...store, read: async () => Buffer.from('other') };
    await expect(freshBackup(one.api.cluster, { ...one.ports, stores: [listed] }, options)).rejects.toMatchObject({
      code: 'wipe-read-back',
      message: expect.stringContaining('directory gave back another backup'),
    });
    await expect(failing(new McprtError('store-miss', said))).rejects.not.toMatchObject({ code: 'wipe-read-back' });
  });
});

describe('the guards of a wipe', () => {
  const codeOf = (work: () => void): string => {
    try {
      work();
      return 'none';
    } catch (error) {
      return error instanceof McprtError ? `${error.code}: ${error.why}` : String(error);
    }
  };
  const seen = { fingerprint: 'f', installedDomain: undefined, journal: undefined };
  const begun = { ...seen, journal: { domain: 'other.example' } as never };

  it('tell an empty confirmation from another one', () => {
    const inputs = { also: [], domain: 'a', dryRun: false };
    expect(codeOf(() => guardInputs({ ...inputs, confirm: '' }))).toBe('wipe-confirm: it is empty');
    expect(codeOf(() => guardInputs({ ...inputs, confirm: 'b' }))).toBe('wipe-confirm: it names another one');
  });

  it('refuse a cluster on which the wipe of another domain was begun', () => {
    const wanted = { expected: '', domain: 'example.com' };
    expect(codeOf(() => guardCluster(begun, wanted))).toContain('a wipe of other.example was begun on it');
    expect(codeOf(() => guardCluster(begun, { ...wanted, domain: 'other.example' }))).toBe('none');
  });

  it('refuse a cluster that nothing tells from others', () => {
    expect(codeOf(() => guardUnknown(seen, ''))).toContain('wipe-wrong-cluster');
    expect(codeOf(() => guardUnknown(seen, 'f'))).toBe('none');
    expect(codeOf(() => guardUnknown({ ...seen, installedDomain: 'a' }, ''))).toBe('none');
    expect(codeOf(() => guardUnknown(begun, ''))).toBe('none');
  });
});

describe('a observeForWipe before a wipe', () => {
  it('has every kind that a wipe decides about', async () => {
    const { api } = await world();
    const put = (kind: (typeof kinds)[keyof typeof kinds], name: string): KubeObject =>
      api.put(objectOf(kind, { metadata: { name, ...(kind.namespaced ? { namespace: 'registry' } : {}) } }));
    for (const kind of [kinds.mcpServer, kinds.mcpAccessGrant, kinds.mcpAgentSession]) put(kind, 'own');
    for (const kind of [kinds.mutatingWebhookConfiguration, kinds.validatingWebhookConfiguration]) put(kind, 'hook');
    for (const kind of [kinds.clusterRole, kinds.clusterRoleBinding, kinds.apiService, kinds.persistentVolume])
      put(kind, 'x');
    const seen = await observeForWipe(api.cluster);
    expect(seen).toMatchObject({ installedDomain: run.domain, journal: undefined });
    const { platformObjects, webhooks, clusterRoles, clusterRoleBindings, apiServices, volumes } = seen;
    expect(
      [platformObjects, webhooks, clusterRoles, clusterRoleBindings, apiServices, volumes].map((list) =>
        list.map(({ kind }) => kind),
      ),
    ).toEqual([
      ['MCPServer', 'MCPAccessGrant', 'MCPAgentSession'],
      ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'],
      ['ClusterRole'],
      ['ClusterRoleBinding'],
      ['APIService'],
      ['PersistentVolume'],
    ]);
    api.put({ ...domain, data: { MCP_PLATFORM_DOMAIN: '' } });
    expect((await observeForWipe(api.cluster)).installedDomain).toBeUndefined();
  });
});

describe('what is deleted', () => {
  const target = (kind: WipeTarget['kind'], name: string): WipeTarget => ({
    kind,
    name,
    uid: name,
    because: '',
    leaving: false,
    foreign: false,
  });

  it('goes kind by kind, with all of MCP Runtime’s own at once', () => {
    const all = [
      target(kinds.clusterRole, 'r'),
      target(kinds.mcpServer, 's'),
      target(kinds.mcpAccessGrant, 'g'),
      target(kinds.namespace, 'n'),
    ];
    expect(groupsOf(all).map((group) => group.map(({ name }) => name))).toEqual([['r'], ['s', 'g'], ['n']]);
    expect(namespacesOf(all).map(({ name }) => name)).toEqual(['n']);
  });

  it('is called by kind and place, and counted in words', () => {
    expect([
      subjectOf(target(kinds.namespace, 'n')),
      subjectOf({ ...target(kinds.mcpServer, 's'), namespace: 'a' }),
    ]).toEqual(['Namespace n', 'MCPServer a/s']);
    expect([count(0, 'object'), count(1, 'object'), count(2_000, 'object')]).toEqual([
      '0 objects',
      '1 object',
      '2,000 objects',
    ]);
  });

  it('has its reason and its owner', async () => {
    const managed = { 'platform.mcpruntime.org/managed': 'true' };
    const { api } = await world(namespace('mine', managed), namespace('theirs'), namespace('cert-manager'));
    api.put(objectOf(kinds.clusterRole, { metadata: { name: 'labelled', labels: managed } }));
    api.put(objectOf(kinds.clusterRoleBinding, { metadata: { name: 'labelled', labels: managed } }));
    api.put(objectOf(kinds.mutatingWebhookConfiguration, { metadata: { name: 'foreign' }, webhooks: [] }));
    api.put(objectOf(kinds.clusterIssuer, { metadata: { name: 'own-ca' }, spec: { ca: {} } }));
    const seen = await observeForWipe(api.cluster);
    const { targets, kept } = planWipe(seen, { scope: 'all-apps', also: ['mine', 'theirs', 'cert-manager'] });
    expect(targets.map((one) => [subjectOf(one), one.because, one.foreign, one.leaving])).toEqual([
      ['ClusterRole labelled', 'labelled as managed by MCP Runtime', false, false],
      ['ClusterRoleBinding labelled', 'labelled as managed by MCP Runtime', false, false],
      ['Namespace registry', 'a namespace of MCP Runtime by its name', false, false],
      ['Namespace mcp-sentinel', 'a namespace of MCP Runtime by its name', false, false],
      ['Namespace mine', 'named in `also`', false, false],
      ['Namespace theirs', 'named in `also`', true, false],
      ['Namespace cert-manager', 'named in `also`', true, false],
    ]);
    expect(kept.map(({ subject, why }) => `${subject}: ${why}`)).toEqual([
      'Namespace default: it is the cluster’s own',
      'Namespace kube-system: it is the cluster’s own',
      'Namespace kube-public: it is the cluster’s own',
      'Namespace kube-node-lease: it is the cluster’s own',
      'ClusterIssuer le: setup adopts it; a new one could register a new account',
      'ClusterIssuer own-ca: setup adopts it',
      'CustomResourceDefinitions of mcpruntime.org: setup applies them again',
      'what setup changed on Traefik in kube-system: kube-system stays as it is',
    ]);
    const some = planWipe(seen, { scope: 'platform', also: [] });
    expect(some.kept).toContainEqual({
      subject: 'Namespace cert-manager',
      why: 'it goes only when it is named in `also`',
    });
    expect(some.targets.find(({ name }) => name === 'mine')?.because).toBe('labelled as managed by MCP Runtime');
  });
});
