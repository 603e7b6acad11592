import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { readKubeconfig } from './kubeconfig-text.js';

const folder = mkdtempSync(join(tmpdir(), 'mcprt-kubeconfig-'));
afterAll(() => rmSync(folder, { recursive: true }));

const token = 'not-a-shape-of-any-token';
const keyText = '-----BEGIN EC PRIVATE KEY-----\nabcdefghij\n';
const fields = {
  clusters: [
    { name: 'c', cluster: { server: 'https://u:s3cr3t-of-server@a:6443', 'proxy-url': 'http://p:s3cr3t-of-proxy@b' } },
  ],
  users: [
    {
      name: 'u',
      user: {
        token,
        password: 123456789,
        'client-key-data': Buffer.from(keyText).toString('base64'),
        'auth-provider': { config: { 'refresh-token': 'refresh-me' } },
      },
    },
  ],
};
const json = JSON.stringify(fields);

function read(source: string) {
  const told: string[] = [];
  const found = readKubeconfig(source, (secrets) => void told.push(...secrets));
  expect(found).toHaveLength(1);
  return { ...found[0], told: new Set(told) };
}

/** A file with this content. */
function file(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const utf16be = (text: string): Buffer => Buffer.from(text, 'utf16le').swap16();

describe('a kubeconfig', () => {
  it.each([
    ['its text', json],
    ['its text with a mark of byte order', `\ufeff${json}`],
    ['base64 of it', Buffer.from(json).toString('base64')],
    ['base64 in lines', Buffer.from(json).toString('base64').replace(/.{60}/g, '$&\n')],
    ['base64 for addresses', Buffer.from(json).toString('base64url')],
    ['base64 of UTF-16', Buffer.from(`\ufeff${json}`, 'utf16le').toString('base64')],
    ['YAML whose first line lost its indentation', `  clusters:\n    - name: c\n  users: []`.trim()],
    ['the same, indented by one blank', 'clusters:\n  - name: c\n users: []'],
    ['the same with an empty line in it', 'clusters:\n    - name: c\n\n  users: []'],
    ['YAML of users only', 'users: []'],
    ['YAML of clusters only', 'clusters: []'],
  ])('is read from %s, and has no path', (_, source) => {
    const { folder, fields: found } = read(source);
    expect(folder).toBeUndefined();
    expect(Array.isArray(found?.clusters) || Array.isArray(found?.users)).toBe(true);
  });

  it.each([
    ['text', json],
    ['base64', Buffer.from(json).toString('base64')],
    ['UTF-8 with a mark', `\ufeff${json}`],
    ['UTF-16, little end first', Buffer.from(`\ufeff${json}`, 'utf16le')],
    ['UTF-16, big end first', utf16be(`\ufeff${json}`)],
    ['UTF-16 with a byte too many', Buffer.concat([utf16be(`\ufeff${json}`), Buffer.from('x')])],
  ])('is read from a file of %s', (name, content) => {
    const path = file(name, content);
    expect(read(` ${path}\n`)).toMatchObject({ folder: dirname(path), fields });
  });

  it('tells a secret that looks like a word, wherever its line ends', () => {
    const told: string[] = [];
    readKubeconfig('users:\n- name: u\n  user:\n    password: >-\n      correcthorse\n', (more) => told.push(...more));
    expect(told).toContain('correcthorse');
  });

  it('is the first of several documents, and knows the words of YAML 1.1', () => {
    const { fields: found } = read(
      'clusters:\n- cluster: { insecure-skip-tls-verify: yes }\n---\nclusters: []\nusers: [}',
    );
    expect(found).toEqual({ clusters: [{ cluster: { 'insecure-skip-tls-verify': true } }] });
    expect(read('base: &b { server: s }\nclusters:\n- cluster: { <<: *b }').fields?.clusters).toEqual([
      { cluster: { server: 's' } },
    ]);
  });

  it('is a list of files as in KUBECONFIG, of which some may be missing', () => {
    const [one, two] = [file('one', json), file('two', 'contexts: []')];
    const found = readKubeconfig(`${folder}/none:${one}::${two}`, () => undefined);
    expect(found).toEqual([
      { fields, folder },
      { fields: { contexts: [] }, folder },
    ]);
    expect(() => readKubeconfig(`${one}:${file('broken', 'no kubeconfig')}`, () => undefined)).toThrow(
      expect.objectContaining({ code: 'kubeconfig-invalid' }),
    );
    expect(() => readKubeconfig(`${folder}/none:${folder}/neither`, () => undefined)).toThrow();
  });

  it('is found below the home of whoever runs', () => {
    file('at-home', json);
    expect(readKubeconfig('~/at-home', () => undefined, folder)).toEqual([{ fields, folder }]);
  });

  it('has its secrets told, whatever they look like, with what base64 holds', () => {
    for (const { told } of [read(json), read(Buffer.from(json).toString('base64')), read(file('told', json))]) {
      const packed = fields.users[0]?.user['client-key-data'];
      for (const secret of [token, '123456789', packed, keyText, 'refresh-me', 's3cr3t-of-server', 's3cr3t-of-proxy']) {
        expect(told).toContain(secret);
      }
      expect(told).not.toContain('u');
    }
  });

  it('has its secrets told also where base64 of it holds none that can be read', () => {
    const told: string[] = [];
    const packed = Buffer.from(`clusters: [\n  token: ${token}\n  # ${'x'.repeat(40)}`).toString('base64');
    expect(() => readKubeconfig(packed, (secrets) => void told.push(...secrets))).toThrow();
    expect(told).toContain(token);
  });

  it('tells base64 of bytes that are no text as it is', () => {
    const bytes = Buffer.from([0xff, 0xfe, ...Array.from({ length: 40 }, (_, index) => 128 + index)]).toString(
      'base64',
    );
    const { told } = read(
      JSON.stringify({ users: [{ user: { token: bytes } }, 'no record', { user: 3 }], clusters: 4 }),
    );
    expect([...told].filter((one) => one.includes('\ufffd'))).toEqual([]);
    expect(told).toContain(bytes);
  });

  it.each([
    ['nothing', ' \n', 'kubeconfig-missing', 'no kubeconfig was given'],
    [
      'a path of nothing',
      '/etc/rancher/none.yaml',
      'kubeconfig-missing',
      'there is no kubeconfig at /etc/rancher/none.yaml',
    ],
    ['broken YAML', 'clusters: [\nusers: }', 'kubeconfig-invalid', 'cannot be read'],
    ['YAML that says one thing twice', 'clusters: []\nclusters: []', 'kubeconfig-invalid', 'cannot be read'],
    ['other YAML', 'a: 1\nb: 2', 'kubeconfig-invalid', 'cannot be read'],
    ['lists of another type', 'clusters: 1\nusers: x', 'kubeconfig-invalid', 'cannot be read'],
    [
      'base64 of something else',
      Buffer.from('a: 1\nb: 2\n'.repeat(9)).toString('base64'),
      'kubeconfig-invalid',
      'cannot be read',
    ],
  ])('is refused: %s', (_, source, code, what) => {
    expect(() => read(source)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(what) }));
  });

  it('is refused as a file of something else, a folder, or one that is too large', () => {
    expect(() => read(file('other', 'a: 1'))).toThrow(expect.objectContaining({ code: 'kubeconfig-invalid' }));
    expect(() => read(folder)).toThrow(expect.objectContaining({ code: 'kubeconfig-missing' }));
    const most = 4 * 1024 * 1024;
    const padded = (length: number): string => json.padEnd(length);
    expect(read(file('most', padded(most)))).toMatchObject({ fields });
    expect(() => read(file('large', padded(most + 1)))).toThrow(
      expect.objectContaining({ why: expect.stringContaining(`${most + 1} bytes`) }),
    );
  });

  it.each([
    ['a longer path than any', `/${'a'.repeat(5_000)}`],
    ['base64 with more behind it', `${Buffer.from(json).toString('base64')}===`],
    ['a path with a zero in it', '/etc\0/x'],
  ])('is refused with a code: %s', (_, source) => {
    expect(() => read(source)).toThrow(expect.objectContaining({ code: expect.stringMatching(/^kubeconfig-/) }));
  });

  it('quotes nothing of what it could not read', () => {
    const damaged = `clusters: [\n  token: ${token}`;
    try {
      read(damaged);
    } catch (error) {
      expect(JSON.stringify(error) + String((error as Error).stack)).not.toContain(token);
    }
  });
});
