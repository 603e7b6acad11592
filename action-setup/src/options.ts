import { overridesOf } from '../../shared/action/choice.js';
import type { Opened } from '../../shared/action/operation.js';
import { reachOf } from '../../shared/action/reach.js';
import { readRestoreKey } from '../../shared/backup/keys.js';
import type { PlatformOptions } from '../../shared/facts/observe-platform.js';
import { parseDuration } from '../../shared/profile/forms.js';
import { effective, given, type Values } from '../../shared/profile/values.js';
import type { SetupOptions } from '../../shared/setup/options.js';
import { wantedPlatformMode } from '../../shared/setup/platform-mode.js';
import type { SetupInputs } from './inputs.js';

function spanOf(values: Values, name: string): number | undefined {
  const written = given(values, name);
  return written === undefined ? undefined : parseDuration(written);
}

/** What the profile says of waiting for workloads, also by the name that the installer does not read. */
function rolloutSpan(values: Values): number | undefined {
  const seconds = given(values, 'MCP_SETUP_WAIT_TIMEOUT') ?? '';
  return spanOf(values, 'MCP_DEPLOYMENT_TIMEOUT') ?? (/^\d+$/.test(seconds) ? Number(seconds) * 1000 : undefined);
}

const minute = 60_000;

/** What the inputs and the profile say of an installation. */
export function optionsOf({ inputs, target, run, env, mask }: Opened<SetupInputs>): SetupOptions {
  const { values, domain, hosts } = target;
  const goDuration = (ms: number | undefined): string => (ms === undefined ? '' : `${Math.ceil(ms / 1000)}s`);
  return {
    wanted: inputs.mode,
    hosts,
    domain,
    run,
    profile: values,
    settings: {
      acmeEmail: inputs['acme-email'] || (given(values, 'MCP_ACME_EMAIL') ?? ''),
      issuer: inputs['tls-cluster-issuer'] || (effective(values, 'MCP_SETUP_TLS_CLUSTER_ISSUER') ?? 'letsencrypt-prod'),
      registryMode: inputs['registry-mode'],
      ingress: inputs.ingress,
      certificateTimeout: goDuration(inputs['cert-timeout']),
      rolloutTimeout: goDuration(inputs['rollout-timeout']),
      further: inputs['setup-args'],
    },
    platformMode: {
      wanted: wantedPlatformMode(inputs['platform-mode'], values),
      agreed: inputs.allow.includes('platform-mode'),
    },
    restore:
      inputs['restore-key'] === ''
        ? undefined
        : {
            key: readRestoreKey(inputs['restore-key'], mask),
            overrides: overridesOf({ ...inputs, allow: { older: inputs.allow.includes('older-backup') } }),
            mayStopCertManager: inputs.allow.includes('stop-cert-manager'),
            maxAge: inputs['max-age'],
            timeout: inputs.timeout,
          },
    maxOrders: inputs['max-orders'],
    binary: inputs.binary,
    source: inputs.source,
    certManager: { manifest: inputs['cert-manager-manifest'], version: inputs['cert-manager-version'] },
    platform: platformOptionsOf({ inputs, target, env, mask }),
    timeout: inputs.timeout,
    patience: {
      certificates: inputs['cert-timeout'] ?? spanOf(values, 'MCP_CERT_TIMEOUT') ?? 15 * minute,
      rollouts: inputs['rollout-timeout'] ?? rolloutSpan(values) ?? 5 * minute,
    },
    doctor: inputs.doctor,
    expectedPlan: inputs['expect-plan'],
    dryRun: inputs['dry-run'],
  };
}

/** What is looked at besides the cluster, and how. */
export function platformOptionsOf({
  inputs,
  target: { hosts, values },
  env,
  mask,
}: Pick<Opened<SetupInputs>, 'inputs' | 'target' | 'env' | 'mask'>): Omit<
  PlatformOptions,
  'rules' | 'installer' | 'backup'
> {
  return {
    hosts,
    names: true,
    imagePlatform: given(values, 'MCP_IMAGE_PLATFORM'),
    ...reachOf(inputs, env),
    mask,
  };
}
