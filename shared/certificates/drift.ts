import { attempt } from './der.js';
import { durationNanoseconds } from './go-text.js';
import { literalSubjectDer } from './literal-subject.js';
import type { CertificateRequest, CertificateSpec } from './model.js';
import { sameItems } from './multisets.js';
import { nameOid, nameValue, nameValues } from './names.js';
import type { KeyEncoding } from './private-key.js';
import type { CertificateFacts } from './x509.js';

/** What the present certificate is like. */
export interface Issued {
  readonly leaf: CertificateFacts;
  /** Undefined if the key cannot be read. */
  readonly keyEncoding: KeyEncoding | undefined;
  /** The request of the present revision, where it still exists. */
  readonly request: CertificateRequest | undefined;
}

/**
 * Fields of the spec that differ from the present certificate without making cert-manager order: they take effect with the next
 * renewal. Without a request the certificate itself is compared, so a CA that overrides a field shows up here for good.
 */
export function deferredDrift({ leaf, keyEncoding, request }: Issued, spec: CertificateSpec): string[] {
  const drift = request === undefined ? certificateDrift(leaf, spec) : requestDrift(request, spec);
  return keyEncodingDiffers(keyEncoding, spec) ? [...drift, 'privateKey.encoding'] : drift;
}

/** cert-manager compares durations of a request only where both sides give one. */
function requestDrift(request: CertificateRequest, spec: CertificateSpec): string[] {
  return (request.spec.duration === undefined) === (spec.duration === undefined) ? [] : ['duration'];
}

function certificateDrift(leaf: CertificateFacts, spec: CertificateSpec): string[] {
  const differs = {
    usages: missingUsages(leaf, spec).length > 0,
    duration: durationDiffers(leaf, spec),
    isCA: leaf.isCa !== (spec.isCA ?? false),
    subject: subjectDiffers(leaf, spec),
  };
  return Object.entries(differs).flatMap(([field, differing]) => (differing ? [field] : []));
}

/** A CA may add usages; only what is asked for and not there counts. */
function missingUsages(leaf: CertificateFacts, spec: CertificateSpec): string[] {
  return (spec.usages ?? []).filter((usage) => {
    const spelled = usageAliases.get(usage) ?? usage;
    // CAs leave key encipherment out for keys that cannot do it.
    if (spelled === 'key encipherment' && leaf.publicKey.algorithm !== 'RSA') return false;
    return !leaf.usages.includes(spelled);
  });
}

const usageAliases: ReadonlyMap<string, string> = new Map([
  ['signing', 'digital signature'],
  ['s/mime', 'email protection'],
]);

/** CAs cut a second off or round to minutes; that is no drift. */
const toleratedMilliseconds = 60_000;

function durationDiffers(leaf: CertificateFacts, spec: CertificateSpec): boolean {
  const wanted = spec.duration === undefined ? undefined : durationNanoseconds(spec.duration);
  if (wanted === undefined) return false;
  const lifetime = leaf.notAfter.getTime() - leaf.notBefore.getTime();
  return Math.abs(lifetime - Number(wanted) / 1e6) > toleratedMilliseconds;
}

function subjectDiffers(leaf: CertificateFacts, spec: CertificateSpec): boolean {
  const literal = spec.literalSubject ?? '';
  if (literal !== '') {
    const der = attempt(() => literalSubjectDer(literal));
    return der.ok && !leaf.subject.der.equals(der.value);
  }
  const wanted = spec.subject;
  if (wanted === undefined) return false;
  const lists = [
    [nameOid.organization, wanted.organizations],
    [nameOid.country, wanted.countries],
    [nameOid.organizationalUnit, wanted.organizationalUnits],
    [nameOid.locality, wanted.localities],
    [nameOid.province, wanted.provinces],
    [nameOid.streetAddress, wanted.streetAddresses],
    [nameOid.postalCode, wanted.postalCodes],
  ] as const;
  const serialNumber = wanted.serialNumber ?? '';
  return (
    lists.some(([oid, values]) => !sameItems(nameValues(leaf.subject, oid), values)) ||
    nameValue(leaf.subject, nameOid.serialNumber) !== serialNumber
  );
}

function keyEncodingDiffers(encoding: KeyEncoding | undefined, spec: CertificateSpec): boolean {
  // Ed25519 keys are PKCS #8 whatever the spec says.
  if (encoding === undefined || spec.privateKey?.algorithm === 'Ed25519') return false;
  return (encoding === 'PKCS8') !== ((spec.privateKey?.encoding || 'PKCS1') === 'PKCS8');
}
