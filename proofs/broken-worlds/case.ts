import type { FindingCode } from '../../shared/checks/catalog.js';
import type { Severity } from '../../shared/profile/finding.js';
import type { Site } from './site.js';

/** One thing that is wrong with a cluster, and what the product must say of it. */
export interface BrokenCase {
  name: string;
  /** Of the first finding. */
  code: FindingCode;
  severity?: Severity;
  /** What the first finding's evidence says. */
  evidence: RegExp;
  /** What its remedy says. */
  remedy?: RegExp;
  /** Consequences that must be found too, behind the first. */
  follows?: readonly FindingCode[];
  /** What no part of the lab can do for real, and who did it instead. */
  standIn?: string;
  /** In the short run too. */
  small?: boolean;
  /** Looked at through the shipped bundle as well. */
  bundle?: boolean;
  /** Breaks it; how it is looked at and mended is told to the site on the way. */
  make(site: Site): Promise<unknown>;
}

/** Cases that belong together, in the order in which they are made. */
export interface Topic {
  topic: string;
  cases: readonly BrokenCase[];
}
