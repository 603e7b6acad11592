import { describe, expect, it } from '@jest/globals';
import { keyOf } from '../../shared/cluster/objects.js';
import { planIssuers } from './issuers.js';
import { type Evidence, judge } from './judge.js';
import type { Sighting } from './sightings.js';
import { keySecret, recordOf, snapshotOf, tlsSecretOf } from './testing/recorded.js';

const ready: Sighting = {
  issuing: undefined,
  isIssuing: false,
  ready: { status: 'True', reason: 'Ready', message: 'Certificate is up to date and has not expired' },
  readyAt: 1,
};
const notReady = (reason: string): Sighting => ({
  ...ready,
  ready: { status: 'False', reason, message: `${reason} it is` },
  readyAt: undefined,
});
const issued = (reason: string, message: string): Sighting => ({ ...ready, issuing: { reason, message } });
const kept = { namespace: 'team', name: 'a', verdict: 'keep' as const, reason: 'up to date', message: '' };
const secret = tlsSecretOf('a', '0a');

function evidence(change: Partial<Evidence> & { sighting?: Sighting } = {}): Evidence {
  const { sighting = ready, ...rest } = change;
  return {
    snapshot: snapshotOf([recordOf('a')], [{ roles: ['tls'], object: secret }]),
    restored: {
      forecast: [kept],
      objects: [{ subject: 'Secret team/a-tls', action: 'create', reason: 'it is not there' }],
      isRefused: false,
    },
    sightings: new Map([['team/a', sighting]]),
    issuers: [],
    secrets: new Map([[keyOf(secret.metadata), secret]]),
    version: 'v1.21.2',
    madeAt: '2026-11-24T12:00:00Z',
    ...rest,
  };
}

const one = (given: Evidence) => judge(given)[0];

describe('judge', () => {
  it('finds a certificate kept that is Ready and has the same serial number', () => {
    expect(one(evidence())).toMatchObject({
      outcome: 'kept',
      names: ['a.example.com'],
      serial: 'a',
      serialAfter: 'a',
      reason: '',
      explanation: '',
      disagreement: '',
      notes: [],
    });
  });

  it.each<[string, object, boolean]>([
    ['has become due since the backup', { excused: 'renewal', due: '2026-11-25T12:00:00Z' }, true],
    ['was due already when it was made', { excused: 'renewal', due: '2026-11-23T12:00:00Z' }, false],
    ['had to be issued then, which was told', { excused: 'before' }, true],
    ['nothing excuses', {}, false],
  ])('says of an order that it %s', (_, forecast, isExcused) => {
    const line = { ...kept, verdict: 'order' as const, reason: 'Renewing', ...forecast };
    const restored = { ...evidence().restored, forecast: [line] };
    expect(one(evidence({ restored, sighting: issued('Renewing', '') }))).toMatchObject({
      outcome: 'ordered',
      isExcused,
    });
  });

  it('finds one ordered for which an issuance began, whatever it is by now', () => {
    const told = one(evidence({ sighting: issued('IncorrectIssuer', 'previously issued by "x"') }));
    expect(told).toMatchObject({ outcome: 'ordered', reason: 'IncorrectIssuer', message: 'previously issued by "x"' });
    expect(told?.explanation).toContain('another issuer than ClusterIssuer letsencrypt-prod');
  });

  it('finds one ordered whose serial number changed without a word', () => {
    const other = tlsSecretOf('a', '0b');
    expect(one(evidence({ secrets: new Map([['team/a-tls', other]]) }))).toMatchObject({
      outcome: 'ordered',
      serial: 'a',
      serialAfter: 'b',
    });
  });

  it('calls it reissued where the issuer is no ACME one', () => {
    const snapshot = snapshotOf([recordOf('a', { acme: false })], [{ roles: ['tls'], object: secret }]);
    expect(one(evidence({ snapshot, sighting: issued('Renewing', '') }))).toMatchObject({ outcome: 'reissued' });
  });

  it('finds one not Ready for which nothing is issued, or that owns no Secret', () => {
    expect(one(evidence({ sighting: notReady('Expired') }))).toMatchObject({
      outcome: 'not-ready',
      reason: 'Expired',
      message: 'Expired it is',
    });
    expect(one(evidence({ sighting: notReady('IncorrectCertificate') }))).toMatchObject({ outcome: 'not-owner' });
  });

  it('never takes one for kept of which nothing was seen', () => {
    expect(one(evidence({ sightings: new Map() }))).toMatchObject({ outcome: 'not-ready' });
  });

  it('says where the forecast was wrong', () => {
    const forecast = [{ ...kept, verdict: 'order' as const, reason: 'Renewing' }];
    const restored = { ...evidence().restored, forecast };
    expect(one(evidence({ restored }))?.disagreement).toContain('"order" (Renewing), and it was not issued');
    expect(one(evidence({ sighting: issued('Renewing', '') }))?.disagreement).toContain('and it was issued');
    expect(one(evidence({ restored, sighting: issued('DoesNotExist', '') }))?.disagreement).toContain(
      'the reason Renewing, and cert-manager DoesNotExist',
    );
    expect(one(evidence({ restored, sighting: issued('Renewing', '') }))?.disagreement).toBe('');
    expect(one(evidence({ restored: { ...restored, forecast: [] } }))?.disagreement).toContain('no forecast');
  });

  it('holds no forecast against a restore that wrote nothing', () => {
    const restored = { ...evidence().restored, isRefused: true };
    expect(one(evidence({ restored, sighting: issued('InvalidKeyPair', '') }))?.disagreement).toBe('');
  });

  it('notes a leaf that the CA of the backup did not sign', () => {
    const record = recordOf('a', { acme: false, issuerRef: { name: 'own-ca', kind: 'ClusterIssuer' } });
    const stranger = { ...tlsSecretOf('b', '0c').data };
    const ca = keySecret('ca-key', 'own-ca');
    const snapshot = snapshotOf(
      [record],
      [
        { roles: ['tls'], object: secret },
        { ...ca, object: { ...ca.object, data: stranger } },
      ],
    );
    const given = evidence({ snapshot, issuers: planIssuers(snapshot) });
    expect(one(given)).toMatchObject({ outcome: 'kept', notes: [expect.stringContaining('not signed by the CA')] });
  });
});
