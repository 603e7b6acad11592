import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { McprtError } from '../errors.js';
import { linearIn } from '../testing/linear.js';
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
