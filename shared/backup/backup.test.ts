import { describe, expect, it } from '@jest/globals';
import type { Certificate } from '../certificates/model.js';
import { certificatePem, keyPem, newKey, requestPem } from '../certificates/testing/fixtures.js';
import { ApiError } from '../cluster/api-error.js';
import { objectOf } from '../cluster/cluster.js';
import { type KubeObject, keyOf, kinds } from '../cluster/objects.js';
import { McprtError } from '../errors.js';
import { hasRole } from '../facts/roles.js';
import { backUp, NotStored, refreshBackup } from './backup.js';
import type { Store } from './stores/store.js';
import { day, encoded } from './testing/issued.js';
import { keysOf } from './testing/memory.js';
import { keepingStore, quietPorts } from './testing/memory-store.js';
import { certificate, namespace, now, opaque, run, scene, secretOf } from './testing/scene.js';

const blog = certificate('blog', 'old-blog', { issuerRef: { name: 'nowhere' } });
const held = (objects: { object: KubeObject }[]): string[] =>
  objects.map(({ object }) => `${object.kind} ${keyOf(object.metadata)}`);

describe('backUp', () => {
  it('keeps certificates wherever they are, and makes no namespace that is there', async () => {
    const own = ['default', 'kube-system', 'kube-prometheus'].map((name) => certificate(name, 'web'));
    const { api, backUp, restore } = await scene('running', [
      namespace('kube-prometheus'),
      ...own,
      ...own.map((one) => secretOf(one)),
    ]);
    const { snapshot } = await backUp();
    expect(held(snapshot.objects)).toEqual(
      expect.arrayContaining([
        'Secret default/web-tls',
        'Secret kube-system/web-tls',
        'Secret kube-prometheus/web-tls',
      ]),
    );
    api.remove(kinds.namespace, { name: 'kube-prometheus' });
    for (const where of ['default', 'kube-system']) api.remove(kinds.secret, { namespace: where, name: 'web-tls' });
    const { applied } = await restore();
    const created = applied.filter(({ action }) => action === 'create').map(({ subject }) => subject);
    expect(created.sort()).toEqual([
      'Namespace kube-prometheus',
      'Secret default/web-tls',
      'Secret kube-prometheus/web-tls',
      'Secret kube-system/web-tls',
    ]);
  });

  it('is good until its last certificate expires, however long the key of an own CA lasts', async () => {
    const authority = certificate('cert-manager', 'own-ca', { secretName: 'own-ca' });
    const issuer = objectOf(kinds.clusterIssuer, { metadata: { name: 'own' }, spec: { ca: { secretName: 'own-ca' } } });
    const { backUp } = await scene('running', [issuer, secretOf(authority, { life: 3_650 * day })]);
    const { snapshot, context } = await backUp();
    expect(held(snapshot.objects)).toContain('Secret cert-manager/own-ca');
    expect(context.expiresAt).toBe(new Date(now.getTime() + 80 * day).toISOString());
  });

  it('tells the troubles of others, and is stopped by none of them', async () => {
    const { backUp, warnings } = await scene('running', [namespace('blog'), blog]);
    const made = await backUp();
    expect(made.stored).toHaveLength(1);
    expect(warnings.join('\n')).toContain('`allow: secret-missing:blog/old-blog-tls` silences this');
  });

  it('names the text that allows each trouble of the platform, and takes it', async () => {
    const lost = certificate('registry', 'lost');
    const { backUp, names, api } = await scene('running', [lost]);
    const refused = backUp();
    await expect(refused).rejects.toMatchObject({
      code: 'backup-refused',
      next: expect.stringContaining('`secret-missing:registry/lost-tls`'),
    });
    expect(names()).toEqual([]);
    expect(api.writes).toEqual([]);
    await expect(backUp({ allow: [{ rule: 'secret-missing', object: 'registry/other' }] })).rejects.toMatchObject({
      code: 'backup-refused',
    });
    for (const object of ['registry/lost-tls', 'registry/lost', 'registry/*']) {
      await backUp({ allow: [{ rule: 'secret-missing', object }] });
    }
    expect(names()).toHaveLength(3);
  });

  it('is as strict about what a wipe takes as about the platform', async () => {
    const { backUp } = await scene('running', [namespace('blog'), blog]);
    await expect(backUp({ isOurs: () => true })).rejects.toMatchObject({ code: 'backup-refused' });
  });

  it('is stopped by no certificate of others that no restore can write, and told of one of ours', async () => {
    const odd = (where: string): KubeObject[] => {
      const web = certificate(where, 'web');
      return [web, secretOf(web, { type: 'kubernetes.io/ssh-auth', more: { 'ssh-privatekey': 'k' } })];
    };
    const { backUp, restore, warnings, api } = await scene('running', [namespace('blog'), ...odd('blog')]);
    const { snapshot } = await backUp();
    expect(warnings.join('\n')).toContain('left out: Secret blog/web-tls');
    expect(snapshot.certificates.find(({ metadata }) => metadata.name === 'web')?.accepted).toBe('secret-missing');
    for (const name of ['blog', 'registry', 'mcp-sentinel']) api.remove(kinds.namespace, { name });
    const { plan } = await restore();
    expect(plan.orders).toBe(0);
    expect(plan.certificates.find(({ name }) => name === 'web')).toMatchObject({ excused: 'before' });

    const ours = await scene('running', odd('registry'));
    await expect(ours.backUp()).rejects.toMatchObject({
      code: 'backup-unrestorable',
      why: expect.stringMatching(
        /Certificate registry\/web: DoesNotExist[\s\S]*left out: Secret registry\/web-tls: .*ssh-auth/,
      ),
    });
  });

  it('tells, by a rule that can be allowed, of a certificate that only its age keeps', async () => {
    const older = certificate('registry', 'older', { secretName: 'shared' });
    const younger = certificate('registry', 'a-younger', { secretName: 'shared' });
    const made = (one: KubeObject, creationTimestamp: string): KubeObject => ({
      ...one,
      metadata: { ...one.metadata, creationTimestamp },
    });
    const secret = secretOf(older);
    const { 'cert-manager.io/certificate-name': _, ...annotations } = secret.metadata.annotations ?? {};
    const { backUp } = await scene('running', [
      made(older, '2026-01-01T00:00:00Z'),
      made(younger, '2026-06-01T00:00:00Z'),
      { ...secret, metadata: { ...secret.metadata, annotations } },
    ]);
    await expect(backUp()).rejects.toMatchObject({
      next: expect.stringContaining('`would-reissue:registry/a-younger`'),
    });
    await backUp({ allow: [{ rule: 'would-reissue', object: 'registry/a-younger' }] });
  });

  it('excuses a Certificate by its own troubles, and not by those of one that is called like its Secret', async () => {
    const web = certificate('blog', 'web');
    const other = certificate('blog', 'other', { secretName: 'web' });
    const issuing = { conditions: [{ type: 'Issuing', status: 'True' }] };
    const { backUp } = await scene('running', [
      namespace('blog'),
      { ...web, status: issuing } as KubeObject,
      secretOf(web),
      other,
      secretOf(other),
    ]);
    const { snapshot } = await backUp();
    expect(snapshot.certificates.map(({ metadata, accepted }) => [metadata.name, accepted])).toEqual(
      expect.arrayContaining([
        ['web', 'certificate-issuing'],
        ['other', undefined],
      ]),
    );
  });

  it('does not lose an older inventory out of sight where no Certificate is left', async () => {
    const { api, backUp } = await scene();
    await backUp();
    api.remove(kinds.certificate, { namespace: 'registry', name: 'registry-cert' });
    api.remove(kinds.secret, { namespace: 'registry', name: 'registry-tls' });
    await expect(backUp({ allow: [{ rule: 'nothing-to-back-up' }] })).rejects.toMatchObject({
      next: expect.stringContaining('`fewer-objects:registry/registry-tls`'),
    });
  });

  it('loses nothing of what was restored into a new cluster before setup has made again what asks for it', async () => {
    const { api, backUp, restore, warnings } = await scene();
    await backUp();
    // A new cluster has neither the platform's objects nor what the old one remembered.
    for (const [kind, namespace, name] of [
      [kinds.certificate, 'registry', 'registry-cert'],
      [kinds.secret, 'registry', 'registry-tls'],
      [kinds.configMap, 'kube-system', 'mcprt-anchor'],
    ] as const)
      api.remove(kind, { namespace, name });
    await restore();
    expect(warnings).toEqual([]);
    const web = certificate('mcp-sentinel', 'web');
    for (const one of [web, secretOf(web)]) api.put(one);
    const { snapshot, context } = await backUp();
    expect(context.generation).toBe(2);
    expect(held(snapshot.objects)).toEqual(
      expect.arrayContaining(['Secret registry/registry-tls', 'Secret mcp-sentinel/web-tls']),
    );
  });

  it('takes any name that Kubernetes takes for a key', async () => {
    const tokenSecretRef = { name: 'token' };
    const vault = objectOf(kinds.clusterIssuer, {
      metadata: { name: 'v' },
      spec: { vault: { auth: { tokenSecretRef } } },
    });
    const odd = JSON.parse('{"__proto__":"eA==","constructor":"eA==","toString":"eA=="}') as Record<string, string>;
    const { api, backUp, restore, warnings } = await scene('running', [
      vault,
      { ...opaque('cert-manager', 'token', {}), data: odd },
    ]);
    await backUp();
    expect(warnings.join('\n')).toContain('without key __proto__');
    api.remove(kinds.secret, { namespace: 'cert-manager', name: 'token' });
    await restore();
    const found = api.find(kinds.secret, { namespace: 'cert-manager', name: 'token' });
    expect(Object.keys(found?.data ?? {})).toEqual(['constructor', 'toString']);
  });

  it('keeps every use of a Secret', async () => {
    const vault = objectOf(kinds.issuer, {
      metadata: { name: 'v', namespace: 'registry' },
      spec: { vault: { server: 's', path: 'p', caBundleSecretRef: { name: 'registry-tls' }, auth: {} } },
    });
    const { api, backUp, restore } = await scene('running', [vault]);
    const { snapshot } = await backUp();
    const item = snapshot.objects.find(({ object }) => object.metadata.name === 'registry-tls');
    expect(item?.roles).toEqual(['issuer-secret', 'tls']);
    expect(item && hasRole(item, 'tls')).toBe(true);
    api.remove(kinds.namespace, { name: 'registry' });
    const { plan } = await restore({ dryRun: true });
    expect(plan.certificates).toMatchObject([{ name: 'registry-cert', verdict: 'keep' }]);
  });

  it('leaves out what no restore would write, with its reason', async () => {
    const issuer = objectOf(kinds.clusterIssuer, {
      metadata: { name: 'v' },
      spec: { vault: { auth: { kubernetes: { secretRef: { name: 'sa' } } } } },
    });
    const token = opaque('cert-manager', 'sa', { token: 't' }, 'kubernetes.io/service-account-token');
    const { backUp } = await scene('running', [issuer, token]);
    const { leftOut, snapshot } = await backUp();
    expect(leftOut).toEqual([
      {
        subject: 'Secret cert-manager/sa',
        why: 'Secrets of type kubernetes.io/service-account-token are made by the cluster itself',
      },
    ]);
    expect(held(snapshot.objects)).not.toContain('Secret cert-manager/sa');
  });

  it('leaves out a pair that is none, so that the restore of all else is not refused', async () => {
    const broken = certificate('registry', 'broken');
    const { api, backUp, restore } = await scene('running', [broken, secretOf(broken, { isBroken: true })]);
    await backUp({ allow: [{ rule: 'pair-mismatch', object: 'registry/broken' }] });
    api.remove(kinds.namespace, { name: 'registry' });
    const { plan, verified } = await restore();
    expect(verified).toBe(true);
    expect(plan.certificates.find(({ name }) => name === 'broken')).toMatchObject({
      verdict: 'order',
      excused: 'before',
    });
  });

  it('refuses a certificate that only its request keeps: a wipe would have it issued anew', async () => {
    // The issuer gave fewer names than were asked for, and cert-manager compares with the request while there is one.
    const key = newKey('P-256');
    const names = ['a.example.com', 'b.example.com'];
    const drifted = { ...certificate('registry', 'drifted', { dnsNames: names }), status: { revision: 1 } };
    const pem = certificatePem({
      key,
      dns: names.slice(0, 1),
      notBefore: new Date(now.getTime() - day),
      notAfter: new Date(now.getTime() + 80 * day),
    });
    const secret = { ...secretOf(drifted), data: encoded({ 'tls.crt': pem, 'tls.key': keyPem(key) }) };
    const { api, backUp } = await scene('running', [drifted, secret]);
    const uid = api.find(kinds.certificate, { namespace: 'registry', name: 'drifted' })?.metadata.uid ?? '';
    api.put(
      objectOf(kinds.certificateRequest, {
        metadata: {
          name: 'drifted-1',
          namespace: 'registry',
          annotations: { 'cert-manager.io/certificate-revision': '1' },
          ownerReferences: [
            { apiVersion: 'cert-manager.io/v1', kind: 'Certificate', name: 'drifted', uid, controller: true },
          ],
        },
        spec: {
          request: Buffer.from(requestPem({ key, dns: names })).toString('base64'),
          issuerRef: drifted.spec.issuerRef,
        },
      }),
    );
    await expect(backUp()).rejects.toMatchObject({
      code: 'backup-refused',
      why: expect.stringMatching(/after a wipe cert-manager would replace it: SecretMismatch.*rule would-reissue/),
    });
  });

  it('tells of two Certificates with one Secret when only their ages say whose it is', async () => {
    const made = (name: string, dnsNames: string[], creationTimestamp: string): KubeObject & Certificate => {
      const one = certificate('blog', name, { secretName: 'shared', dnsNames });
      return { ...one, metadata: { ...one.metadata, creationTimestamp } };
    };
    const older = made('b', ['b.example.com'], '2026-01-01T00:00:00Z');
    const younger = made('a', ['a.example.com'], '2026-02-01T00:00:00Z');
    const secret = secretOf(older);
    const { 'cert-manager.io/certificate-name': _, ...annotations } = secret.metadata.annotations ?? {};
    const unnamed = { ...secret, metadata: { ...secret.metadata, annotations } };
    const { api, backUp, restore } = await scene('running', [namespace('blog'), older, younger, unnamed]);
    const { warnings } = await backUp();
    expect(warnings.join('\n')).toContain('Certificate blog/a: after a wipe cert-manager would replace it');
    api.remove(kinds.namespace, { name: 'blog' });
    await expect(restore({ dryRun: true })).resolves.toMatchObject({ plan: { orders: 0 } });
  });

  it('is no smaller than the one before, unless that is allowed for what is gone', async () => {
    const more = certificate('registry', 'more');
    const { api, backUp } = await scene('running', [more, secretOf(more)]);
    await backUp();
    api.remove(kinds.certificate, { namespace: 'registry', name: 'more' });
    api.remove(kinds.secret, { namespace: 'registry', name: 'more-tls' });
    await expect(backUp()).rejects.toMatchObject({
      code: 'backup-refused',
      why: expect.stringContaining('rule fewer-objects'),
    });
    await backUp({ allow: [{ rule: 'fewer-objects', object: 'registry/more-tls' }] });
  });

  it('keeps what a restore brought back before its Certificate is there, the password of a keystore too', async () => {
    const jks = { create: true, passwordSecretRef: { name: 'password', key: 'password' } };
    const mtls = certificate('registry', 'mtls', { keystores: { jks } });
    const tls = secretOf(mtls);
    const data = { ...(tls.data as Record<string, string>), 'keystore.jks': Buffer.from('sealed').toString('base64') };
    const { api, backUp } = await scene('running', [
      mtls,
      { ...tls, data },
      opaque('registry', 'password', { password: 'p' }),
    ]);
    const held = async (): Promise<string[]> =>
      (await backUp()).snapshot.objects.map(({ object }) => object.metadata.name);
    expect(await held()).toEqual(expect.arrayContaining(['mtls-tls', 'password']));
    api.remove(kinds.certificate, { namespace: 'registry', name: 'mtls' });
    expect(await held()).toEqual(expect.arrayContaining(['mtls-tls', 'password']));
    api.put({ ...tls });
    await expect(backUp()).rejects.toMatchObject({ code: 'backup-refused', why: expect.stringContaining('password') });
  });

  it('tells a Secret that a webhook seems to name and that is not there', async () => {
    const config = { apiTokenSecretRef: { name: 'gone', key: 't' }, zone: 'example.com' };
    const acme = { privateKeySecretRef: { name: 'account' }, solvers: [{ dns01: { webhook: { config } } }] };
    const { backUp, warnings } = await scene('running', [
      objectOf(kinds.clusterIssuer, { metadata: { name: 'hook' }, spec: { acme } }),
    ]);
    await backUp();
    expect(warnings.join('\n')).toContain('apiTokenSecretRef seems to name Secret cert-manager/gone');
  });

  it('takes certificates that are due for renewal', async () => {
    const short = certificate('registry', 'short');
    const { backUp } = await scene('running', [short, secretOf(short, { age: 5 * day, life: 6 * day })]);
    expect((await backUp()).stored).toHaveLength(1);
  });
});

