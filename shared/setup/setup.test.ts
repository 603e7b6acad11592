import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { quietPorts } from '../backup/testing/memory-store.js';
import { clustersOwn, putController } from '../backup/testing/memory-world.js';
import { run } from '../backup/testing/scene.js';
import { objectOf } from '../cluster/cluster.js';
import type { Credentials } from '../cluster/credentials.js';
import { kinds } from '../cluster/objects.js';
import { type MemoryApi, memoryApi } from '../cluster/testing/memory-api.js';
import { McprtError } from '../errors.js';
import { direct } from '../proxy.js';
import { newSetupRecord, type SetupOptions, type SetupPorts, type SetupRecord } from './options.js';
import { requireParts } from './prepare.js';
import { setUp } from './setup.js';
import { usualSettings } from './testing/settings.js';

let folder = '';
let source = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcprt-test-setup-'));
  source = join(folder, 'mcp-runtime');
  await mkdir(join(source, 'cmd', 'mcp-runtime'), { recursive: true });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const credentials: Credentials = {
  server: 'https://k3s.example.com:6443',
  context: 'test',
  headers: {},
  tls: {},
  secrets: [],
};
const hosts = { platform: 'platform.example.com', registry: 'registry.example.com', mcp: 'mcp.example.com' };
const rolledOut = { replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 };
const certManagersKinds = [
  kinds.certificate,
  kinds.certificateRequest,
  kinds.issuer,
  kinds.clusterIssuer,
  kinds.order,
  kinds.challenge,
];

/** k3s with nothing but what it brings itself. */
function emptyCluster(unserved = certManagersKinds): MemoryApi {
  const api = memoryApi({ unserved });
  clustersOwn(api);
  for (const name of ['coredns', 'traefik']) {
    api.put(objectOf(kinds.deployment, { metadata: { namespace: 'kube-system', name }, status: rolledOut }));
  }
  const ready = { conditions: [{ type: 'Ready', status: 'True' }], nodeInfo: { architecture: 'amd64' } };
  api.put(objectOf(kinds.node, { metadata: { name: 'one' }, status: ready }));
  api.put(objectOf(kinds.ingressClass, { metadata: { name: 'traefik' } }));
  putStorageClass(api, 'true');
  return api;
}

function putStorageClass(api: MemoryApi, isDefault: string): void {
  const annotations = { 'storageclass.kubernetes.io/is-default-class': isDefault };
  api.put(objectOf(kinds.storageClass, { metadata: { name: 'local-path', annotations } }));
}

/** A cluster whose cert-manager and issuer work: a rerun. */
function withIssuer(): MemoryApi {
  const api = emptyCluster([]);
  putController(api, 'running');
  for (const name of ['cert-manager', 'cert-manager-cainjector', 'cert-manager-webhook']) {
    const found = api.find(kinds.deployment, { namespace: 'cert-manager', name });
    const made = objectOf(kinds.deployment, { metadata: { namespace: 'cert-manager', name } });
    api.put({ ...(found ?? made), status: rolledOut });
  }
  const status = { conditions: [{ type: 'Ready', status: 'True' }] };
  api.put(objectOf(kinds.clusterIssuer, { metadata: { name: 'letsencrypt-prod' }, spec: { acme: {} }, status }));
  return api;
}

/** cert-manager's release manifest, as far as setup looks at it. */
async function someManifest(): Promise<string> {
  const path = join(folder, 'cert-manager.yaml');
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'cert-manager' } };
  const deployment = objectOf(kinds.deployment, { metadata: { namespace: 'cert-manager', name: 'cert-manager' } });
  await writeFile(path, [namespace, deployment].map((one) => JSON.stringify(one)).join('\n---\n'));
  return path;
}

/** A port on which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return address !== null && typeof address === 'object' ? address.port : 0;
}

/** A platform's command line that says its version, and does this when it is to set up. */
async function someBinary(setup = 'exit 0'): Promise<string> {
  const path = join(folder, 'mcp-runtime-cli');
  await writeFile(path, `#!/bin/sh\ncase "$1" in\n--version) echo 1 ;;\nsetup) ${setup} ;;\nesac\n`);
  await chmod(path, 0o755);
  return path;
}

