import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { makeCertificateAuthority, makeServerCertificate } from '../../lab/platform/certificate-authority.js';
import { McprtError } from '../errors.js';
import { linearIn } from '../testing/linear.js';
import { connectWithKubeconfig } from './connect.js';
import { loadCredentials } from './credentials.js';
import { readKubeconfig } from './kubeconfig-text.js';
import { kubeconfigOf, manglings } from './testing/mangled.js';

const secrets = {
  token: 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZG1pbiJ9.c2lnbmF0dXJlMDEyMzQ1',
  password: 'p%ss w0rd/@#9',
  key: `-----BEGIN PRIVATE KEY-----\n${'MC4CAQAwBQYDK2VwBCIEIJx0aGlzIGlzIG5vIGtleTAxMjM0\n'.repeat(4)}-----END PRIVATE KEY-----\n`,
};
const parts = [
  secrets.token,
  secrets.token.slice(22),
  secrets.password,
  encodeURIComponent(secrets.password),
  'MC4CAQAw',
];
const yaml = kubeconfigOf(secrets, '127.0.0.1:6443');

async function outcome(source: string): Promise<{ told: string[]; error: unknown; server?: string; token?: string }> {
  const told: string[] = [];
  try {
    const found = await loadCredentials(source, { trusted: false, onSecrets: (more) => told.push(...more) });
    return { told, error: undefined, server: found.server, token: String(found.headers.authorization) };
  } catch (error) {
    return { told, error };
  }
}

function textOf(error: unknown): string {
  if (!(error instanceof McprtError)) return `unexpected: ${String(error)}`;
  return [error.code, error.message, error.why, error.next, String(error.cause ?? '')].join('\n');
}

describe('a kubeconfig as it was given', () => {
  for (const { name, isGood, of } of manglings) {
    it(`${isGood ? 'is read' : 'is refused with a code'}, and never quoted: ${name}`, async () => {
      const { told, error, server, token } = await outcome(of(yaml));
      if (isGood) {
        expect(error).toBeUndefined();
        expect({ server, token }).toEqual({ server: 'https://127.0.0.1:6443', token: `Bearer ${secrets.token}` });
        expect(told).toEqual(expect.arrayContaining([secrets.token, secrets.password]));
      } else {
        expect(textOf(error)).toMatch(/^kubeconfig-(?:invalid|missing)\n/);
      }
      for (const part of parts) expect(textOf(error)).not.toContain(part);
    });
  }

  it('is masked before it is known to be one', () => {
    for (const source of [yaml.replaceAll('\n', ' '), secrets.token, JSON.stringify(yaml), `${yaml}\n\t- [`]) {
      const told: string[] = [];
      expect(() => readKubeconfig(source, (more) => told.push(...more))).toThrow();
      expect(told.join('\n')).toContain(secrets.token);
    }
  });

  it('is shown as a path only where it is one', async () => {
    expect(textOf((await outcome('/no/such/kubeconfig.yaml')).error)).toContain('at /no/such/kubeconfig.yaml');
    for (const text of [
      'abcde',
      'hunter2hunter2',
      's3cret/with/slash',
      `/tmp/${'x'.repeat(400)}`,
      '/tmp/a1b2c3d4e5f6a7b8c9d0',
    ]) {
      expect(textOf((await outcome(text)).error)).not.toContain(text);
    }
  });

  it('takes time in proportion to its length', async () => {
    const look = (text: string): void => {
      try {
        readKubeconfig(text, () => undefined);
      } catch {
        // what it is does not matter here
      }
    };
    for (const piece of ['a: ', 'token=', '://', '- [', ' \n', '"x" ', '[', '&a [*a,*a] ', 'AAAA']) {
      expect(await linearIn((n) => look(piece.repeat(n)), 2_000)).toBe(true);
    }
  });
});

describe('a kubeconfig in a file', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mcprt-kubeconfig-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('is read in the encodings that editors and shells write', async () => {
    const swapped = Buffer.from(`\ufeff${yaml}`, 'utf16le').swap16();
    const forms = [Buffer.from(yaml), Buffer.from(`\ufeff${yaml}`), Buffer.from(`\ufeff${yaml}`, 'utf16le'), swapped];
    for (const bytes of forms) {
      const path = join(folder, 'config');
      await writeFile(path, bytes);
      const { error, token } = await outcome(path);
      expect(error).toBeUndefined();
      expect(token).toBe(`Bearer ${secrets.token}`);
    }
  });

  it('is not quoted where it is none', async () => {
    const path = join(folder, 'broken');
    await writeFile(path, yaml.replace('users:', 'users: [}'));
    const { error, told } = await outcome(path);
    expect(textOf(error)).toMatch(/^kubeconfig-invalid\n/);
    expect(told).toContain(secrets.token);
    for (const part of parts) expect(textOf(error)).not.toContain(part);
  });
});

