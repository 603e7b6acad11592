import { tmpdir } from 'node:os';
import * as core from '@actions/core';
import { overridesOf } from '../../shared/action/choice.js';
import { openConnection } from '../../shared/action/connection.js';
import { annotateFindings } from '../../shared/action/findings.js';
import { runContext } from '../../shared/action/github.js';
import { type Inputs, readInputs } from '../../shared/action/inputs.js';
import { foldedLog, log, setOutputs } from '../../shared/action/log.js';
import { type Mask, mask } from '../../shared/action/mask.js';
import { planSpelling } from '../../shared/action/plan-output.js';
import { readTarget, type Target } from '../../shared/action/profile.js';
import { runAction, SummedUp, withDeadline } from '../../shared/action/run.js';
import { openStores } from '../../shared/action/stores.js';
import { readRestoreKey } from '../../shared/backup/keys.js';
import { diagnose } from '../../shared/checks/diagnose.js';
import { blocking } from '../../shared/checks/finding.js';
import { releaseNamespace } from '../../shared/checks/release.js';
import type { Cluster } from '../../shared/cluster/cluster.js';
import { McprtError, messageOf } from '../../shared/errors.js';
import { observePlatform, type PlatformOptions } from '../../shared/facts/observe-platform.js';
import { lookRules } from '../../shared/permissions/backup-rules.js';
import { guarded, requirePermissions } from '../../shared/permissions/guard.js';
import { rulesOf } from '../../shared/permissions/operations.js';
import { beginRules } from '../../shared/permissions/setup-rules.js';
import { parseDuration } from '../../shared/profile/forms.js';
import { effective, given, type Values } from '../../shared/profile/values.js';
import { newRecord, type SetupOptions, type SetupPorts } from '../../shared/setup/options.js';
import { wantedPlatformMode } from '../../shared/setup/platform-mode.js';
import { closeRegistry } from '../../shared/setup/registry-push-proxy.js';
import { setUp } from '../../shared/setup/setup.js';
import { certificateStates } from '../../shared/setup/verify.js';
import { inputTypes, kubeconfigState, startedState } from './inputs.js';
import { checkSummary, outputsOf, setupSummary } from './report.js';

type SetupInputs = Inputs<typeof inputTypes>;

/** The entry of action-setup. */
export async function setupAction(version: string): Promise<void> {
  await runAction('action-setup', async (signal) => {
    const inputs = readInputs(inputTypes);
    const spelled = planSpelling([inputs.kubeconfig, inputs['restore-key'], inputs['github-token']], process.env);
    requireProfile(inputs);
    requireNoPlan(inputs);
    const isChange = inputs.operation === 'install' && !inputs['dry-run'];
    const destructive = isChange ? { destructive: 'setup' } : {};
    const target = await readTarget(inputs, { stage: 'setup', env: process.env, mask, ...destructive });
    const { cluster: opened, credentials } = await openConnection(inputs, {
      env: process.env,
      mask,
      profile: target.kubeconfig,
    });
    const releases = inputs['release-namespace'] !== '' && !inputs['dry-run'];
    const allowed = requirePermissions(opened, {
      names: [isChange || inputs.operation === 'check' ? inputs.operation : 'setup-plan'],
      dryRun: false,
      // What is given up first cannot be had back: then everything must be allowed before.
      ...(releases ? {} : { essential: inputs.operation === 'install' ? beginRules : lookRules }),
      warn: log.warning,
    });
    const cluster = guarded(opened, allowed);
    try {
      const within = withDeadline(signal, inputs.timeout);
      const ports: SetupPorts = {
        stores: openStores({ ...inputs, 'retention-days': 0 }, process.env, within),
        progress: log.info,
        warn: log.warning,
        signal: within,
        mask,
        log: foldedLog(),
        env: process.env,
        folder: process.env.RUNNER_TEMP || tmpdir(),
        onInstaller: () => core.saveState(startedState, 'yes'),
        onKubeconfig: (folder) => core.saveState(kubeconfigState, folder),
      };
      if (inputs.operation === 'check') return await check(cluster, inputs, target, mask);
      const record = newRecord();
      const options = optionsOf(inputs, target, version, mask);
      const dryRun = inputs['dry-run'];
      let failure: unknown;
      try {
        if (releases) {
          await releaseNamespace(cluster, inputs['release-namespace'], ports);
        }
        await setUp(cluster, credentials, ports, options, record);
        if (dryRun && record.plan !== undefined) record.plan = spelled(record.plan);
      } catch (error) {
        failure = error;
        // The runner gives a cancelled job seconds: the registry is closed first, and the post step looks again.
        if (record.installerBegun) {
          await closeRegistry(cluster).catch((cause: unknown) =>
            log.warning(`the registry may ask for no password; the post step tries again: ${messageOf(cause)}`),
          );
        }
      }
      annotateFindings(record.findings);
      setOutputs(outputsOf(record, inputs.operation, dryRun));
      const now = cluster.serverTime() ?? new Date();
      await setupSummary(record, { domain: target.domain, dryRun, now, error: failure }).write();
      if (failure !== undefined) throw new SummedUp(failure);
    } finally {
      await cluster.close();
    }
  });
}

