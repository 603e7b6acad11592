import { newestCertManager } from '../../shared/certificates/version.js';
import { lastPatch } from './last-patch.js';

/**
 * The versions of cert-manager that are compared: the runbook's, the last patch of each minor that is to be had, and those on
 * both sides of what upstream changed within a minor.
 */
export const versions: readonly string[] = [
  ...['1.16.2', '1.16.5', '1.17.4', '1.18.2', '1.18.6', '1.19.0', '1.19.5', '1.20.3'],
  newestCertManager.slice(1),
];

/** A version in full; a minor stands for its last patch. @param given such as `1.16` or `v1.16.2` */
export const versionOf = (given: string): string => lastPatch(given, versions);
