import { describe, expect, it } from '@jest/globals';
import { ArtifactStore, grantedExpiry } from './artifact-store.js';
import { Blobs, digestOf } from './blobs.js';

const CREATED = new Date('2026-11-24T00:00:00Z');

describe('grantedExpiry', () => {
  it.each([
    ['2026-11-30', '2026-11-30'],
    ['2028-01-01', '2027-02-22'],
    [undefined, '2027-02-22'],
  ])('asked for %s grants %s', (asked, granted) => {
    const expiry = grantedExpiry(asked === undefined ? undefined : new Date(asked), CREATED, 90);
    expect(expiry.toISOString()).toBe(`${granted}T00:00:00.000Z`);
  });
});

describe('ArtifactStore', () => {
  it('keeps an upload to itself until it is finalized with its size and digest', () => {
    let id = 1;
    const blobs = new Blobs(() => CREATED);
    const store = new ArtifactStore({ blobs, retentionDays: 90, now: () => CREATED, nextId: () => id++ });
    const created = store.create('backup', 'run', 'job', undefined);
    if (created === undefined) throw new Error('the name is taken');
    expect(store.create('backup', 'run', 'job', undefined)).toBeUndefined();
    expect(store.finalize('backup', 'run', 0, undefined)).toBeUndefined();
    const bytes = Buffer.from('abc');
    blobs.replace(created.blob, bytes);
    expect(store.finalize('backup', 'run', 4, undefined)).toBeUndefined();
    expect(store.finalize('backup', 'run', 3, 'sha256:00')).toBeUndefined();
    expect(store.find('run', 'backup')).toBeUndefined();
    expect(store.finalize('backup', 'run', 3, digestOf(bytes))).toBe(created);
    expect(store.find('run', 'backup')).toBe(created);
    expect(store.find('other run', 'backup')).toBeUndefined();
  });
});
