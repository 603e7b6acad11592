import { describe, expect, it } from '@jest/globals';
import { certificatePem, keyPem, newKey } from '../certificates/testing/fixtures.js';
import type { Role } from '../facts/roles.js';
import { asSecret, type LiveSecret } from '../facts/secrets.js';
import { asWritten, decide } from './decide.js';
import type { SnapshotObject } from './snapshot.js';

const now = new Date('2026-11-24T12:00:00Z');
const context = { now, certManager: 'v1.21.2', claimed: new Set(['a/a-tls']), managed: new Set<string>() };
const day = 24 * 3600_000;
const authority = newKey('P-256');
const keys = [newKey('P-256'), newKey('P-256')] as const;

interface Made {
  from?: number;
  key?: 0 | 1;
  serial?: string;
  issuer?: string;
  annotations?: Record<string, string>;
  extra?: Record<string, unknown>;
}

/** A TLS Secret whose certificate began `from` days ago and lives 90 days. */
function tls({
  from = 10,
  key = 0,
  serial = '0a',
  issuer = 'R11',
  annotations = { 'cert-manager.io/issuer-name': 'letsencrypt-prod' },
  extra = {},
}: Made = {}): LiveSecret {
  const notBefore = new Date(now.getTime() - from * day);
  const certificate = certificatePem({
    key: keys[key],
    dns: ['a.example.com'],
    serial: Buffer.from(serial, 'hex'),
    signer: { key: authority, name: [['2.5.4.3', issuer]] },
    notBefore,
    notAfter: new Date(notBefore.getTime() + 90 * day),
  });
  return asSecret({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'a-tls', namespace: 'a', annotations },
    type: 'kubernetes.io/tls',
    data: {
      'tls.crt': Buffer.from(certificate).toString('base64'),
      'tls.key': Buffer.from(keyPem(keys[key])).toString('base64'),
    },
    ...extra,
  });
}

const item = (object: LiveSecret, role: Role = 'tls'): SnapshotObject => ({ roles: [role], object });

describe('a namespace', () => {
  const named = (name: string, more: object = {}): LiveSecret =>
    asSecret({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, ...more } });

  it('that is being deleted is kept: the restore waits for it before it decides', () => {
    const leaving = named('a', { deletionTimestamp: '2026-11-24T11:00:00Z' });
    expect(decide(item(named('a'), 'namespace'), leaving, context).action).toBe('keep');
  });

  it('of a team is written without what makes it one', () => {
    const labels = { 'platform.mcpruntime.org/team': 'x', own: 'y' };
    const written = (name: string, role: Role): unknown =>
      asWritten(item(named(name, { labels }), role)).metadata.labels;
    expect(written('mcp-team-x', 'namespace')).toEqual({ own: 'y' });
    expect([written('web', 'namespace'), written('mcp-team-x', 'platform-secret')]).toEqual([labels, labels]);
  });
});

