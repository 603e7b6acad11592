import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { stringify } from 'yaml';
import { type ConnectionInputs, connectionTypes, openConnection } from './connection.js';

const nothing: ConnectionInputs = {
  kubeconfig: '',
  context: '',
  'kubeconfig-trusted': false,
  server: '',
  'certificate-authority': '',
  audience: '',
};
const day = 24 * 3600;
let folder = '';
let said = '';
const summary = process.env.GITHUB_STEP_SUMMARY;

// The toolkit keeps the path of the summary.
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcprt-connection-'));
  process.env.GITHUB_STEP_SUMMARY = join(folder, 'summary.md');
});

beforeEach(async () => {
  await writeFile(join(folder, 'summary.md'), '');
  said = '';
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    said += String(text);
    return true;
  });
});

afterEach(() => {
  jest.restoreAllMocks();
});

afterAll(async () => {
  if (summary === undefined) delete process.env.GITHUB_STEP_SUMMARY;
  else process.env.GITHUB_STEP_SUMMARY = summary;
  await rm(folder, { recursive: true });
});

function kubeconfigWith(token: string, name = 'stored'): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server: `https://${name}.example.com` } }],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  });
}

/** @param life in s; 90 days as `init` makes them */
function jwt(secondsLeft: number, life = 90 * day): string {
  const exp = Math.floor(Date.now() / 1000) + secondsLeft;
  return `e30.${Buffer.from(JSON.stringify({ exp, iat: exp - life })).toString('base64url')}.signature`;
}

async function open(
  inputs: Partial<ConnectionInputs>,
  { env = {}, profile, quiet }: { env?: NodeJS.ProcessEnv; profile?: string; quiet?: boolean } = {},
) {
  const { cluster, credentials } = await openConnection(
    { ...nothing, ...inputs },
    { env, mask: () => undefined, profile, ...(quiet === undefined ? {} : { quiet }) },
  );
  await cluster.close();
  return credentials;
}

describe('the way to the cluster', () => {
  const server = 'https://k3s.example.com:6443';

  it('is the kubeconfig that is given, whatever else is', async () => {
    const found = await open({ kubeconfig: kubeconfigWith('secret-token'), server });
    expect(found.server).toBe('https://stored.example.com');
    expect(found.tokens).toBeUndefined();
  });

  it('is the job’s identity where a server is given, before the kubeconfig of profile or environment', async () => {
    const other = kubeconfigWith('secret-token', 'other');
    const found = await open({ server }, { env: { KUBECONFIG: other }, profile: other });
    expect(found).toMatchObject({ server, secrets: [], headers: {}, tls: {} });
    await expect(found.tokens?.current()).rejects.toMatchObject({ code: 'identity-unavailable' });
  });

  it('is the kubeconfig of the profile, then that of the environment', async () => {
    const [profile, env] = [kubeconfigWith('one-token', 'profile'), kubeconfigWith('two-token', 'environment')];
    expect((await open({}, { env: { KUBECONFIG: env }, profile })).context).toBe('profile');
    expect((await open({}, { env: { KUBECONFIG: env } })).context).toBe('environment');
  });

  it.each([{ audience: 'x' }, { 'certificate-authority': 'x' }])('wants a server for %p', async (inputs) => {
    await expect(open(inputs)).rejects.toMatchObject({ code: 'input-invalid' });
  });
});

describe('the address of a server', () => {
  it.each([
    ['https://k3s.example.com:6443/', 'https://k3s.example.com:6443'],
    ['https://[fd00::1]:6443', 'https://[fd00::1]:6443'],
    ['https://rancher.example.com/k8s/clusters/c-1', 'https://rancher.example.com/k8s/clusters/c-1'],
    ['', ''],
  ])('%s', (given, expected) => {
    expect(connectionTypes.server.parse(given)).toBe(expected);
  });

  it.each([
    'http://k3s.example.com',
    'k3s.example.com:6443',
    'https://me:secret@k3s.example.com',
    'https://a/?b=c',
    'https://a/?',
  ])('%s is none', (given) => {
    expect(() => connectionTypes.server.parse(given)).toThrow();
  });
});

describe('a kubeconfig whose token ends', () => {
  const told = async (): Promise<string> => said + (await readFile(join(folder, 'summary.md'), 'utf8'));

  it('is told in the last fortnight, in log and summary', async () => {
    await open({ kubeconfig: kubeconfigWith(jwt(13 * day)) });
    expect(said).toContain('::warning');
    expect(await readFile(join(folder, 'summary.md'), 'utf8')).toContain('ends on');
    expect(await told()).toContain('init --renew');
  });

  it('is told when it has ended', async () => {
    await open({ kubeconfig: kubeconfigWith(jwt(-day)) });
    expect(await told()).toContain('ended on');
  });

  it.each([
    ['has time', { kubeconfig: () => kubeconfigWith(jwt(15 * day)) }, {}],
    ['lives for a day only', { kubeconfig: () => kubeconfigWith(jwt(3600, day)) }, {}],
    ['has a token without end', { kubeconfig: () => kubeconfigWith('opaque-token') }, {}],
    ['is told by another step', { kubeconfig: () => kubeconfigWith(jwt(day)) }, { quiet: true }],
  ])('says nothing while it %s', async (_, { kubeconfig }, options) => {
    await open({ kubeconfig: kubeconfig() }, options);
    expect(await told()).toBe('');
  });
});
