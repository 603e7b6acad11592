import { describe, expect, it } from '@jest/globals';
import type { Journal } from './journal.js';
import { decideStart, type StartFacts } from './resume-decision.js';

const journal: Journal = {
  domain: 'example.com',
  backup: { name: 'mcprt-backup-example.com-g00000003-r1.1', generation: 3, statement: 'abc' },
  run: 'acme/platform/1/wipe',
  scope: 'platform',
  targets: ['Namespace registry 1', 'Namespace cert-manager 2', 'Namespace tools 3'],
  secrets: new Map([
    ['registry/registry-tls', '10'],
    ['cert-manager/account', '11'],
  ]),
};
const decide = (facts: Partial<StartFacts>): string => {
  const start = decideStart({
    journal,
    live: new Map(),
    isGoing: () => true,
    held: true,
    allowsFewer: () => false,
    ...facts,
  });
  return start.kind === 'refuse' ? start.error.code : start.kind;
};
const live = (...pairs: [string, string][]): Map<string, string> => new Map(pairs);

describe('decideStart', () => {
  it('backs up afresh where no wipe is unfinished', () => {
    expect(decide({ journal: undefined, held: false })).toBe('fresh');
  });

  it('backs up afresh where everything is there, also with new values and new objects', () => {
    const whole = live(['registry/registry-tls', '99'], ['cert-manager/account', '11'], ['tools/new', '1']);
    expect(decide({ live: whole, held: false })).toBe('fresh');
  });

  it('goes on with the earlier backup once something is gone', () => {
    expect(decide({ live: live(['cert-manager/account', '11']) })).toBe('resume');
    expect(decide({ live: live() })).toBe('resume');
  });

  it('refuses when what is left was changed since, or something new needs a backup', () => {
    expect(decide({ live: live(['cert-manager/account', '12']) })).toBe('wipe-unsaved');
    expect(decide({ live: live(['cert-manager/account', '11'], ['tools/new', '1']) })).toBe('wipe-unsaved');
  });

  it('goes on whatever became of what stays', () => {
    const stays = { isGoing: (namespace: string) => namespace === 'registry' };
    expect(decide({ live: live(['cert-manager/account', '12'], ['blog/new', '1']), ...stays })).toBe('resume');
    expect(decide({ live: live(['registry/new', '1']), ...stays })).toBe('wipe-unsaved');
  });

  it('refuses to take more than the earlier wipe would have: its backup was not strict about it', () => {
    const begun = { ...journal, targets: ['Namespace registry 1'] };
    const left = live(['cert-manager/account', '11']);
    expect(decide({ journal: begun, live: left })).toBe('wipe-unsaved');
    expect(decide({ journal: begun, live: left, isGoing: (namespace) => namespace === 'registry' })).toBe('resume');
  });

  it('refuses when no store holds the earlier backup', () => {
    expect(decide({ live: live(['cert-manager/account', '11']), held: false })).toBe('wipe-proof-lost');
  });

  it('backs up what is left where the user accepts fewer objects, and only where it must', () => {
    expect(decide({ live: live(['cert-manager/account', '12']), allowsFewer: () => true })).toBe('fresh');
    expect(decide({ live: live(), held: false, allowsFewer: () => true })).toBe('fresh');
    expect(decide({ live: live(['cert-manager/account', '11']), allowsFewer: () => true })).toBe('resume');
  });
});
