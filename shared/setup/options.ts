import type { Ports } from '../backup/ports.js';
import type { RestoreOptions, RestoreResult } from '../backup/restore.js';
import type { CertificateForecast } from '../backup/restore-plan.js';
import type { Finding } from '../checks/finding.js';
import type { SetupStage } from '../checks/stages.js';
import type { PlatformOptions } from '../facts/observe-platform.js';
import type { Phase } from '../phases.js';
import type { Hosts, Values } from '../profile/values.js';
import type { Proxies } from '../proxy.js';
import type { RunContext } from '../run-context.js';
import type { Binary } from './binary.js';
import type { InstallerLog, InstallerRun } from './installer.js';
import type { InstallerSettings } from './invocation.js';
import type { ModeDecision, WantedMode } from './mode.js';
import type { OrderLimit } from './orders.js';
import type { CertificateState, Patience } from './verify.js';

export interface SetupOptions {
  wanted: WantedMode;
  hosts: Hosts;
  domain: string;
  run: RunContext;
  profile: Values;
  settings: InstallerSettings;
  platformMode: {
    /** What input or profile say; empty when neither does. */
    wanted: string;
    /** Whether the user agrees to another one than the cluster's or the backup's. */
    agreed: boolean;
  };
  /** What a restore needs on top; undefined when no restore key was given. */
  restore: Pick<RestoreOptions, 'key' | 'overrides' | 'maxAge' | 'timeout' | 'mayStopCertManager'> | undefined;
  maxOrders: OrderLimit;
  binary: string;
  source: string;
  certManager: {
    /** Address or path of a release manifest; empty for the one of a version. */
    manifest: string;
    /** Empty for the version that is there, or else the newest that is known and that the cluster takes. */
    version: string;
  };
  platform: Omit<PlatformOptions, 'rules' | 'installer' | 'backup'>;
  /** How long the whole operation may take, in ms: so long others are kept out. */
  timeout: number;
  /** In ms. */
  patience: Pick<Patience, 'certificates' | 'rollouts'>;
  doctor: boolean;
  /** Digest of the plan that was approved; empty for none. */
  expectedPlan: string;
  dryRun: boolean;
}

export interface SetupPorts extends Ports {
  log: InstallerLog;
  env: NodeJS.ProcessEnv;
  proxies: Proxies;
  /** Folder of the job, emptied at its end. */
  folder: string;
  /** Told right before the installer runs for the first time: from then on the registry may be open. */
  onInstaller: () => void;
  /** Told the folder of a kubeconfig before it is written there. */
  onKubeconfig: (folder: string) => void;
}

/** What happened so far. It is filled on the way, so that a failed or cancelled run has a report as well. */
export interface SetupRecord {
  decision?: ModeDecision;
  /** Digest of the plan. */
  plan?: string;
  fingerprint?: string;
  forecasts: CertificateForecast[];
  /** What the plan of the restore says that people should know. */
  warnings: string[];
  restored?: RestoreResult;
  certManagerInstalled: boolean;
  binary?: Binary;
  installerBegun: boolean;
  installer?: InstallerRun;
  certificates: CertificateState[];
  /** Orders that appeared since the start. */
  newOrders: string[];
  findings: Finding[];
  /** How far it has come, which says what may be why it fails. */
  reached: SetupStage;
  /** What of the findings explains the error that ended it; undefined where the error says its cause itself. */
  likely?: Finding;
  phases: Phase[];
}

export function newSetupRecord(): SetupRecord {
  return {
    forecasts: [],
    warnings: [],
    certManagerInstalled: false,
    installerBegun: false,
    certificates: [],
    newOrders: [],
    findings: [],
    reached: 'looking',
    phases: [],
  };
}
