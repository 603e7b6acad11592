import { beforeAll, describe, expect, it } from '@jest/globals';
import { keyId } from '../../shared/backup/keys.js';
import { nameFor } from '../../shared/backup/stores/store.js';
import { survey } from '../../shared/backup/survey.js';
import { type Keys, keysOf, memoryStore, now, run, sealedBackup } from '../../shared/backup/testing/memory.js';
import { McprtError } from '../../shared/errors.js';
import { listingReport } from './listing.js';

let keys: Keys;
const signal = new AbortController().signal;

beforeAll(async () => {
  keys = await keysOf();
});

/** What a list tells of an artifact store with these things in it. */
async function told(
  things: Parameters<typeof memoryStore>[1],
  hasKey = true,
  cut?: McprtError,
  more: Keys['restore']['signers'] = [],
) {
  const { restore: key } = keys;
  const options = { signers: [...more, ...key.signers], run, ...(hasKey ? { key } : {}) };
  const found = await survey({ stores: [memoryStore('artifact', things, cut)], signal }, options);
  const { outputs, summary } = listingReport(found, { run, hasKey, signers: options.signers.map(keyId), now });
  return { listed: JSON.parse(String(outputs.backups)), text: summary.text() };
}

describe('a list', () => {
  it('has a row and a record for each backup, and says what a restore would say', async () => {
    const other = await sealedBackup(keys, 3, { repository: 'acme/old', repositoryId: '7' });
    const damaged = { name: nameFor(run.domain, 4, run), bytes: Buffer.from('x') };
    const { listed, text } = await told([await sealedBackup(keys, 2), other, damaged]);
    expect(listed).toMatchObject({
      schema: 'mcprt.backups/1',
      counts: { authentic: 2, readable: 2, unusable: 1, foreign: 0 },
      backups: [
        { generation: 4, authentic: false, code: 'backup-malformed' },
        { generation: 3, authentic: true, readable: true, repositoryId: '7', code: 'backup-foreign-repository' },
        { generation: 2, authentic: true, readable: true, signer: 'known', cluster: 'a-cluster', stores: ['artifact'] },
      ],
    });
    expect(text).toContain('| acme/old (`7`) | ✅ known | ✅ yes<br>⚠️ the backup belongs to another repository');
    expect(text).toContain('| 2 | 2026-02-28 00:00 UTC, 24 hours ago | `a-cluster` | this one | ✅ known | ✅ yes |');
  });

  it('chooses by the number where that is one backup, and by the name where it is several', async () => {
    const [one, two] = [await sealedBackup(keys, 2), await sealedBackup(keys, 3)];
    expect((await told([one, two])).text).toContain('with the `generation` or `name` of one');
    const again = await sealedBackup(keys, 2, { fingerprint: 'b-cluster', runId: '8' });
    expect((await told([one, { ...again, name: nameFor(run.domain, 2, { ...run, runId: '8' }) }])).text).toContain(
      'with the `name` of one',
    );
  });

  it('says after a change of keys which of them has signed what, and which one nothing', async () => {
    const [newer, one] = [await keysOf(), await sealedBackup(keys, 2)];
    const before = await told([one], true, undefined, newer.restore.signers);
    expect(before.text).toContain('| ✅ key 2 |');
    expect(before.text).toContain('key 1 has signed none of these; key 2 has signed 1.');
    expect(before.listed.backups[0].signedBy).toBe(keyId(keys.backup.signer));
    const renamed = { ...one, name: nameFor(run.domain, 7, run) };
    const after = await told([await sealedBackup(newer, 3), renamed], true, undefined, newer.restore.signers);
    expect(after.text).toContain('key 1 has signed 1; key 2 has signed 1.');
    const cut = new McprtError('store-cut', { what: 'not all', why: 'w', next: 'n' });
    expect((await told([one], true, cut, newer.restore.signers)).text).toContain('key 1 has signed 0;');
    expect((await told([one])).text).not.toContain('has signed');
  });

  it('names another machine once', async () => {
    const { text } = await told([await sealedBackup(keys, 2, { repository: 'local/vm', repositoryId: 'local/vm' })]);
    expect(text).toContain('| local/vm | ✅ known |');
  });

  it('does not say that a key can read what it did not try', async () => {
    const { listed, text } = await told([await sealedBackup(keys, 2)], false);
    expect([listed.counts.readable, listed.backups[0].readable]).toEqual([undefined, undefined]);
    expect(text).toContain('✅ authentic');
    expect(text).not.toContain('✅ yes');
  });

  it('says none only where all was seen, and escapes what somebody has planted', async () => {
    const planted = { name: 'mcprt-backup-example.com-<b>|x', bytes: Buffer.from('x'), foreign: 'a fork' };
    expect((await told([planted])).text).toContain('❌ There is none.');
    expect((await told([])).text).toContain('- artifact: looked');
    expect((await told([planted])).text).toContain('\\<b\\>\\|x');
    const cut = new McprtError('store-cut', { what: 'not all', why: 'w', next: 'n' });
    const { text } = await told([planted], true, cut);
    expect(text).toContain('None was seen, and not all could be looked at');
    expect(text).not.toContain('There is none');
    expect(text).toMatch(/\*\*Next:\*\* n\.$/);
  });
});
