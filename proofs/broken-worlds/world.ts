import { type InstallerFailure, type PlatformFacts } from '../../shared/facts/observe-platform.js';
import type { FindingCode } from '../../shared/checks/catalog.js';
import type { Severity } from '../../shared/profile/finding.js';
import type { Site } from './site.js';

/** What a world needs to be looked at with; what is not given is as on the healthy one. */
export interface Glance {
  /** `host:port=address:port`, each instead of the front's for the same host and port. */
  resolve?: readonly string[];
  /** Hosts for which DNS is believed, instead of the front's address. */
  unresolved?: readonly string[];
  /** Whether the lab's DNS server is asked; it is, unless a world says no. */
  dns?: boolean;
  /** PEM; empty for no CA but the public ones. */
  caBundle?: string;
  /** Variables of the profile, over the usual ones. */
  profile?: Readonly<Record<string, string>>;
  /** Path of other credentials than the administrator's. */
  kubeconfig?: string;
  /** What setup needs is asked about, instead of what a check needs. */
  forSetup?: boolean;
  /** What the platform's installer really said. */
  installer?: InstallerFailure | undefined;
  backup?: PlatformFacts['backup'];
}

/** One thing that is wrong with a cluster, and what the product must say of it. */
export interface BrokenWorld {
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
  /** Breaks it; how it is mended is told to the site on the way. */
  make(site: Site): Promise<Glance | undefined>;
}

/** Worlds that belong together, in the order in which they are made. */
export interface Topic {
  topic: string;
  worlds: readonly BrokenWorld[];
}
