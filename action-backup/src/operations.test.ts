import { describe, expect, it } from '@jest/globals';
import type { Ports } from '../../shared/backup/ports.js';
import { run } from '../../shared/backup/testing/memory.js';
import type { BackupInputs } from './inputs.js';
import { listReport } from './operations.js';

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
