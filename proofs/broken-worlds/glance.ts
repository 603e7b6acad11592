import type { InstallerFailure, PlatformFacts as Observed } from '../../shared/facts/observe-platform.js';

/** What a case needs to be looked at with; what is not given is as on the healthy site. */
export interface Glance {
  /** `host:port=address:port`, each instead of the front's for the same host and port. */
  resolve?: readonly string[];
  /** Hosts for which DNS is believed, instead of the front's address. */
  unresolved?: readonly string[];
  /** Whether the lab's DNS server is asked; it is, unless a case says no. */
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
  backup?: Observed['backup'];
}
