import { McprtError } from '../errors.js';

/** A released version of cert-manager, asked only whether it has reached another one. */
export interface CertManagerVersion {
  /** As given, without the leading `v`. */
  readonly text: string;
  /** Whether this version is that one or later. */
  atLeast(major: number, minor: number, patch?: number): boolean;
}

/** The newest cert-manager whose rules are known: installed where none is, and assumed where none can be asked. */
export const newestCertManager = 'v1.21.2';

/** From 1.20 on its CRDs have `selectableFields`, which an API server before Kubernetes 1.30 refuses to apply. */
const newestBefore130 = 'v1.19.5';

/**
 * The newest cert-manager whose rules are known and whose CRDs a cluster takes.
 *
 * @param isBefore130 whether it is older than Kubernetes 1.30
 */
export function installableCertManager(isBefore130: boolean): string {
  return isBefore130 ? newestBefore130 : newestCertManager;
}

/** Whether a version is of a later minor than the newest one that is known: the forecast's rules may no longer be its. */
export function isBeyondKnown(text: string): boolean {
  const [, major, minor] = form.exec(newestCertManager) ?? [];
  return isVersion(text) && certManagerVersion(text).atLeast(Number(major), Number(minor) + 1);
}

const form = /^v?(\d+)\.(\d+)\.(\d+)(?:[-+].*)?$/;

/** Whether a text is a version: others' charts have words such as `latest` in its place. */
export function isVersion(text: string): boolean {
  return form.test(text);
}

/**
 * Reads a version as images and CRD labels spell it: `v1.21.2`, `1.19.0`, `v1.20.0-beta.1` (counts as 1.20.0).
 * @throws McprtError `certmanager-version` when the text is no version, since guessing would forecast by the wrong rules
 */
export function certManagerVersion(text: string): CertManagerVersion {
  const found = form.exec(text);
  if (found === null) {
    throw new McprtError('certmanager-version', {
      what: `'${text}' is not a version of cert-manager.`,
      why: 'The rules by which cert-manager orders a certificate differ between its versions.',
      next: 'Give the version as its image tag spells it, for example v1.21.2.',
    });
  }
  const own = [Number(found[1]), Number(found[2]), Number(found[3])] as const;
  return {
    text: text.replace(/^v/, ''),
    atLeast: (major, minor, patch = 0) => {
      if (own[0] !== major) return own[0] > major;
      if (own[1] !== minor) return own[1] > minor;
      return own[2] >= patch;
    },
  };
}