describe('decide about a TLS Secret', () => {
  const garbage = { data: { 'tls.crt': 'eA==', 'tls.key': 'eA==' } };
  it.each<[string, Made, Made | undefined, string]>([
    ['absent, a valid backup', {}, undefined, 'create'],
    ['absent, a backup past its renewal', { from: 80 }, undefined, 'create'],
    ['absent, an expired backup', { from: 91 }, undefined, 'skip'],
    ['absent, a backup that is no pair', { extra: garbage }, undefined, 'refuse'],
    ['the same certificate', {}, {}, 'keep'],
    ['the same certificate without annotations', {}, { annotations: {} }, 'replace'],
    ['a newer live certificate', {}, { from: 1, serial: '0b', key: 1 }, 'keep'],
    ['an older live certificate that is valid', { from: 1, serial: '0b' }, { key: 1 }, 'keep'],
    ['a live certificate that has expired', {}, { from: 100, serial: '0b', key: 1 }, 'replace'],
    ['live data that is no pair', {}, { extra: garbage }, 'replace'],
    ['a live staging certificate', {}, { from: 1, serial: '0b', issuer: '(STAGING) Riddling Rhubarb' }, 'replace'],
    ['live data that is no pair, of another type', {}, { extra: { ...garbage, type: 'Opaque' } }, 'refuse'],
    ['live data that is no pair, immutable', {}, { extra: { ...garbage, immutable: true } }, 'refuse'],
    [
      'the same certificate without annotations, immutable',
      {},
      { annotations: {}, extra: { immutable: true } },
      'refuse',
    ],
    ['an expired backup over a live certificate', { from: 91 }, { from: 1, serial: '0b' }, 'keep'],
  ])('%s', (_, backup, live, action) => {
    expect(decide(item(tls(backup)), live && tls(live), context)).toMatchObject({ action });
  });

  it.each<[string, Made]>([
    ['is not cert-manager’s and holds no pair', { annotations: {}, extra: { data: { password: 'eA==' } } }],
    ['is not cert-manager’s and has expired', { annotations: {}, from: 100, serial: '0b', key: 1 }],
  ])('takes the place of no Secret that %s', (_, live) => {
    const unclaimed = { ...context, claimed: new Set<string>() };
    const decision = decide(item(tls()), tls(live), unclaimed);
    expect(decision).toMatchObject({
      action: 'refuse',
      reason: expect.stringContaining('kubectl delete secret -n a a-tls'),
    });
    const labelled = tls({
      ...live,
      extra: {
        ...live.extra,
        metadata: { name: 'a-tls', namespace: 'a', labels: { 'controller.cert-manager.io/fao': 'true' } },
      },
    });
    expect(decide(item(tls()), labelled, unclaimed)).toMatchObject({ action: 'replace' });
  });

  it('goes over another Secret with the keys of a certificate alone', () => {
    const secret = tls({ extra: {} });
    const wide = { ...secret, data: { ...secret.data, ADMIN_API_KEYS: 'eA==' } };
    const written = asWritten({ roles: ['issuer-secret', 'tls'], object: wide }, 'replace');
    expect(Object.keys(written.data as object)).toEqual(['tls.crt', 'tls.key']);
  });

  it('is written with the label that the barrier relies on, and nothing else changed', () => {
    const secret = tls();
    const written = asWritten(item(secret));
    expect(written.metadata.labels).toEqual({ 'controller.cert-manager.io/fao': 'true' });
    expect({ ...written, metadata: { ...written.metadata, labels: undefined } }).toEqual({
      ...secret,
      metadata: { ...secret.metadata, labels: undefined },
    });
  });
});

describe('decide about other objects', () => {
  const secret = (data: Record<string, string>, extra: Record<string, unknown> = {}): LiveSecret =>
    asSecret({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'a' }, data, ...extra });

  it.each<[string, Role, LiveSecret | undefined, object]>([
    ['a missing account key is created', 'account-key', undefined, { action: 'create' }],
    ['another account key stays', 'account-key', secret({ k: 'Mg==' }), { action: 'keep' }],
    ['another CA key stays', 'ca-key', secret({ k: 'Mg==' }), { action: 'keep' }],
    ['a platform Secret keeps its live values', 'platform-secret', secret({ k: 'Mg==' }), { action: 'keep' }],
    [
      'a platform Secret gets the keys that it lacks',
      'platform-secret',
      secret({ other: 'Mg==' }),
      { action: 'add-keys', keys: ['k'] },
    ],
    [
      'an immutable platform Secret is left alone',
      'platform-secret',
      secret({ other: 'Mg==' }, { immutable: true }),
      { action: 'keep' },
    ],
    ['a namespace that is there stays', 'namespace', secret({}), { action: 'keep' }],
  ])('%s', (_, role, live, wanted) => {
    expect(decide(item(secret({ k: 'MQ==' }), role), live, context)).toMatchObject(wanted);
  });

  it('adds a key that is called like a member of every object', () => {
    const odd = item(secret({ constructor: 'MQ==' }), 'platform-secret');
    expect(decide(odd, secret({ k: 'Mg==' }), context)).toMatchObject({ action: 'add-keys', keys: ['constructor'] });
  });
});

