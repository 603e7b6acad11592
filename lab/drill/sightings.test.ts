import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '../../shared/cluster/objects.js';
import { sighted } from './sightings.js';

const certificate = (...conditions: [type: string, status: string, reason: string][]): KubeObject => ({
  apiVersion: 'cert-manager.io/v1',
  kind: 'Certificate',
  metadata: { name: 'a', namespace: 'team' },
  status: { conditions: conditions.map(([type, status, reason]) => ({ type, status, reason, message: reason })) },
});

describe('sighted', () => {
  it('has nothing to tell of a Certificate that cert-manager has not looked at', () => {
    expect(sighted(undefined, certificate(), 1)).toEqual({
      issuing: undefined,
      isIssuing: false,
      ready: undefined,
      readyAt: undefined,
    });
  });

  it('keeps why an issuance began when it has ended, and when a second one begins', () => {
    const begun = sighted(undefined, certificate(['Issuing', 'True', 'DoesNotExist']), 1);
    const ended = sighted(begun, certificate(['Ready', 'True', 'Ready']), 2);
    const again = sighted(ended, certificate(['Ready', 'True', 'Ready'], ['Issuing', 'True', 'Renewing']), 3);
    expect(ended).toMatchObject({ issuing: { reason: 'DoesNotExist' }, isIssuing: false, readyAt: 2 });
    expect(again).toMatchObject({ issuing: { reason: 'DoesNotExist' }, isIssuing: true, readyAt: 2 });
  });

  it('takes an issuance that failed before for none', () => {
    expect(sighted(undefined, certificate(['Issuing', 'False', 'Failed']), 1).issuing).toBeUndefined();
  });

  it('counts the time of the first Ready only', () => {
    const waiting = sighted(undefined, certificate(['Ready', 'False', 'Expired']), 1);
    expect(waiting.readyAt).toBeUndefined();
    const ready = sighted(waiting, certificate(['Ready', 'True', 'Ready']), 2);
    expect(sighted(ready, certificate(['Ready', 'True', 'Ready']), 3).readyAt).toBe(2);
  });
});
