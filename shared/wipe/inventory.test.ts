import { describe, expect, it } from '@jest/globals';
import { covered } from '../backup/role-rules.js';
import type { LiveInventory } from '../facts/read-inventory.js';
import type { Reference } from '../facts/roles.js';
import type { LiveSecret } from '../facts/secrets.js';
import { observation } from '../facts/testing/observation.js';
import { unproven, versionsOf } from './inventory.js';

const secret = (name: string, data: Record<string, string>, metadata = {}): LiveSecret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'registry', uid: `uid-${name}`, resourceVersion: '7', ...metadata },
  type: 'Opaque',
  data,
});
const reference = (name: string, required = true): Reference => ({
  roles: ['issuer-secret'],
  namespace: 'registry',
  name,
  referrers: [{ kind: 'Certificate', namespace: 'registry', name: 'c', isOurs: true }],
  required,
});
const live = (references: Reference[], ...secrets: LiveSecret[]): LiveInventory => ({
  references,
  secrets: new Map(secrets.map((one) => [`registry/${one.metadata.name}`, one])),
  config: undefined,
});
const seen = observation();
const role = ['issuer-secret'] as const;
const saved = {
  objects: [{ roles: role, object: covered({ roles: role, object: secret('a', { key: 'YQ==' }) }).object }],
};

describe('unproven', () => {
  it('is empty when the snapshot is what is live, whatever only the cluster knows of it', () => {
    const present = live([reference('a')], secret('a', { key: 'YQ==' }, { resourceVersion: '99' }));
    expect(unproven(saved, seen, present, [])).toEqual([]);
  });

  it('asks for no namespace: what is in one is asked for', () => {
    const namespaces = [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'registry', uid: 'u' } }];
    const present = live([reference('a')], secret('a', { key: 'YQ==' }));
    expect(unproven(saved, observation({ namespaces }), present, [])).toEqual([]);
  });

  it('names what is new and what was changed', () => {
    const present = live([reference('a'), reference('b')], secret('a', { key: 'Yg==' }), secret('b', {}));
    expect(unproven(saved, seen, present, [])).toEqual([
      'Secret registry/a was changed since it was backed up',
      'Secret registry/b is not in the backup',
    ]);
  });

  it('names what is needed and was never there, unless that is accepted', () => {
    const present = live([reference('b'), reference('c', false)], secret('a', { key: 'YQ==' }));
    expect(unproven(saved, seen, present, [])).toEqual([
      'Secret registry/b does not exist yet, and Certificate registry/c needs it',
    ]);
    expect(unproven(saved, seen, present, [{ rule: 'secret-missing' }])).toEqual([]);
    expect(unproven(saved, seen, present, [{ rule: 'secret-missing', object: 'registry/c' }])).toEqual([]);
  });

  it('asks for what one of ours needs, among others', () => {
    const [of] = reference('b').referrers;
    const shared = {
      ...reference('b'),
      referrers: [
        { ...of, name: 'theirs', isOurs: false },
        { ...of, isOurs: true },
      ] as never,
    };
    const theirs = { ...reference('d'), referrers: [{ ...of, isOurs: false }] as never };
    const present = live([shared, theirs], secret('a', { key: 'YQ==' }));
    expect(unproven(saved, seen, present, [])).toEqual([
      expect.stringMatching(/^Secret registry\/b does not exist yet/),
    ]);
  });

  it('accepts that something of the backup is gone: it is saved', () => {
    expect(unproven(saved, seen, live([reference('a')]), [])).toEqual([]);
  });
});

describe('versionsOf', () => {
  const leaving = { deletionTimestamp: '2026-01-01T00:00:00Z' };
  const namespace = (metadata: object): { namespaces: LiveSecret[] } => ({
    namespaces: [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'registry', ...metadata } }],
  });

  it('passes over what is on its way out, by itself or with its namespace', () => {
    const present = live([], secret('a', {}), secret('b', {}, leaving));
    expect([...versionsOf(present, namespace({}))]).toEqual([['registry/a', '7']]);
    expect([...versionsOf(present, namespace(leaving))]).toEqual([]);
  });
});
