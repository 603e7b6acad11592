import { beforeAll, describe, expect, it } from '@jest/globals';
import { type KeySet, makeKeys, readBackupKey, readRestoreKey, requireEitherKey } from './keys.js';
import { authenticate, openBackup } from './seal.js';
import { keysOf, sealedBackup } from './testing/memory.js';

let [old, own]: [KeySet, KeySet] = [] as never;
const unmasked = (): void => undefined;

beforeAll(async () => {
  [old, own] = await Promise.all([makeKeys('classic'), makeKeys('hybrid')]);
});

/** What is thrown, as a test compares it, and all of its texts. */
function refusalOf(read: () => unknown): { code: unknown; text: string } {
  try {
    read();
    return { code: 'none', text: '' };
  } catch (error) {
    const { code, why, next, message, stack } = error as Error & Record<'code' | 'why' | 'next', string>;
    return { code, text: [message, why, next, stack].join('\n') };
  }
}

describe('where either key does', () => {
  it('both are named when there is none, with where a job has them and a shell', () => {
    const { code, text } = refusalOf(() => requireEitherKey(' ', ''));
    expect(code).toBe('key-missing');
    expect(text).toContain('`backup-key` and `restore-key`, are empty');
    expect(text).toContain('in a job the secret');
    expect(refusalOf(() => requireEitherKey('a', '')).code).toBe('none');
    expect(refusalOf(() => requireEitherKey('', 'a')).code).toBe('none');
  });
});

describe('the restore key', () => {
  it('is one, or several, one a line, of any kind and with empty lines between', () => {
    expect(readRestoreKey(`\n${own.restore}\n`, unmasked)).toMatchObject({ identities: [{ line: 2 }] });
    const { identities, signers } = readRestoreKey(`${own.restore}\r\n\n  ${old.restore}\n`, unmasked);
    expect(identities.map(({ line }) => line)).toEqual([1, 3]);
    expect(signers).toHaveLength(2);
  });

  it('is masked line by line before anything is looked at, and what is in it as well', () => {
    const masked: string[] = [];
    const { code } = refusalOf(() => readRestoreKey(`${own.restore}\nmistyped key\n`, (one) => masked.push(one)));
    expect(code).toBe('key-invalid');
    expect(masked.slice(0, 2)).toEqual([own.restore, 'mistyped key']);
    masked.length = 0;
    const { identities } = readRestoreKey(`${own.restore}\n${old.restore}`, (one) => masked.push(one));
    expect(masked).toEqual(expect.arrayContaining(identities.map(({ text }) => text)));
  });

  it.each<[string, () => string, string, string]>([
    ['a line that is none', () => `${own.restore}\n\nno key at all, it seems`, 'key-invalid', 'line 3'],
    ['a line that was cut', () => `${own.restore.slice(0, -5)}\n${old.restore}`, 'key-invalid', 'line 1'],
    ['two on one line', () => `${own.restore}${old.restore}`, 'key-invalid', '2 keys are on one line'],
    ['the backup key among them', () => `${own.restore}\n${old.backup}`, 'key-wrong-kind', 'line 2'],
    ['the offline key', () => old.offline, 'key-invalid', 'is an offline key'],
    ['a post-quantum offline key', () => `${own.restore}\n${own.offline}`, 'key-invalid', 'docs/break-glass.md'],
    ['more keys than anybody has', () => `${own.restore}\n`.repeat(17), 'key-invalid', '17 lines'],
    ['nothing', () => '\n \n', 'key-missing', '`restore-key` is empty'],
  ])('is refused with %s, by its line and never by its text', (_, text, code, said) => {
    const refusal = refusalOf(() => readRestoreKey(text(), unmasked));
    expect(refusal).toEqual({ code, text: expect.stringContaining(said) });
    for (const line of text()
      .split('\n')
      .filter((one) => one.length > 15)) {
      expect(refusal.text).not.toContain(line.slice(-15));
    }
  });

  it('tells the line of an identity that cannot be read', async () => {
    const keys = await keysOf();
    const typo = { ...keys.restore, identities: [...keys.restore.identities, { text: 'AGE-SECRET-KEY-1Q', line: 4 }] };
    const backup = await authenticate((await sealedBackup(keys, 1)).bytes, keys.restore.signers);
    await expect(openBackup(backup, typo)).rejects.toMatchObject({
      code: 'key-invalid',
      message: expect.stringContaining('line 4 of `restore-key`'),
    });
  });
});

describe('the backup key', () => {
  it('is refused when a post-quantum recipient stands beside a classic one', () => {
    const content = (text: string): Record<string, unknown> =>
      JSON.parse(Buffer.from(text.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
    const [a, b] = [content(old.backup), content(own.backup)];
    const mixed = { ...a, recipients: [...(a.recipients as string[]), ...(b.recipients as string[])] };
    const text = `mcprt-backup-key-1.${Buffer.from(JSON.stringify(mixed)).toString('base64url')}`;
    expect(refusalOf(() => readBackupKey(text, unmasked)).code).toBe('key-mixed');
  });
});
