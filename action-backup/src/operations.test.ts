import { describe, expect, it } from '@jest/globals';
import type { Ports } from '../../shared/backup/ports.js';
import { run } from '../../shared/backup/testing/memory.js';
import type { BackupInputs } from './inputs.js';
import { fetchReport, listReport } from './operations.js';

const ports: Ports = {} as never;

describe('a list', () => {
  it('takes either key, and says so where it has none', async () => {
    const inputs = { 'backup-key': '', 'restore-key': '' } as BackupInputs;
    await expect(listReport(ports, inputs, run)).rejects.toMatchObject({
      code: 'key-missing',
      message: expect.stringContaining('`restore-key`'),
    });
  });
});

describe('a fetch', () => {
  it('names sources that a command has too, and says that the cache is a job’s', async () => {
    const inputs = { directory: '', stores: ['directory'] } as unknown as BackupInputs;
    await expect(fetchReport(ports, inputs, run)).rejects.toMatchObject({
      code: 'input-invalid',
      next: expect.stringContaining('artifact, oci or s3, and within a job cache'),
    });
  });
});
