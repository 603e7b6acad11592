import { createHmac, hkdfSync } from 'node:crypto';
import type { BackupKey } from './keys.js';
import type { Snapshot } from './snapshot.js';

const purpose = 'mcprt content 1';

/**
 * A digest of what a backup holds, for a place that everybody may read. It is keyed with the secret of the signer, so that
 * nobody without it can confirm a guess of a password, and bound to the backup's statement (SHA-256, in hex), so that it
 * speaks of that backup only. Who is to read the backup is part of it: other recipients need another backup.
 *
 * The ledger is left out: it changes by itself as time goes by, and comes from the certificates and the anchor.
 *
 * @returns HMAC-SHA256 in hex, with a key of its own derived by HKDF (RFC 5869)
 */
export function contentDigest(
  { signer, recipients }: BackupKey,
  statement: string,
  { objects, certificates }: Pick<Snapshot, 'objects' | 'certificates'>,
): string {
  const secret = signer.export({ type: 'pkcs8', format: 'der' });
  const key = Buffer.from(hkdfSync('sha256', secret, '', purpose, 32));
  return createHmac('sha256', key)
    .update(JSON.stringify([statement, recipients, objects, certificates]))
    .digest('hex');
}
