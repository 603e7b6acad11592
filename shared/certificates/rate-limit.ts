/**
 * Whether a text is Let's Encrypt's refusal of a further certificate, as cert-manager hands it on in an Order, a CertificateRequest or a
 * Certificate.
 */
export function saysRateLimited(text: string): boolean {
  return /rateLimited|too many certificates|\b429\b/i.test(text);
}

/** Until when such a refusal holds; undefined where it does not say, or is none. */
export function refusedUntil(text: string): Date | undefined {
  if (!saysRateLimited(text)) return undefined;
  const [, day, time] = /retry after (\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?: ?UTC|Z)?/i.exec(text) ?? [];
  const told = new Date(`${day}T${time}Z`);
  return Number.isNaN(told.getTime()) ? undefined : told;
}
