import { describe, expect, it } from '@jest/globals';
import { objectOf } from '../cluster/cluster.js';
import { kinds } from '../cluster/objects.js';
import { observation } from '../facts/testing/observation.js';
import { limits } from './limits.js';
import { rehearse, requireArchiveSize } from './rehearse.js';
import type { Snapshot } from './snapshot.js';
import { type BackupContext, schema } from './statement.js';
import { certificate, namespace, opaque, scene, secretOf } from './testing/scene.js';

const context = { schema, certManager: 'v1.21.2', recipients: ['r'] } as unknown as BackupContext;
const empty: Snapshot = { objects: [], certificates: [], ledger: [] };

describe('rehearse', () => {
  it('accepts what a restore accepts', () => {
    const own = certificate('registry', 'own');
    const objects = [
      { roles: ['namespace'] as const, object: namespace('registry') },
      { roles: ['tls'] as const, object: secretOf(own) },
    ].map(({ roles, object }) => ({
      roles,
      object: JSON.parse(
        JSON.stringify({
          ...object,
          metadata: { ...object.metadata, ...(object.kind === 'Namespace' ? { labels: undefined } : {}) },
        }),
      ),
    }));
    const certificates = [
      { metadata: { name: 'own', namespace: 'registry' }, spec: own.spec, origin: 'explicit' as const, acme: true },
    ];
    expect(() => rehearse({ objects, certificates, ledger: [] }, context, observation())).not.toThrow();
  });

  it('refuses what a restore would not read, would not write, or would order', () => {
    const refused = (snapshot: Partial<Snapshot>): unknown => {
      try {
        return rehearse({ ...empty, ...snapshot }, context, observation());
      } catch (error) {
        return error;
      }
    };
    const token = opaque('a', 'b', {}, 'kubernetes.io/service-account-token');
    const pair = opaque('registry', 'own-tls', { 'tls.crt': 'x', 'tls.key': 'y' });
    const more = opaque('registry', 'own-tls', { other: 'x' });
    for (const [roles, object] of [
      [['issuer-secret'], token],
      [['tls'], pair],
      [['tls'], more],
      [['tls'], objectOf(kinds.secret, { metadata: { name: 'Capital', namespace: 'a' }, type: 'Opaque' })],
    ] as const) {
      expect(refused({ objects: [{ roles, object }] })).toMatchObject({ code: 'backup-unrestorable' });
    }
  });

  it('has the limits of whoever reads', () => {
    const object = opaque('a', 'b', {});
    const many = Array.from({ length: limits.objects + 1 }, () => ({ roles: ['issuer-secret'] as const, object }));
    expect(() => rehearse({ ...empty, objects: many }, context, observation())).toThrow(
      'the cluster holds more than one backup can',
    );
    expect(() => requireArchiveSize(limits.archiveBytes)).not.toThrow();
    expect(() => requireArchiveSize(limits.archiveBytes + 1)).toThrow('the cluster holds more than one backup can');
  });

  it('comes before anything is stored', async () => {
    const own = certificate('registry', 'own', {
      dnsNames: Array.from({ length: 3 }, (_, index) => `n${index}.example.com`),
    });
    const { backUp, names, api } = await scene('running', [own, secretOf(own)]);
    // A name that the API server of another world would take, and no reader does.
    api.put(objectOf(kinds.namespace, { metadata: { name: 'Registry' } }));
    const odd = certificate('Registry', 'odd');
    api.put(odd);
    api.put(secretOf(odd));
    await expect(backUp()).rejects.toMatchObject({ code: 'backup-unrestorable' });
    expect(names()).toEqual([]);
  });
});