function optionsWith(parts: Partial<SetupOptions>): SetupOptions {
  return {
    wanted: 'auto',
    hosts,
    domain: run.domain,
    run,
    profile: new Map(),
    settings: { ...usualSettings, acmeEmail: 'ops@acme.dev' },
    platformMode: { wanted: '', agreed: false },
    restore: undefined,
    maxOrders: 'auto',
    binary: '',
    source,
    certManager: { manifest: '', version: '' },
    platform: {
      hosts,
      names: false,
      imagePlatform: 'linux/amd64',
      overrides: [],
      dnsServer: '',
      caBundle: '',
      proxies: direct,
      mask: () => undefined,
    },
    timeout: 60_000,
    patience: { certificates: 50, rollouts: 50 },
    doctor: false,
    expectedPlan: '',
    dryRun: false,
    ...parts,
  };
}

interface Ended {
  error: McprtError | undefined;
  record: SetupRecord;
  writes: readonly string[];
}

async function settingUp(
  api: MemoryApi,
  parts: Partial<SetupOptions>,
  env: NodeJS.ProcessEnv = process.env,
  signal: AbortSignal = new AbortController().signal,
): Promise<Ended> {
  const record = newSetupRecord();
  const log = { step: () => undefined, line: () => undefined, end: () => undefined };
  const ports: SetupPorts = {
    ...quietPorts([], { signal }),
    log,
    env,
    proxies: direct,
    folder,
    onInstaller: () => undefined,
    onKubeconfig: () => undefined,
  };
  const ended: Ended = { error: undefined, record, writes: api.writes };
  await setUp(api.cluster, credentials, ports, optionsWith(parts), record).catch((error: unknown) => {
    if (!(error instanceof McprtError)) throw error;
    ended.error = error;
  });
  return ended;
}

const codes = ({ record }: Ended): string[] => record.findings.map(({ code }) => code);