describe('reading a cluster', () => {
  it('is given up where certificates change during each read, after five', async () => {
    const { api, backUp, names } = await scene();
    let reads = 0;
    api.hooks.before = ({ method, path }) => {
      if (method !== 'GET' || !path.startsWith('/apis/cert-manager.io/v1/certificates?')) return;
      reads += 1;
      const [found] = api.objects(kinds.certificate);
      if (found !== undefined) api.put({ ...found, metadata: { ...found.metadata, labels: { at: String(reads) } } });
    };
    await expect(backUp()).rejects.toMatchObject({ code: 'backup-unstable' });
    expect([reads, names()]).toEqual([10, []]);
  });

  it('is done again where they changed once', async () => {
    const { api, backUp } = await scene();
    let reads = 0;
    api.hooks.before = ({ method, path }) => {
      if (method !== 'GET' || !path.startsWith('/apis/cert-manager.io/v1/certificates?')) return;
      reads += 1;
      const [found] = api.objects(kinds.certificate);
      if (reads === 2 && found !== undefined)
        api.put({ ...found, metadata: { ...found.metadata, labels: { a: 'b' } } });
    };
    expect((await backUp()).stored).toHaveLength(1);
    expect(reads).toBe(4);
  });
});

describe('storing a backup', () => {
  const failing = (error: unknown): Store => ({
    ...keepingStore().store,
    name: 'cache',
    save: () => Promise.reject(error),
  });
  const world = async (stores: Store[]) => {
    const { api } = await scene();
    const [warnings, masked, progress] = [[], [], []] as string[][] as [string[], string[], string[]];
    const keys = await keysOf();
    const ports = quietPorts(stores, {
      warn: (line) => void warnings.push(line),
      mask: (secret) => void masked.push(secret),
      progress: (line) => void progress.push(line),
    });
    const options = { key: keys.backup, run, allow: [], dryRun: false };
    return { api, ports, options, warnings, masked, progress };
  };

  it('is done where one store has it, and tells what each of them says', async () => {
    const kept = keepingStore();
    const { api, ports, options, warnings, masked, progress } = await world([failing(new Error('reset')), kept.store]);
    const { stored, generation } = await backUp(api.cluster, ports, options).then((one) => ({
      ...one,
      generation: one.context.generation,
    }));
    expect(stored).toMatchObject([
      { store: 'cache', error: { code: 'store-write', why: 'reset' } },
      { store: 'directory', kept: { where: kept.names()[0] } },
    ]);
    expect([generation, warnings]).toEqual([1, ['cache: the cache failed: reset']]);
    expect(progress).toEqual([
      expect.stringMatching(/^sealed generation 1: \d+ bytes for 2 recipients$/),
      expect.stringMatching(/^stored in directory, read back and verified: /),
    ]);
    // The values of the platform's Secret, before anything could show them.
    expect(masked).toEqual(expect.arrayContaining(['a', 'j']));
  });

  it('fails where none has it, with the reason of each', async () => {
    const own = new McprtError('store-full', { what: 'full', why: 'too much', next: 'delete' });
    const other: Store = { ...keepingStore().store, read: async () => Buffer.from('another') };
    const { api, ports, options } = await world([failing(own), other]);
    const making = backUp(api.cluster, ports, options);
    await expect(making).rejects.toMatchObject({
      code: 'backup-not-stored',
      why: expect.stringMatching(/^cache: full: too much \(store-full\)\ndirectory: .*\(backup-malformed\)$/),
      next: expect.stringContaining('delete'),
      stored: [{ store: 'cache', error: own }, { store: 'directory' }],
    });
    await expect(making).rejects.toBeInstanceOf(NotStored);
    await expect(backUp(api.cluster, { ...ports, stores: [] }, options)).rejects.toMatchObject({
      why: 'no store is configured',
      next: 'set the input `stores`',
    });
  });

  it('is told from storing another backup of our own', async () => {
    const kept = keepingStore();
    const { api, ports, options } = await world([kept.store]);
    await backUp(api.cluster, ports, options);
    const [first = ''] = kept.names();
    const replaying: Store = { ...kept.store, read: () => kept.store.read(first) };
    await expect(backUp(api.cluster, { ...ports, stores: [replaying] }, options)).rejects.toMatchObject({
      stored: [{ error: { code: 'store-read-back' } }],
    });
  });

  it('is not done again where nothing has changed, unless it is due', async () => {
    const kept = keepingStore();
    const { api, ports, options, progress } = await world([kept.store]);
    const first = await refreshBackup(api.cluster, ports, options, day);
    expect(first).toMatchObject({ made: { context: { generation: 1 } }, because: [expect.any(String)] });
    const second = await refreshBackup(api.cluster, ports, options, day);
    expect(second).toMatchObject({ held: { name: kept.names()[0] } });
    expect(kept.names()).toHaveLength(1);
    api.put(opaque('mcp-sentinel', 'mcp-sentinel-secrets', { ADMIN_API_KEYS: 'b', JWT_SECRET: 'j' }));
    progress.length = 0;
    const third = await refreshBackup(api.cluster, ports, options, day);
    expect(third).toMatchObject({ made: { context: { generation: 2 } } });
    expect(progress[0]).toMatch(/^a new backup is due: /);
  });

  it('is done although the cluster cannot remember it, which is told', async () => {
    const { api, ports, options, warnings } = await world([keepingStore().store]);
    api.hooks.before = ({ method, path }) => {
      if (method !== 'GET' && path.includes('/configmaps')) throw new ApiError(403, 'Forbidden', 'no', 'write');
    };
    expect((await backUp(api.cluster, ports, options)).stored).toHaveLength(1);
    expect(warnings.join()).toContain('the backup is stored, but the cluster cannot remember it');
  });
});