describe('what a kubeconfig asks for', () => {
  const loaded = (source: string, trusted = false): ReturnType<typeof loadCredentials> =>
    loadCredentials(source, { trusted });
  const untrusted = (why: RegExp): object => ({ code: 'kubeconfig-untrusted', why: expect.stringMatching(why) });

  it('is a check of the server’s certificate, unless it is trusted to leave that out', async () => {
    const unchecked = yaml.replace('verify: false', 'verify: true');
    await expect(loaded(unchecked)).rejects.toMatchObject(untrusted(/insecure-skip-tls-verify/));
    expect((await loaded(unchecked, true)).tls).toEqual({ rejectUnauthorized: false });
    expect((await loaded(yaml, true)).tls).toEqual({});
  });

  it('is no program, unless it is trusted to start one', async () => {
    const exec =
      'exec: { apiVersion: client.authentication.k8s.io/v1, command: no-such-program, interactiveMode: Never }';
    const starting = yaml.replace(/token: .*/, exec);
    await expect(loaded(starting)).rejects.toMatchObject(untrusted(/exec plugins/));
    await expect(loaded(starting, true)).rejects.toMatchObject({
      code: 'kubeconfig-invalid',
      why: expect.stringContaining('its plugin failed'),
    });
    await expect(loaded(yaml.replace(/token: .*/, 'auth-provider: { name: gcp }'))).rejects.toMatchObject(
      untrusted(/auth providers/),
    );
  });

  it('is what its program says, where it is trusted', async () => {
    const ca = await makeCertificateAuthority();
    const { certificate: clientCertificateData, key: clientKeyData } = await makeServerCertificate(['u'], ca);
    const said = (status: object): string =>
      JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status });
    const asking = (status: object): string =>
      yaml.replace(
        /token: .*/,
        `exec: ${JSON.stringify({
          apiVersion: 'client.authentication.k8s.io/v1',
          command: process.execPath,
          args: ['-e', `console.log(${JSON.stringify(said(status))})`],
          interactiveMode: 'Never',
        })}`,
      );
    const expirationTimestamp = '2099-01-01T00:00:00Z';
    expect((await loaded(asking({ token: 'of-the-program', expirationTimestamp }), true)).headers.authorization).toBe(
      'Bearer of-the-program',
    );
    const pair = await loaded(asking({ clientCertificateData, clientKeyData, expirationTimestamp }), true);
    expect([String(pair.tls.cert), String(pair.tls.key)]).toEqual([clientCertificateData, clientKeyData]);
    expect(pair.secrets).toContain(clientKeyData);
  });

  it('is no program for a command on somebody’s own machine either', async () => {
    const exec = 'exec: { apiVersion: client.authentication.k8s.io/v1, command: none, interactiveMode: Never }';
    await expect(connectWithKubeconfig(yaml.replace(/token: .*/, exec))).rejects.toMatchObject(untrusted(/exec/));
    const { cluster, credentials } = await connectWithKubeconfig(yaml);
    expect(credentials.server).toBe('https://127.0.0.1:6443');
    await cluster.close();
  });

  it('is a file that must be there, and the reason is kept', async () => {
    const error: unknown = await loaded(yaml.replace(/token: .*/, 'client-key: /no/such/key.pem')).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({
      code: 'kubeconfig-invalid',
      message: expect.stringContaining('"main"'),
      cause: { code: 'ENOENT' },
    });
  });

  it('is an https server', async () => {
    await expect(loaded(yaml.replace(/server: https/, 'server: http'))).rejects.toMatchObject(
      untrusted(/in the clear/),
    );
  });

  it('is a context that there is', async () => {
    for (const [from, to] of [
      ['current-context: main', 'current-context: nowhere'],
      ['    cluster: main', '    cluster: nowhere'],
      ['    user: main', '    user: nowhere'],
    ] as const) {
      await expect(loaded(yaml.replace(from, to))).rejects.toMatchObject({
        code: 'kubeconfig-invalid',
        message: expect.stringContaining('no usable current context'),
      });
    }
  });

  it('is kept: where the server is, its name in the certificate, the proxy', async () => {
    const more = '    tls-server-name: api.example.com\n    proxy-url: http://u:s3cr3t-of-proxy@p.example:3128\n';
    const found = await loaded(yaml.replace(/ {4}insecure.*\n/, more).replace(':6443', ':6443/k8s/clusters/c-1/'));
    expect(found).toMatchObject({
      server: 'https://127.0.0.1:6443/k8s/clusters/c-1',
      context: 'main',
      tls: { servername: 'api.example.com' },
      proxyUrl: 'http://u:s3cr3t-of-proxy@p.example:3128',
    });
    expect(await loaded(yaml)).not.toHaveProperty('proxyUrl');
    await expect(loaded(yaml.replace(/ {4}insecure.*\n/, more.replace('http:', 'socks5:')))).rejects.toMatchObject({
      code: 'kubeconfig-invalid',
      why: expect.stringContaining('proxy-url'),
    });
  });

  it('is a token of a file, unless it has one itself', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mcprt-token-'));
    try {
      const path = join(folder, 'token');
      await writeFile(path, 'from-the-file\n');
      const both = yaml.replace('    token:', `    tokenFile: ${path}\n    token:`);
      // Without a user in the address, which would be one in place of a token.
      const ofFile = both.replace(/ {4}token: .*\n/, '').replace(/\/\/admin:.*@/, '//');
      const { tokens, headers } = await loaded(ofFile);
      expect([await tokens?.current(), headers.authorization]).toEqual(['from-the-file', undefined]);
      expect(await loaded(both)).not.toHaveProperty('tokens');
      for (const none of ['""', '5']) {
        const without = ofFile.replace(/tokenFile: .*/, `tokenFile: ${none}`);
        expect(await loaded(without)).not.toHaveProperty('tokens');
      }
      // Of another user.
      const other = `${yaml.replace(/ {4}token: .*\n/, '    username: ""\n').replace(/\/\/admin:.*@/, '//')}    tokenFile: ${path}\n`;
      expect(await loaded(other)).not.toHaveProperty('tokens');
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('has each secret told in the form in which it is sent, and in which it is written', async () => {
    const told = async (source: string): Promise<string[]> => (await loaded(source)).secrets.sort();
    const addressed = [encodeURIComponent(secrets.password), secrets.password];
    expect(await told(yaml)).toEqual([...addressed, `Bearer ${secrets.token}`, secrets.token, secrets.token].sort());
    const basic = Buffer.from('u:pw').toString('base64');
    const named = yaml.replace(/token: .*/, 'username: u\n    password: pw');
    expect((await loaded(named)).headers).toEqual({ authorization: `Basic ${basic}` });
    expect(await told(named)).toEqual([...addressed, `Basic ${basic}`, basic, 'pw'].sort());
    const proxied = named.replace(/ {4}insecure.*\n/, '    proxy-url: http://u:s3cr3t-of-proxy@p.example\n');
    expect(await told(proxied)).toEqual(expect.arrayContaining(['s3cr3t-of-proxy']));
  });

  it('has its client key told as text and as it is written', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const packed = Buffer.from(key).toString('base64');
    const found = await loaded(yaml.replace(/token: .*/, `client-key-data: ${packed}`));
    expect(found.secrets).toEqual(expect.arrayContaining([key, packed]));
    expect(String(found.tls.key)).toBe(key);
  });

  it('may be a file beside the kubeconfig', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mcprt-beside-'));
    try {
      const ca = await makeCertificateAuthority();
      await writeFile(join(folder, 'ca.crt'), ca.certificate);
      await writeFile(join(folder, 'config'), yaml.replace(/insecure.*/, 'certificate-authority: ca.crt'));
      expect(String((await loaded(join(folder, 'config'))).tls.ca)).toBe(ca.certificate);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('what a kubeconfig says', () => {
  const withToken = (token: string): string => yaml.replace(/token: .*/, `token: ${token}`);

  it('is sent without the line end that came along', async () => {
    expect((await outcome(withToken(JSON.stringify(`${secrets.token}\n`)))).token).toBe(`Bearer ${secrets.token}`);
    expect((await outcome(withToken(JSON.stringify(`${secrets.token}\r\n \t`)))).token).toBe(`Bearer ${secrets.token}`);
  });

  it('is refused where no header can have it', async () => {
    for (const token of ['töken-0123456789', 'abc\ndef-012345', 'a b-0123456789', 'abc\u200bdef', '\u0000abcdef']) {
      const { error } = await outcome(withToken(JSON.stringify(token)));
      expect(textOf(error)).toMatch(/^kubeconfig-invalid\n/);
      expect(textOf(error)).not.toContain(token);
    }
  });

  it('is refused where an address, a key or a name is none, without a word of it', async () => {
    const broken = [
      yaml.replace(/server: .*/, `server: ${secrets.token}`),
      yaml.replace(/server: .*/, `server: http://u:${encodeURIComponent(secrets.password)}@h.example`),
      yaml.replace(/ {4}insecure.*/, `    proxy-url: socks5://u:${encodeURIComponent(secrets.password)}@h.example`),
      yaml.replace(/ {4}insecure.*/, `    proxy-url: ${secrets.token}`),
      yaml.replace(/token: .*/, `client-key-data: ${Buffer.from('no key').toString('base64')}`),
      yaml.replace(/- name: main\n {2}user/, '- user'),
    ];
    for (const source of broken) {
      const { error } = await outcome(source);
      expect(textOf(error)).toMatch(/^kubeconfig-(?:invalid|untrusted)\n/);
      for (const part of parts) expect(textOf(error)).not.toContain(part);
    }
  });

  it('has the user of its address for one that has no other', async () => {
    const { token, server } = await outcome(yaml.replace(/ {4}token: .*\n/, '    username: ""\n'));
    expect(server).toBe('https://127.0.0.1:6443');
    expect(token).toBe(`Basic ${Buffer.from(`admin:${secrets.password}`).toString('base64')}`);
  });
});
