/**
 * What upstream changed within minors: a change reaches the newest minor first, and the patches of older ones afterwards or never.
 * So a rule that depends on the version is told here by exact releases, once, and nowhere else by a minor alone where that minor's
 * first release did not have it.
 */
import type { CertManagerVersion } from './version.js';

type Release = readonly [major: number, minor: number, patch: number];

/** For each change the releases that first had it: of each older minor that got it, and of the first minor that had it always. */
const releases = {
  /** `renewBeforePercentage` is taken the right way round (pkg/util/pki/renewaltime.go, cert-manager pull request 7421). */
  percentageOfWhatIsLeft: [
    [1, 16, 3],
    [1, 17, 0],
  ],
  /** A default kind or group is equal to none (pkg/util/pki/match.go, cert-manager pull request 8160). 1.19.0 went out without. */
  issuerDefaultsAreEqual: [
    [1, 18, 3],
    [1, 19, 1],
  ],
  /** A request may have 36,500 bytes instead of 6,500 (internal/pem/decode.go, cert-manager pull request 7961). */
  longRequests: [
    [1, 18, 3],
    [1, 19, 0],
  ],
  /**
   * A certificate must not have a negative serial number (Go crypto/x509). Like the two that follow this is a rule of Go that the `go`
   * line of the release's go.mod turns on, whatever Go it is built with: 1.23 here, 1.24 and 1.26 there.
   */
  positiveSerials: [
    [1, 16, 5],
    [1, 17, 0],
  ],
  /** The further numbers of an RSA key must fit the others (Go crypto/x509 ParsePKCS1PrivateKey). */
  keyNumbersCount: [
    [1, 18, 5],
    [1, 19, 0],
  ],
  /** A host that an Ingress names twice is one name (pkg/controller/certificate-shim/sync.go splitHosts). */
  hostsOnce: [[1, 21, 2]],
  /** A host of http and https has one colon at most (Go net/url). */
  oneColon: [[1, 21, 0]],
  /** tls.crt is capped as a trust bundle and not as a chain (pkg/util/pki/parse.go). */
  certificatesAsBundle: [[1, 17, 0]],
} as const satisfies Record<string, readonly Release[]>;

/** A change of cert-manager that not every release of a minor has. */
export type Backport = keyof typeof releases;

/** Whether a version has a change: its own minor has had it by this patch, or a minor before it had it from its first release on. */
export function has(version: CertManagerVersion, change: Backport): boolean {
  return since(version, releases[change]);
}

/** Whether a version is one of these releases or a later patch of its minor, or of a later minor than the last of them. */
export function since(version: CertManagerVersion, firsts: readonly Release[]): boolean {
  return firsts.some(([major, minor, patch], index) => {
    const isLast = index === firsts.length - 1;
    return version.atLeast(major, minor, patch) && (isLast || !version.atLeast(major, minor + 1));
  });
}
