import type { InstallerFailure } from '../../shared/facts/observe-platform.js';
import { runInstaller } from '../../shared/setup/installer.js';
import { type Invocation, invocationOf } from '../../shared/setup/invocation.js';
import { usualSettings } from '../../shared/setup/testing/settings.js';
import type { Topic } from './case.js';
import { addStaleOwner } from './certificates.js';
import type { Site } from './site.js';

/** The platform's installer really run, and what it said when it failed. */
export const installer: Topic = {
  topic: 'installer',
  cases: [
    {
      name: 'registry mode auto, and no endpoint',
      code: 'installer-registry-mode',
      evidence: /requires MCP_REGISTRY_ENDPOINT/,
      remedy: /registry-mode: bundled-https/,
      small: true,
      make: async (site) =>
        site.lookWith({
          installer: await failing(site, ({ args, env: { MCP_REGISTRY_ENDPOINT: _none, ...env } }) => ({
            args: args.map((one) => (one === 'bundled-https' ? 'auto' : one)),
            env,
          })),
        }),
    },
    {
      name: 'images for another processor, by a variable that the profile does not have',
      code: 'installer-image-platform',
      evidence: /MCP_IMAGE_PLATFORM "linux\/arm64" does not match Kubernetes node architecture "amd64"/,
      make: async (site) =>
        site.lookWith({ installer: await failing(site, withEnv({ MCP_IMAGE_PLATFORM: 'linux/arm64' })) }),
    },
    {
      name: 'images for another processor, by the profile',
      code: 'node-architecture',
      evidence: /lab-node: amd64/,
      follows: ['installer-image-platform'],
      make: async (site) =>
        site.lookWith({
          profile: { MCP_IMAGE_PLATFORM: 'linux/arm64' },
          installer: await failing(site, withEnv({ MCP_IMAGE_PLATFORM: 'linux/arm64' })),
        }),
    },
    {
      name: 'an ACME e-mail on a rerun, by the environment',
      code: 'installer-both-issuers',
      evidence: /use either --acme-email/,
      remedy: /take MCP_ACME_EMAIL out/,
      make: async (site) =>
        site.lookWith({ installer: await failing(site, withEnv({ MCP_ACME_EMAIL: 'ops@example.com' })) }),
    },
    {
      name: 'no administrator',
      code: 'installer-configuration',
      evidence: /platform admin configuration is incomplete/,
      make: async (site) =>
        site.lookWith({ installer: await failing(site, withEnv({ MCP_PLATFORM_ADMIN_EMAIL: '' })) }),
    },
    {
      name: 'started outside of the platform’s source',
      code: 'installer-root',
      evidence: /failed to install CRD/,
      remedy: /`source`/,
      make: async (site) => site.lookWith({ installer: await failing(site, (same) => same, site.folder) }),
    },
    {
      name: 'an issuer that is not there',
      code: 'installer-step',
      evidence: /pre-flight checks found 1 blocker.*ClusterIssuer "letsencrypt-other" not found/s,
      make: async (site) =>
        site.lookWith({
          installer: await failing(site, ({ args, env }) => ({
            args: args.map((one) => (one === 'letsencrypt-prod' ? 'letsencrypt-other' : one)),
            env,
          })),
        }),
    },
    {
      name: 'its preflight stops at a second Certificate for registry-tls',
      code: 'certificate-stale-owner',
      evidence: /Certificate registry\/registry-tls of/,
      follows: ['installer-step'],
      make: async (site) => {
        await addStaleOwner(site);
        site.lookWith({ installer: await failing(site, (same) => same) });
      },
    },
  ],
};

type Plain = Pick<Invocation, 'args' | 'env'>;

/** Runs the stand-in as action-setup does on a rerun, with one thing changed. @throws Error when it succeeds */
async function failing(site: Site, change: (usual: Plain) => Plain, cwd = site.source): Promise<InstallerFailure> {
  const usual = invocationOf({
    mode: 'rerun',
    platformMode: undefined,
    googleClientId: '',
    settings: { ...usualSettings, certificateTimeout: '30s', rolloutTimeout: '30s' },
    profile: new Map([
      ['MCP_PLATFORM_ADMIN_EMAIL', 'admin@example.com'],
      ['MCP_IMAGE_PLATFORM', 'linux/amd64'],
    ]),
    env: process.env,
    domain: site.domain,
    registry: `registry.${site.domain}`,
    kubeconfig: site.kubeconfig,
  });
  const log = { step: () => undefined, line: () => undefined, end: () => undefined };
  const invocation = { ...change(usual), notices: [] };
  const run = await runInstaller(site.installer, invocation, { cwd, log, signal: AbortSignal.timeout(120_000) });
  if (run.failed === undefined) throw new Error('the installer was to fail, and did not');
  return run.failed;
}

function withEnv(more: Record<string, string>): (usual: Plain) => Plain {
  return ({ args, env }) => ({ args, env: { ...env, ...more } });
}
