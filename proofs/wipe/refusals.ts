import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startGithub } from '../../lab/github/github.js';
import { createObject } from '../../lab/platform/objects.js';
import { objectOf } from '../../shared/cluster/cluster.js';
import { kinds } from '../../shared/cluster/objects.js';
import { brake } from '../support/brake.js';
import type { ProofContext } from '../support/proof.js';
import type { GateHooks } from '../world/gate.js';
import type { World } from '../world/world.js';

/** A wipe that must be refused, and by which code. */
interface Refusal {
  name: string;
  code: string;
  inputs: Record<string, string>;
  env?: Record<string, string>;
  hooks?: GateHooks;
  before?: () => Promise<unknown>;
  after?: () => Promise<unknown>;
}

/** Every refusal, with its code, and how many objects were deleted by all of them together. */
export async function refuseAll(context: ProofContext, world: World<'gate'>) {
  const { gate, domain } = world;
  const github = await startGithub({ repository: { name: 'acme/platform', id: 42 } });
  github.inject({ kind: 'altered-download', on: 'artifacts' });
  const example = join(context.folder, 'mcpruntime-org.env.example');
  await writeFile(example, `export MCP_PLATFORM_DOMAIN=${domain}\n`);
  const refusals: Record<string, string> = {};
  let deletionsByRefusals = 0;
  try {
    for (const one of refusalsOf(world, { example, github: { ...github.env }, token: github.token })) {
      await one.before?.();
      gate.reset(one.hooks ?? {});
      const done = await world.backup('wipe', { kubeconfig: gate.kubeconfig, confirm: domain, ...one.inputs }, one.env);
      // The lock is the wipe's own: it is released whatever happens.
      const deleted = gate.writes().filter((what) => what.startsWith('DELETE') && !what.endsWith('/mcprt-brake'));
      deletionsByRefusals += deleted.length;
      refusals[one.name] = done.error ?? 'none';
      context.expectRefused(one.name, one.code, done);
      context.expectSame(`${one.name}: deletions`, deleted, []);
      await one.after?.();
    }
  } finally {
    await github.close();
  }
  return { refusals, deletionsByRefusals };
}

function refusalsOf(
  { cluster }: World,
  { example, github, token }: { example: string; github: Record<string, string>; token: string },
): Refusal[] {
  const secret = { namespace: 'mcp-sentinel', name: 'mcp-sentinel-secrets' };
  const journal = { namespace: 'kube-system', name: 'mcprt-wipe' };
  const lock = objectOf(kinds.admissionPolicy, {
    metadata: {
      ...brake,
      annotations: { 'mcprt.dev/run': 'acme/platform/7/restore', 'mcprt.dev/expires': '2100-01-01T00:00:00.000Z' },
    },
    spec: {
      matchConstraints: {
        resourceRules: [
          { apiGroups: ['nothing.invalid'], apiVersions: ['*'], operations: ['CREATE'], resources: ['*'] },
        ],
      },
      validations: [{ expression: 'true' }],
    },
  });
  return [
    { name: 'no store', code: 'backup-not-stored', inputs: { stores: 'artifact' } },
    {
      name: 'read-back differs',
      code: 'wipe-read-back',
      inputs: { stores: 'artifact', 'github-token': token },
      env: github,
    },
    {
      name: 'a Secret changes while it is stored',
      code: 'wipe-inventory',
      inputs: {},
      hooks: {
        afterWrite: async (_, what) => {
          if (!what.endsWith('/mcprt-anchor') && !/POST .*configmaps$/.test(what)) return;
          await cluster.patch(kinds.secret, secret, [{ op: 'add', path: '/data/LATE', value: 'bGF0ZQ==' }]);
        },
      },
      after: () => cluster.patch(kinds.secret, secret, [{ op: 'remove', path: '/data/LATE' }]),
    },
    { name: 'no confirm', code: 'wipe-confirm', inputs: { confirm: '' } },
    { name: 'wrong confirm', code: 'wipe-confirm', inputs: { confirm: 'example.org' } },
    {
      name: 'wrong fingerprint',
      code: 'wipe-wrong-cluster',
      inputs: { cluster: '00000000-0000-0000-0000-000000000000' },
    },
    {
      name: 'platform of another domain',
      code: 'wipe-wrong-cluster',
      inputs: { domain: 'example.org', confirm: 'example.org' },
    },
    { name: 'kube-system named', code: 'wipe-protected', inputs: { also: 'shop\nkube-system' } },
    { name: 'default named', code: 'wipe-protected', inputs: { also: 'default' } },
    { name: 'example profile', code: 'profile-example', inputs: { domain: '', profile: example } },
    {
      name: 'restore under way',
      code: 'restore-locked',
      inputs: {},
      before: () => cluster.apply(kinds.admissionPolicy, lock, { force: true, manager: 'world' }),
      after: () => cluster.delete(kinds.admissionPolicy, brake),
    },
    {
      name: 'a Secret is missing',
      code: 'backup-refused',
      inputs: {},
      before: () => cluster.create(kinds.certificate, unissued()),
      after: () => cluster.delete(kinds.certificate, { namespace: 'registry', name: 'unissued' }),
    },
    {
      name: 'an earlier wipe’s journal that somebody has changed',
      code: 'wipe-journal',
      inputs: {},
      before: () => createObject(cluster, kinds.configMap, { metadata: journal, data: { run: 'r' } }),
      after: () => cluster.delete(kinds.configMap, journal),
    },
    { name: 'no backup key', code: 'key-missing', inputs: { 'backup-key': '' } },
  ];
}

/** A Certificate whose issuer does not exist: its Secret never comes, and nothing is ordered. */
function unissued(): ReturnType<typeof objectOf> {
  return objectOf(kinds.certificate, {
    metadata: { name: 'unissued', namespace: 'registry' },
    spec: { secretName: 'unissued', dnsNames: ['unissued.invalid'], issuerRef: { name: 'none', kind: 'Issuer' } },
  });
}
