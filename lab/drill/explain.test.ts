import { describe, expect, it } from '@jest/globals';
import { leafOf } from '../../shared/facts/secrets.js';
import { explain, type Trouble } from './explain.js';
import { recordOf, tlsSecretOf } from './testing/recorded.js';

const trouble = (reason: string, change: Partial<Trouble> = {}): Trouble => ({
  record: recordOf('a'),
  leaf: undefined,
  outcome: 'ordered',
  words: { reason, message: '' },
  secretKey: 'team/a-tls',
  line: { subject: 'Secret team/a-tls', action: 'create', reason: 'it is not there' },
  ...change,
});

describe('explain', () => {
  it('has nothing to say of a certificate that is kept', () => {
    expect(explain(trouble('', { outcome: 'kept' }))).toEqual({ explanation: '', next: '' });
  });

  it.each([
    'DoesNotExist',
    'MissingData',
    'InvalidKeyPair',
    'InvalidCertificate',
    'IncorrectIssuer',
    'IncorrectCertificate',
    'SecretMismatch',
    'Renewing',
    'SomethingNew',
  ])('says of %s which Secret it is about, and what to do', (reason) => {
    const { explanation, next } = explain(trouble(reason));
    expect(explanation).toContain('team/a-tls');
    expect(next).not.toBe('');
  });

  it('tells a Secret that the backup lacks from one that the restore did not write', () => {
    const line = { subject: 'Secret team/a-tls', action: 'skip', reason: 'the backup’s certificate is expired' };
    expect(explain(trouble('DoesNotExist', { line: undefined })).explanation).toContain('the backup holds no Secret');
    expect(explain(trouble('DoesNotExist', { line })).explanation).toContain('(skip): the backup’s certificate is exp');
  });

  it('adds that a restore refuses the whole backup', () => {
    const line = { subject: 'Secret team/a-tls', action: 'refuse', reason: 'no valid pair' };
    expect(explain(trouble('InvalidKeyPair', { line })).explanation).toMatch(/refuses the whole backup.*no valid pair/);
  });

  it('names the key that the Certificate asks for', () => {
    const key = { reason: 'SecretMismatch', message: 'not up to date for spec: [spec.privateKey.size]' };
    const record = recordOf('a', { privateKey: { algorithm: 'RSA', size: 4096 } });
    expect(explain(trouble('', { words: key, record })).explanation).toContain('(RSA 4096)');
  });

  it.each([
    [
      'other names',
      recordOf('a', { dnsNames: ['b.example.com'] }),
      /lacks b\.example\.com, .*and is for a\.example\.com,/,
    ],
    ['one name more', recordOf('a', { commonName: 'a.example.org' }), /lacks a\.example\.org, which[^,]*$/],
    [
      'one name less',
      recordOf('a', { dnsNames: [] }),
      /is for a\.example\.com, which its Certificate does not ask for$/,
    ],
    ['the same names', recordOf('a'), /does not have the addresses/],
  ])('names the difference to %s', (_, record, said) => {
    const words = { reason: 'SecretMismatch', message: 'not up to date for spec: [spec.dnsNames]' };
    const leaf = leafOf(tlsSecretOf('a', '0a'), 'v1.21.2');
    expect(explain(trouble('', { words, record, leaf })).explanation).toMatch(said);
  });
});
