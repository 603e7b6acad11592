import { describe, expect, it } from '@jest/globals';
import { McprtError } from '../errors.js';
import { type RefreshFacts, standing } from './refresh.js';
import type { AuthenticBackup } from './seal.js';
import type { Candidate } from './walk.js';

const hour = 3600_000;
const now = new Date('2026-11-26T12:00:00Z');
const run = {
  repository: 'acme/platform',
  repositoryId: '42',
  workflow: 'w',
  runId: '9',
  runAttempt: '1',
  job: 'backup',
  domain: 'example.com',
  tool: 'mcprt',
};
const name = 'mcprt-backup-example.com-g00000003-r7.1';

function backup(change: Partial<AuthenticBackup['context']> = {}, digest = 'statement-3'): AuthenticBackup {
  return {
    digest,
    payloadDigest: '',
    signer: '',
    archive: { statement: Buffer.alloc(0), payload: Buffer.alloc(0) },
    context: {
      schema: 'mcprt.backup/1',
      repository: run.repository,
      repositoryId: run.repositoryId,
      workflow: 'w',
      runId: '7',
      runAttempt: '1',
      fingerprint: 'a-cluster',
      domain: run.domain,
      layout: 'split',
      generation: 3,
      createdAt: new Date(now.getTime() - hour).toISOString(),
      expiresAt: now.toISOString(),
      previous: '',
      recipients: ['r'],
      inventory: { certificates: 0, secrets: 0, configMaps: 0, namespaces: 0 },
      certManager: '',
      tool: '',
      ...change,
    },
  };
}

const found = (artifact: Partial<Candidate> = { backup: backup() }): Candidate[] => [
  { store: 'cache', name, standing: 'usable', backup: backup() },
  { store: 'artifact', name, standing: artifact.backup === undefined ? 'absent' : 'usable', ...artifact },
];

const facts = (change: Partial<RefreshFacts> = {}): RefreshFacts => ({
  found: found(),
  anchor: { generation: 3, statement: 'statement-3', inventory: [], ledger: [], content: 'digest' },
  digestFor: (statement) => (statement === 'statement-3' ? 'digest' : 'another'),
  run,
  fingerprint: 'a-cluster',
  now,
  refreshAfter: 20 * hour,
  ...change,
});

const missing = new McprtError('store-miss', { what: 'the cache has no entry', why: 'w', next: 'n' });
const anchor = { generation: 3, statement: 'statement-3', inventory: [], ledger: [], content: 'digest' };

describe('the newest backup', () => {
  it('stands while nothing has changed, and every store gives it back', () => {
    expect(standing(facts())).toEqual({ held: { context: backup().context, name, stores: ['cache', 'artifact'] } });
  });

  it('stands where another API server’s clock is behind the one that it was made by', () => {
    expect(standing(facts({ now: new Date(now.getTime() - hour - 3000) }))).toHaveProperty('held');
  });

  it('stands beside what a pull request has uploaded under a newer name', () => {
    const planted = { store: 'artifact', name: name.replace('g00000003', 'g00000099'), standing: 'foreign' } as const;
    expect(standing(facts({ found: [planted, ...found()] }))).toHaveProperty('held');
  });

  it('stands beside a copy of an older one under a newer name: each run would make a backup, and prune one', () => {
    const replay = {
      store: 'artifact',
      name: name.replace('g00000003', 'g00000099'),
      standing: 'usable',
      backup: backup({ generation: 2 }, 'statement-2'),
    } as const;
    expect(standing(facts({ found: [replay, ...found()] }))).toHaveProperty('held');
  });

  it.each<[string, Partial<RefreshFacts>, string]>([
    ['the cluster remembers nothing', { anchor: undefined }, 'does not remember'],
    ['an older version remembered no content', { anchor: { ...anchor, content: '' } }, 'does not remember'],
    ['something changed', { digestFor: () => 'another' }, 'has changed'],
    ['the digest is cut', { anchor: { ...anchor, content: 'dig' } }, 'has changed'],
    ['it is old', { refreshAfter: hour }, 'was made on'],
    ['it comes from the future', { now: new Date(now.getTime() - 3 * hour) }, 'was made on'],
    ['a store has lost it', { found: found({ error: missing }) }, 'no entry'],
    ['no store is asked', { found: [] }, ''],
    [
      'something newer cannot be read',
      { found: [{ store: 'cache', name, standing: 'doubtful', error: missing }, ...found()] },
      'no entry',
    ],
    [
      'a store has an older one',
      { found: found({ backup: backup({ generation: 2 }, 'statement-2') }) },
      'artifact gives',
    ],
    ['a store has it under another name', { found: found({ name: `${name}x`, backup: backup() }) }, 'artifact gives'],
    [
      'the anchor is ahead',
      { anchor: { ...anchor, generation: 4, statement: 'statement-4' } },
      'remembers generation 4',
    ],
    ['it is of another cluster', { fingerprint: 'another' }, 'another cluster'],
    ['it is of another repository', { run: { ...run, repositoryId: '43' } }, 'another cluster or repository'],
  ])('does not stand when %s', (_, change, reason) => {
    const verdict = standing(facts(change));
    expect(verdict).toEqual({ due: expect.any(Array) });
    expect('due' in verdict ? verdict.due.join('\n') : undefined).toContain(reason);
  });
});
