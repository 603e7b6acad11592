import { describe, expect, it } from '@jest/globals';
import { issuerObject, planIssuers } from './issuers.js';
import { keySecret, recordOf, snapshotOf } from './testing/recorded.js';

const acme = { directory: 'https://127.0.0.1:1/dir', caBundle: 'eA==' };
const own = { issuerRef: { name: 'own-ca', kind: 'ClusterIssuer' }, acme: false };

describe('planIssuers', () => {
  it('plans each issuer once, with the key that the backup holds', () => {
    const records = [recordOf('a'), recordOf('b'), recordOf('c', own)];
    const objects = [
      keySecret('account-key', 'letsencrypt-staging-account-key'),
      keySecret('account-key', 'letsencrypt-prod-account-key'),
      keySecret('ca-key', 'own-ca'),
    ];
    expect(planIssuers(snapshotOf(records, objects))).toEqual([
      {
        name: 'letsencrypt-prod',
        kind: 'ClusterIssuer',
        stand: 'acme',
        secret: 'letsencrypt-prod-account-key',
        note: '',
      },
      { name: 'own-ca', kind: 'ClusterIssuer', stand: 'ca', secret: 'own-ca', note: '' },
    ]);
  });

  it('takes the only key of another name, and none of several', () => {
    const one = keySecret('account-key', 'acme');
    const secretIn = (objects: Parameters<typeof snapshotOf>[1]): string | undefined =>
      planIssuers(snapshotOf([recordOf('a')], objects))[0]?.secret;
    expect(secretIn([one])).toBe('acme');
    expect(secretIn([one, keySecret('account-key', 'other')])).toBeUndefined();
    expect(secretIn([keySecret('account-key', 'letsencrypt-prod', 'elsewhere')])).toBeUndefined();
  });

  it('looks for the key of an Issuer in its own namespace, and keeps Issuers of two namespaces apart', () => {
    const local = { issuerRef: { name: 'local' } };
    const there = { ...recordOf('b', local), metadata: { name: 'b', namespace: 'other' } };
    const plans = planIssuers(snapshotOf([recordOf('a', local), there], [keySecret('account-key', 'local', 'team')]));
    expect(plans.map(({ kind, namespace, secret }) => [kind, namespace, secret])).toEqual([
      ['Issuer', 'team', 'local'],
      ['Issuer', 'other', undefined],
    ]);
  });

  it('tells a key that the lab does not look for from one that is not there', () => {
    const noteOf = (record: Parameters<typeof snapshotOf>[0][number], objects: Parameters<typeof snapshotOf>[1]) =>
      planIssuers(snapshotOf([record], objects))[0]?.note;
    const elsewhere = keySecret('account-key', 'letsencrypt-prod', 'kube-secrets');
    expect(noteOf(recordOf('a'), [elsewhere])).toContain('yours are elsewhere');
    expect(noteOf(recordOf('a', own), [keySecret('ca-key', 'own-ca', 'kube-secrets')])).toContain(
      'yours are elsewhere',
    );
    expect(noteOf(recordOf('a'), [])).toContain('a new account would be made');
    // An Issuer looks nowhere but in its own namespace.
    expect(noteOf(recordOf('a', { issuerRef: { name: 'letsencrypt-prod' } }), [elsewhere])).toContain('would be made');
  });

  it('leaves out what the backup does not hold, and what is no issuer of cert-manager’s own', () => {
    const foreign = { issuerRef: { name: 'x', kind: 'AWSPCAIssuer', group: 'awspca.cert-manager.io' }, acme: false };
    const plans = planIssuers(snapshotOf([recordOf('a', own), recordOf('b', foreign)], []));
    expect(plans.map(({ stand, note }) => [stand, note])).toEqual([
      ['left-out', 'it is no ACME issuer, and no CA key of it is in the backup'],
      ['left-out', 'it is one of awspca.cert-manager.io, which the lab does not run'],
    ]);
  });
});

describe('issuerObject', () => {
  it('points an ACME issuer at the lab, with the restored account key', () => {
    const [plan] = planIssuers(snapshotOf([recordOf('a')], [keySecret('account-key', 'account')]));
    expect(plan && issuerObject(plan, acme)).toMatchObject({
      kind: 'ClusterIssuer',
      metadata: { name: 'letsencrypt-prod' },
      spec: { acme: { server: acme.directory, privateKeySecretRef: { name: 'account' } } },
    });
  });

  it('has a CA issuer sign with the restored CA, and makes none that is left out', () => {
    const plans = planIssuers(snapshotOf([recordOf('a', own)], [keySecret('ca-key', 'own-ca')]));
    expect(plans.map((plan) => issuerObject(plan, acme)?.spec)).toEqual([{ ca: { secretName: 'own-ca' } }]);
    expect(planIssuers(snapshotOf([recordOf('a', own)], [])).map((plan) => issuerObject(plan, acme))).toEqual([
      undefined,
    ]);
  });
});
