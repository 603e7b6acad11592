import { describe, expect, it } from '@jest/globals';
import { makeKeys, readBackupKey } from './keys.js';

const unmasked = (): void => undefined;
const prefix = 'mcprt-backup-key-1.';

function contentOf(text: string): { signer: string; recipients: string[] } {
  return JSON.parse(Buffer.from(text.slice(prefix.length), 'base64url').toString('utf8')) as {
    signer: string;
    recipients: string[];
  };
}

describe('the backup key', () => {
  it('does not mix post-quantum and classic recipients: the weakest one would decide', async () => {
    const [classic, hybrid] = await Promise.all([makeKeys('classic'), makeKeys('hybrid')]);
    const { signer, recipients } = contentOf(classic.backup);
    const mixed = { signer, recipients: [...recipients, ...contentOf(hybrid.backup).recipients] };
    const text = prefix + Buffer.from(JSON.stringify(mixed)).toString('base64url');
    expect(() => readBackupKey(text, unmasked)).toThrow('the backup key mixes post-quantum and classic recipients');
    expect(readBackupKey(classic.backup, unmasked).recipients).toEqual(recipients);
  });
});
