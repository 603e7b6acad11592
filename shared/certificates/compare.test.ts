import { expect, it } from '@jest/globals';
import { compareLeaves } from './compare.js';
import { type CertificateOptions, certificatePem, newKey } from './testing/fixtures.js';
import { certManagerVersion } from './version.js';
import { decodeLeaf } from './x509.js';

const key = newKey('P-256');
const signer = { key, name: [['2.5.4.3', 'CA']] } as const;

function leaf(options: Partial<CertificateOptions>) {
  const text = certificatePem({ key, signer, dns: ['a.org'], serial: Buffer.from([1]), ...options });
  const decoded = decodeLeaf(Buffer.from(text), certManagerVersion('1.21.2'));
  if (!decoded.ok) throw new Error(decoded.error);
  return decoded.value;
}

const first = leaf({});
const second = Buffer.from([2]);

it('the same serial of the same issuer is the same certificate, whatever else', () => {
  expect(compareLeaves(first, leaf({ notAfter: new Date('2027-01-01T00:00:00Z') }))).toBe('same');
  expect(compareLeaves(first, leaf({ signer: { key, name: [['2.5.4.3', 'Other CA']] } }))).toBe('indistinct');
});

it('a later notBefore is newer, even with an earlier notAfter', () => {
  const later = leaf({
    serial: second,
    notBefore: new Date('2026-06-01T00:00:01Z'),
    notAfter: new Date('2026-07-01T00:00:00Z'),
  });
  expect(compareLeaves(later, first)).toBe('newer');
  expect(compareLeaves(first, later)).toBe('older');
});

it('notAfter decides between equal notBefore', () => {
  const longer = leaf({ serial: second, notAfter: new Date('2026-08-30T00:00:01Z') });
  expect(compareLeaves(longer, first)).toBe('newer');
  expect(compareLeaves(first, longer)).toBe('older');
  expect(compareLeaves(first, leaf({ serial: second }))).toBe('indistinct');
});
