import { has } from './backports.js';
import { durationNanoseconds } from './go-text.js';
import type { CertificateSpec } from './model.js';
import { applyWindows, type RenewalTime } from './renewal-windows.js';
import type { CertManagerVersion } from './version.js';

/**
 * When cert-manager renews a certificate, by its real lifetime; due at equality. Undefined where the spec disables renewal.
 * Source: cert-manager pkg/util/pki/renewaltime.go RenewalTime.
 */
export function renewalTime(
  validity: { readonly notBefore: Date; readonly notAfter: Date },
  spec: CertificateSpec,
  version: CertManagerVersion,
): RenewalTime | undefined {
  const notBefore = nanoseconds(validity.notBefore);
  const notAfter = nanoseconds(validity.notAfter);
  const wanted = notAfter - renewBefore(notAfter - notBefore, spec, version);
  const at = new Date(Number((wanted - modulo(wanted, second)) / 1_000_000n));
  const renewal = version.atLeast(1, 21) ? spec.renewal : undefined;
  if (renewal === undefined) return { at, windowError: undefined };
  if (renewal.policy === 'Disabled') return undefined;
  if (renewal.policy !== 'RenewBefore') {
    return { at, windowError: undefined, crash: `unsupported renewal policy: ${renewal.policy ?? ''}` };
  }
  return applyWindows(validity, at, renewal.windows ?? []);
}

const second = 1_000_000_000n;

/** How long before its end, in nanoseconds (renewaltime.go desiredRenewalTime). */
function renewBefore(lifetime: bigint, spec: CertificateSpec, version: CertManagerVersion): bigint {
  const before = spec.renewBefore === undefined ? undefined : durationNanoseconds(spec.renewBefore);
  if (before !== undefined && before > 0n && before < lifetime) return before;
  const percentage = spec.renewBeforePercentage;
  if (percentage !== undefined && percentage > 0 && percentage < 100) return shareOf(lifetime, percentage, version);
  return lifetime / 3n;
}

/** At first the percentage was taken the wrong way round; until 1.20 the product overflowed for lifetimes of some years. */
function shareOf(lifetime: bigint, percentage: number, version: CertManagerVersion): bigint {
  if (version.atLeast(1, 21)) return BigInt(Math.trunc((Number(lifetime) * percentage) / 100));
  const share = has(version, 'percentageOfWhatIsLeft') ? percentage : 100 - percentage;
  return BigInt.asIntN(64, lifetime * BigInt(share)) / 100n;
}

function nanoseconds(time: Date): bigint {
  return BigInt(time.getTime()) * 1_000_000n;
}

function modulo(value: bigint, divisor: bigint): bigint {
  return ((value % divisor) + divisor) % divisor;
}
