import { describe, expect, it } from '@jest/globals';
import { nameFor } from '../../shared/backup/stores/store.js';
import { annotationIn } from './restore.js';
import { onlyDomain } from './sealed.js';

const file = (domain: string, generation: number): string =>
  `${nameFor(domain, generation, { runId: '7', runAttempt: '1' })}.mcprt`;

describe('onlyDomain', () => {
  it('is told by the names of the files, dashes and all', () => {
    const files = [file('my-own.example.com', 1), file('my-own.example.com', 2), 'README'];
    expect(onlyDomain(files, '/backups')).toBe('my-own.example.com');
  });

  it.each([
    ['no backup', ['README'], 'operation: fetch'],
    ['backups of two domains', [file('a.example', 1), file('b.example', 1)], '--domain'],
  ])('asks for more with %s', (_, files, next) => {
    expect(() => onlyDomain(files, '/backups')).toThrow(
      expect.objectContaining({ code: 'drill-usage', next: expect.stringContaining(next) }),
    );
  });
});

describe('annotationIn', () => {
  it('takes an error apart', () => {
    const log = [
      '::add-mask::secret',
      'restoring',
      '::error title=action-backup%3A backup-too-old::the backup is old%0Awhy: 100%25%0Asure%0Anext: make one%0Amore: docs',
    ].join('\n');
    expect(annotationIn(log)).toEqual({ what: 'the backup is old', why: '100%\nsure', next: 'make one' });
  });

  it('says so when there is none', () => {
    expect(annotationIn('::add-mask::secret').what).toBe('the restore ended without a word');
    expect(annotationIn('::error title=action-backup::it broke').what).toBe('it broke');
  });
});