describe('what setup needs', () => {
  const noEmail = { ...optionsWith({}).settings, acmeEmail: '' };

  it.each([true, false])('is told in one list before anything is changed (dry run: %s)', async (dryRun) => {
    const api = emptyCluster();
    putStorageClass(api, 'false');
    const ended = await settingUp(api, {
      settings: noEmail,
      source: join(folder, 'nowhere'),
      binary: join(folder, 'no-binary'),
      certManager: { manifest: join(folder, 'no.yaml'), version: '' },
      dryRun,
    });
    expect(ended.error?.code).toBe('setup-preflight');
    expect(ended.error?.message).toBe('5 things stand in the way of setup; nothing was changed');
    expect(ended.error?.why.split('\n').map((line) => /\(([a-z-]+)\)$/.exec(line)?.[1])).toEqual([
      'storage-class-missing',
      'setup-acme-email',
      'setup-source',
      'setup-binary',
      'certmanager-manifest',
    ]);
    expect(ended.error?.next).toContain('`acme-email`');
    expect(ended.error?.next).toContain('`source`');
    expect(ended.writes).toEqual([]);
    // No digest to approve, and nothing that setup would have mended.
    expect(ended.record.plan).toBeUndefined();
    expect(codes(ended)).toEqual(['storage-class-missing']);
  });

  it('is an error of its own where it is the only thing', async () => {
    const given = { certManager: { manifest: await someManifest(), version: '' }, dryRun: true };
    const ended = await settingUp(emptyCluster(), { ...given, settings: noEmail });
    expect(ended.error?.code).toBe('setup-acme-email');
    expect(codes(ended)).toEqual([]);
  });

  it('is there: a dry run comes to its end, and tells what setup mends', async () => {
    const given = { certManager: { manifest: await someManifest(), version: '' }, binary: await someBinary() };
    const ended = await settingUp(emptyCluster(), { ...given, dryRun: true });
    expect(ended.error).toBeUndefined();
    expect(ended.record.plan).toMatch(/^[0-9a-f]{64}$/);
    expect(ended.record.findings).toMatchObject([{ code: 'certmanager-missing', severity: 'warning' }]);
    expect(ended.writes).toEqual([]);
  });

  it('is Go where the command line is to be built: a dry run may be on another machine, and only says so', async () => {
    const given = { certManager: { manifest: await someManifest(), version: '' } };
    const without = { PATH: folder };
    expect((await settingUp(emptyCluster(), given, without)).error?.code).toBe('setup-build');
    const dry = await settingUp(emptyCluster(), { ...given, dryRun: true }, without);
    expect(dry.error).toBeUndefined();
    expect(dry.record.warnings).toEqual([expect.stringContaining('Go is not installed here')]);
    expect(
      (await settingUp(emptyCluster(), { ...given, binary: await someBinary(), dryRun: true }, without)).record
        .warnings,
    ).toEqual([]);
  });

  it('of this machine is known without the cluster, for whoever changes something first', async () => {
    const given = optionsWith({ source: join(folder, 'nowhere'), binary: join(folder, 'none') });
    await expect(requireParts({ env: {} }, given)).rejects.toMatchObject({ code: 'setup-preflight' });
    await expect(requireParts({ env: {} }, optionsWith({}))).rejects.toMatchObject({ code: 'setup-build' });
    await requireParts({ env: {} }, optionsWith({ binary: await someBinary() }));
  });

  it('is no manifest where cert-manager is there', async () => {
    const manifest = join(folder, 'no.yaml');
    const ended = await settingUp(withIssuer(), {
      certManager: { manifest, version: '' },
      maxOrders: 2,
      binary: await someBinary(),
      dryRun: true,
    });
    expect(ended.error).toBeUndefined();
  });

  it('is a manifest that can be fetched: an address that does not answer is told with why, and by a dry run', async () => {
    const manifest = `https://127.0.0.1:${await closedPort()}/cert-manager.yaml`;
    const given = { certManager: { manifest, version: '' }, binary: await someBinary(), dryRun: true };
    const { error } = await settingUp(emptyCluster(), given);
    expect(error).toMatchObject({
      code: 'certmanager-manifest',
      why: expect.stringContaining('ECONNREFUSED'),
      next: expect.stringMatching(/^download it before .* `cert-manager-manifest`$/),
    });
  });

  it('is a command line that runs: one that does not is told before anything is changed', async () => {
    const given = { certManager: { manifest: await someManifest(), version: '' }, binary: join(folder, 'broken') };
    await writeFile(given.binary, '#!/bin/sh\nexit 1\n');
    await chmod(given.binary, 0o755);
    const api = emptyCluster();
    const ended = await settingUp(api, given);
    expect(ended.error?.code).toBe('setup-binary');
    // Others are kept out meanwhile, and let in again.
    expect(ended.writes.filter((one) => !/configmaps/.test(one))).toEqual([]);
    expect(api.objects(kinds.configMap)).toEqual([]);
    expect(codes(ended)).toEqual([]);
  });

  it('runs nothing of a source before it is known to be the approved one', async () => {
    const touched = join(folder, 'touched');
    const binary = await someBinary();
    await writeFile(binary, `#!/bin/sh\ntouch ${touched}\n`);
    const given = { certManager: { manifest: await someManifest(), version: '' }, binary };
    const ended = await settingUp(emptyCluster(), { ...given, expectedPlan: 'f'.repeat(64) });
    expect(ended.error?.code).toBe('setup-plan-moved');
    await expect(rm(touched)).rejects.toThrow();
  });
});

