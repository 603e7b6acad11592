import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '../cluster/objects.js';
import type { LedgerEntry } from '../facts/anchor.js';
import type { Role } from '../facts/roles.js';
import { decodeSnapshot, encodeSnapshot, mergedLedger, type Snapshot } from './snapshot.js';
import type { BackupContext } from './statement.js';

const context = { generation: 1 } as unknown as BackupContext;
const account = (name = 'account'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { namespace: 'cert-manager', name },
  type: 'Opaque',
  data: { 'tls.key': 'a2V5' },
});
const item = (object: KubeObject, ...roles: Role[]) => ({ roles, object });
const sound: Snapshot = {
  objects: [
    item({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'blog' } }, 'namespace'),
    item(account(), 'account-key'),
  ],
  certificates: [
    {
      metadata: { namespace: 'blog', name: 'web' },
      spec: { secretName: 's', issuerRef: { name: 'le' }, dnsNames: ['a.example.com'] },
      origin: 'shim',
      acme: true,
      accepted: 'would-reissue',
    },
  ],
  ledger: [{ identifiers: ['a'], serial: '1', at: '2026-11-24T12:00:00Z' }],
};

/** The document with something else at a place in it; nothing there where no value is given. */
function changed(path: string, value?: unknown): Buffer {
  const document: unknown = JSON.parse(encodeSnapshot(sound, context).toString('utf8'));
  const steps = path.split(' ');
  const last = steps.pop() ?? '';
  const holder = steps.reduce<unknown>((found, step) => (found as Record<string, unknown>)[step], document);
  Object.assign(holder as object, { [last]: value });
  return Buffer.from(JSON.stringify(document));
}
const codeOf = (plain: Buffer): string => {
  try {
    decodeSnapshot(plain);
    return 'none';
  } catch (error) {
    const { code, why, message } = error as { code: string; why: string; message: string };
    return `${code}: ${message}: ${why}`;
  }
};

describe('the content of a backup', () => {
  it('is a List that kubectl takes, and comes back as it was', () => {
    const plain = encodeSnapshot(sound, context);
    expect(JSON.parse(plain.toString('utf8'))).toMatchObject({
      apiVersion: 'v1',
      kind: 'List',
      manifest: { context, roles: ['namespace', 'account-key'] },
      items: [{ kind: 'Namespace' }, { kind: 'Secret' }],
    });
    expect(decodeSnapshot(plain)).toEqual({ snapshot: sound, context });
  });

  it('has one role as a word, and several as a list, in their order', () => {
    const both = { ...sound, objects: [item(account(), 'issuer-secret', 'account-key')] };
    const plain = encodeSnapshot(both, context);
    expect(JSON.parse(plain.toString('utf8')).manifest.roles).toEqual([['issuer-secret', 'account-key']]);
    expect(decodeSnapshot(plain).snapshot.objects[0]?.roles).toEqual(['account-key', 'issuer-secret']);
  });

  it.each<[string, string, string, unknown]>([
    ['no list', 'backup-malformed', 'kind', 'Secret'],
    ['of another version', 'backup-malformed', 'apiVersion', 'v2'],
    ['with a member more', 'backup-malformed', 'more', 1],
    ['without a role', 'another number of objects', 'manifest roles', ['namespace']],
    ['with a role that nobody knows', 'manifest.roles', 'manifest roles 0', 'owner'],
    ['with no role in a list', 'manifest.roles', 'manifest roles 0', []],
    ['with an object of another kind', 'object of kind Pod (v1)', 'items 0 kind', 'Pod'],
    ['with an object of another group', 'apps/v1', 'items 0 apiVersion', 'apps/v1'],
    ['with a name that is a path', 'items.1.metadata.name', 'items 1 metadata name', '../x'],
    ['with a namespace that is a path', 'metadata.namespace', 'items 1 metadata namespace', 'a/b'],
    ['with an owner', 'items.1.metadata', 'items 1 metadata ownerReferences', []],
    ['with a key that is a path', 'items.1.data', 'items 1 data', { '../a': 'YQ==' }],
    ['with a value that is no base64', 'is not base64', 'items 1 data tls.key', '%'],
    ['with a token of an account', 'forbidden-object', 'items 1 type', 'kubernetes.io/service-account-token'],
    ['with a Certificate of no maker', 'manifest.certificates', 'manifest certificates 0 origin', 'x'],
    ['with a Certificate without a Secret', 'spec', 'manifest certificates 0 spec secretName', undefined],
    ['with a rule that nobody knows', 'accepted', 'manifest certificates 0 accepted', 'x'],
    ['with an issuance at no time', 'ledger', 'manifest ledger 0 at', 'yesterday'],
  ])('is refused: %s', (_, says, path, value) => {
    expect(codeOf(changed(path, value))).toContain(says);
    expect(codeOf(changed(path, value))).toMatch(/^backup-(?:malformed|forbidden-object): /);
  });

  it('is refused with an object twice', () => {
    const twice = { ...sound, objects: [...sound.objects, item(account(), 'account-key')] };
    expect(codeOf(encodeSnapshot(twice, context))).toContain('it is there twice');
  });

  it('is refused without a word of it where it is no JSON', () => {
    expect(codeOf(Buffer.from('{"secret-value": '))).toMatch(/^backup-malformed: .*: its content is not JSON$/);
  });
});

describe('the ledger', () => {
  const entry = (serial: string, at: string): LedgerEntry => ({ identifiers: ['a'], serial, at });
  const now = new Date('2026-11-24T12:00:00Z');

  it('remembers two weeks, each certificate once, the oldest first', () => {
    const edge = new Date(now.getTime() - 14 * 24 * 3600_000);
    const within = new Date(edge.getTime() + 1).toISOString();
    const merged = mergedLedger(
      [
        entry('4', '2026-11-23T00:00:00Z'),
        entry('3', '2026-11-23T00:00:00Z'),
        entry('2', '2026-11-24T00:00:00Z'),
        entry('2', '2026-11-24T00:00:00Z'),
        entry('1', within),
        entry('0', edge.toISOString()),
      ],
      now,
    );
    expect(merged.map(({ serial }) => serial)).toEqual(['1', '3', '4', '2']);
  });
});