/** Looks and reports; fails when something is wrong, so that a schedule notices. */
async function check(cluster: Cluster, inputs: SetupInputs, target: Target, mask: Mask): Promise<void> {
  const options = {
    ...lookOf(inputs, target, mask),
    rules: rulesOf('check'),
    backup: undefined,
    installer: undefined,
  };
  const facts = await observePlatform(cluster, options);
  const record = newRecord();
  record.fingerprint = facts.seen.fingerprint;
  record.findings = diagnose(facts);
  record.certificates = facts.unseen.some((one) => /secret/i.test(one))
    ? []
    : await certificateStates(cluster, facts.seen.certManager.version, mask);
  annotateFindings(record.findings);
  setOutputs(outputsOf(record, 'check', true));
  await checkSummary(record, facts, target.domain).write();
  const errors = blocking(record.findings);
  const [first] = errors;
  if (first !== undefined) {
    throw new SummedUp(
      new McprtError('setup-check', {
        what: `${errors.length} thing${errors.length === 1 ? ' is' : 's are'} wrong: ${first.cause}`,
        why: errors.map(({ code, subject, cause }) => `${subject}: ${cause} (${code})`).join('\n'),
        next: first.remedy,
      }),
    );
  }
}

function lookOf(
  inputs: SetupInputs,
  { hosts, values }: Target,
  mask: Mask,
): Omit<PlatformOptions, 'rules' | 'installer' | 'backup'> {
  return {
    hosts,
    names: true,
    imagePlatform: given(values, 'MCP_IMAGE_PLATFORM'),
    overrides: inputs.resolve,
    dnsServer: inputs['dns-server'],
    caBundle: inputs['ca-bundle'],
    mask,
  };
}

/** Without a profile the installer would be told a domain and nothing else: its address, images and administrator come from there. */
function requireProfile({ operation, domain, profile }: SetupInputs): void {
  if (operation !== 'install' || domain === '' || profile !== '') return;
  throw new McprtError('input-invalid', {
    what: 'an installation needs a profile, and the input `domain` stands instead of one',
    why: '`domain` alone is for `check`',
    next: 'leave `domain` out, or give the path in `profile` as well',
  });
}

/** Who gives a plan to a check would think that something was held to it. */
function requireNoPlan({ operation, 'expect-plan': expected, 'release-namespace': namespace }: SetupInputs): void {
  if (expected === '') return;
  if (operation === 'install' && namespace !== '') {
    throw new McprtError('input-invalid', {
      what: 'both `expect-plan` and `release-namespace` are given',
      why: 'a namespace is given up before it can be seen what else a setup would do, and no plan holds it',
      next: 'release it in a step of its own without `expect-plan`; then make a new plan, and have it approved',
    });
  }
  if (operation === 'install') return;
  throw new McprtError('input-invalid', {
    what: '`expect-plan` is given, and a check has no plan',
    why: 'a check looks, and changes nothing',
    next: 'leave `expect-plan` out',
  });
}

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

function optionsOf(inputs: SetupInputs, target: Target, version: string, mask: Mask): SetupOptions {
  const { values, domain, hosts } = target;
  const goDuration = (ms: number | undefined): string => (ms === undefined ? '' : `${Math.ceil(ms / 1000)}s`);
  return {
    wanted: inputs.mode,
    hosts,
    domain,
    run: runContext(process.env, domain, `mcprt ${version}`),
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
            maxAge: inputs['max-age'],
            timeout: inputs.timeout,
          },
    maxOrders: inputs['max-orders'],
    binary: inputs.binary,
    source: inputs.source,
    certManager: { manifest: inputs['cert-manager-manifest'], version: inputs['cert-manager-version'] },
    look: lookOf(inputs, target, mask),
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