describe('a setup that fails', () => {
  it('before the installer began, for what its inputs name, has that as its only cause', async () => {
    const manifest = join(folder, 'no.yaml');
    const ended = await settingUp(emptyCluster(), {
      certManager: { manifest, version: '' },
      binary: await someBinary(),
    });
    expect(ended.error?.code).toBe('certmanager-manifest');
    expect(ended.error?.next).toBe('correct the path in `cert-manager-manifest`');
    expect(ended.error?.next).not.toContain('run setup');
    expect(ended.record.likely).toBeUndefined();
    expect(codes(ended)).toEqual([]);
    expect(ended.writes).toEqual([]);
  });

  it('for a manifest that turns out to be needed is not explained by the cert-manager that it was to repair', async () => {
    const api = withIssuer();
    const webhook = { namespace: 'cert-manager', name: 'cert-manager-webhook' };
    const found = api.find(kinds.deployment, webhook);
    if (found !== undefined) api.put({ ...found, status: { replicas: 1 } });
    const manifest = join(folder, 'no.yaml');
    const certManager = { manifest, version: '' };
    const ended = await settingUp(api, { certManager, maxOrders: 2, binary: await someBinary() });
    expect(ended.error?.code).toBe('certmanager-manifest');
    expect(ended.record.reached).toBe('cert-manager');
    expect(ended.record.likely).toBeUndefined();
    expect(codes(ended)).toEqual([]);
  });

  it('while it waits is told as what it waited for, and not as the state before an installation', async () => {
    const ended = await settingUp(emptyCluster([]), {
      certManager: { manifest: await someManifest(), version: '' },
      binary: await someBinary(),
      maxOrders: 2,
    });
    expect(ended.error?.code).toBe('cluster-wait');
    expect(ended.error?.message).toContain('cert-manager');
    expect(ended.record.reached).toBe('cert-manager');
    expect(codes(ended)).not.toContain('platform-missing');
    for (const { remedy } of ended.record.findings) expect(remedy).not.toMatch(/run setup/);
  });

  it('for want of time is told so first, with its own way out, and what may be why behind it', async () => {
    const late = new AbortController();
    const next = 'raise `timeout`';
    const given = {
      certManager: { manifest: await someManifest(), version: '' },
      binary: await someBinary(),
      maxOrders: 2,
      patience: { certificates: 30_000, rollouts: 30_000 },
    };
    const api = emptyCluster([]);
    api.hooks.after = (_, { kind }) => {
      if (kind !== 'Deployment') return;
      setTimeout(() => late.abort(new McprtError('job-timeout', { what: 'it took too long', why: 'slow', next })), 50);
    };
    const ended = await settingUp(api, given, process.env, late.signal);
    expect(ended.error).toMatchObject({ code: 'job-timeout', message: 'it took too long' });
    expect(ended.error?.next.split('\n')[0]).toBe(next);
    for (const { remedy } of ended.record.findings) expect(remedy).not.toMatch(/run setup|setup installs/);
  });

  it('for a limit that its user has set has that as its only cause', async () => {
    const ended = await settingUp(withIssuer(), { binary: await someBinary() });
    expect(ended.error?.code).toBe('setup-orders');
    expect(codes(ended)).toEqual([]);
    expect(ended.writes).toEqual([]);
  });

  it('in the installer begins with that, and tells behind it what may be why', async () => {
    const binary = await someBinary('echo "ERROR requires MCP_REGISTRY_ENDPOINT"; exit 1');
    const ended = await settingUp(withIssuer(), { binary, maxOrders: 2 });
    const { error, record } = ended;
    expect(error?.code).toBe('setup-failed');
    expect(error?.message).toContain('the platform’s installer failed');
    expect(record.reached).toBe('installer');
    expect(record.likely?.code).toBe('installer-registry-mode');
    expect(error?.next.split('\n')).toEqual([
      'fix what the findings name, and run setup again: it continues from what is there',
      record.likely?.remedy,
    ]);
    expect(codes(ended)).not.toContain('platform-missing');
    // What the installer said stands there once.
    expect(error?.why.match(/requires MCP_REGISTRY_ENDPOINT/g)?.length).toBe(1);
  });

  it('in the installer for a reason that nobody knows is not told twice', async () => {
    const binary = await someBinary('echo "it does not work today"; exit 1');
    const { error, record } = await settingUp(withIssuer(), { binary, maxOrders: 2 });
    expect(error).toMatchObject({ code: 'setup-failed', why: 'it does not work today' });
    expect(record.likely).toBeUndefined();
    expect(record.findings.map(({ code }) => code)).toContain('installer-step');
  });
});