describe('decide about a Secret that something else looks after', () => {
  const owner = (kind: string, apiVersion: string, controller = true) => ({
    ownerReferences: [{ apiVersion, kind, name: 'web', uid: 'u', controller }],
  });
  const live = (metadata: object, data: Record<string, string> = {}): LiveSecret =>
    asSecret({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'keys', namespace: 'a', ...metadata }, data });
  const saved = item(live({}, { A: 'YQ==' }), 'platform-secret');

  it('adds nothing that would be taken away again', () => {
    const external = live(owner('ExternalSecret', 'external-secrets.io/v1'));
    expect(decide(saved, external, context)).toEqual({ action: 'keep', reason: 'ExternalSecret web looks after it' });
    const owned = live(owner('Team', 'example.com/v1', false));
    expect(decide(saved, owned, context)).toMatchObject({ action: 'add-keys' });
  });

  it('puts no certificate in its place, but where cert-manager itself owns it', () => {
    const claims = { ...context, claimed: new Set(['a/keys']) };
    const certificate = item(tls({ extra: { metadata: { name: 'keys', namespace: 'a' } } }));
    const sealed = asSecret({
      ...live(owner('SealedSecret', 'bitnami.com/v1alpha1'), { 'tls.crt': 'eA==' }),
      type: 'kubernetes.io/tls',
    });
    expect(decide(certificate, sealed, claims)).toMatchObject({
      action: 'refuse',
      reason: expect.stringContaining('a Secret that SealedSecret web looks after is in its place'),
    });
    const own = asSecret({
      ...sealed,
      metadata: { ...sealed.metadata, ...owner('Certificate', 'cert-manager.io/v1') },
    });
    expect(decide(certificate, own, claims)).toMatchObject({ action: 'replace' });
  });
});

describe('decide about a Secret that is no certificate’s', () => {
  const opaque = (data: Record<string, string>, extra: Record<string, unknown> = {}): LiveSecret =>
    asSecret({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'keys', namespace: 'a' }, data, ...extra });
  const saved = { A: 'YQ==', B: 'Yg==' };

  it.each<[string, Role, LiveSecret | undefined, string, string[] | undefined, RegExp]>([
    ['that is not there', 'platform-secret', undefined, 'create', undefined, /not there/],
    ['that is the same', 'platform-secret', opaque(saved), 'keep', undefined, /the same/],
    ['that lacks a key', 'platform-secret', opaque({ A: 'eA==' }), 'add-keys', ['B'], /^1 of its keys/],
    [
      'that is immutable and lacks a key',
      'platform-secret',
      opaque({ A: 'YQ==' }, { immutable: true }),
      'keep',
      undefined,
      /immutable.*1.*: B$/,
    ],
    ['with another value', 'platform-secret', opaque({ A: 'eA==', B: 'Yg==' }), 'keep', undefined, /1 other values/],
    [
      'of the platform’s configuration that lacks a key',
      'platform-config',
      opaque({ B: 'Yg==' }),
      'add-keys',
      ['A'],
      /^1 of/,
    ],
    ['of an issuer, the same', 'issuer-secret', opaque(saved), 'keep', undefined, /the same/],
    [
      'of an issuer, with another value',
      'issuer-secret',
      opaque({ A: 'eA==', B: 'Yg==' }),
      'keep',
      undefined,
      /another one/,
    ],
    ['of an issuer, that lacks a key', 'issuer-secret', opaque({ A: 'YQ==' }), 'keep', undefined, /another one/],
    ['with more keys', 'platform-secret', opaque({ ...saved, C: 'Yw==' }), 'keep', undefined, /the same/],
  ])('%s', (_, role, live, action, keys, reason) => {
    const made = decide(item(opaque(saved), role), live, context);
    expect([made.action, made.keys]).toEqual([action, keys]);
    expect(made.reason).toMatch(reason);
  });
});
