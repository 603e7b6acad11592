import type { LedgerEntry } from '../backup/anchor.js';
import type { Observation } from '../backup/observe.js';
import type { KubeObject } from '../cluster/objects.js';
import type { Demand } from '../permissions/rule.js';
import type { PublicName } from '../platform/reach.js';
import type { Hosts } from '../profile/values.js';
import type { Finding } from './finding.js';

/** What a rule looks at: one look at a cluster and at its public names. No Secret's value is in it. */
export interface World {
  seen: Observation;
  hosts: Hosts;
  /** The platform that images are built for, such as `linux/amd64`; undefined when the profile does not say. */
  imagePlatform: string | undefined;
  nodes: KubeObject[];
  /** Of the namespaces that matter: kube-system, cert-manager's, the platform's. */
  workloads: KubeObject[];
  pods: KubeObject[];
  warnings: KubeObject[];
  services: KubeObject[];
  claims: KubeObject[];
  networkPolicies: KubeObject[];
  ingressClasses: string[];
  storageClasses: KubeObject[];
  apiServices: KubeObject[];
  admissionWebhooks: KubeObject[];
  orders: KubeObject[];
  challenges: KubeObject[];
  ledger: LedgerEntry[];
  /** What mcp-sentinel-config says; undefined when it is not there. */
  config: Record<string, string> | undefined;
  pullSecrets: PullSecret[];
  /** What the credentials lack of what the operation needs. */
  lacking: readonly Demand[];
  /** How cert-manager's admission answered a dry-run Certificate; `unasked` where there is no such kind. */
  admission: { state: 'ok' | 'failing' | 'unasked'; message: string };
  /** What holds each namespace that is being deleted, in words. */
  holders: ReadonlyMap<string, string[]>;
  names: PublicName[];
  /**
   * By public host: the Secret that an Ingress serves it with, and the serial number of the certificate in it; undefined
   * when there is no such Secret, or no certificate in it.
   */
  secretsServed: ReadonlyMap<string, { secret: string; serial: string | undefined }>;
  /** The newest backup that a restore could use, when somebody looked. */
  backup: { generation: number; createdAt: string; store: string } | undefined;
  /** What the platform's installer said when it failed. */
  installer: InstallerFailure | undefined;
  /** Who keeps cert-manager from ordering, and until when, while a restore or wipe is under way or was killed. */
  brake: { run: string; expires: Date | undefined } | undefined;
  /** What the credentials may not read, so that nothing is said about it. */
  unseen: string[];
}

/** Whether a pull Secret holds the platform's present registry password; compared where it was read, by digest. */
export interface PullSecret {
  namespace: string;
  state: 'current' | 'stale' | 'missing';
}

export interface InstallerFailure {
  /** The step that the installer names, or undefined when it stopped before the first. */
  step: string | undefined;
  message: string;
}

/** A rule: what it sees wrong in a world. Rules know nothing of each other. */
export type Rule = (world: World) => Finding[];
