import type { PlatformFacts } from '../../facts/observe-platform.js';
import type { Finding } from '../finding.js';

type Reading = Pick<Finding, 'code' | 'cause' | 'remedy'>;

/** What the installer's own messages mean, the telling ones first. Texts: the platform's setup command. */
const readings: readonly (readonly [RegExp, Reading])[] = [
  [
    /requires MCP_REGISTRY_ENDPOINT/,
    {
      code: 'installer-registry-mode',
      cause: 'the registry mode is `auto`, which wants the very address that nodes pull from',
      remedy:
        'set `registry-mode: bundled-https` (MCP_SETUP_REGISTRY_MODE), and MCP_REGISTRY_ENDPOINT to the public registry host, never to a ClusterIP',
    },
  ],
  [
    /MCP_IMAGE_PLATFORM .{0,200} does not match|mixed.{0,200}architecture/i,
    {
      code: 'installer-image-platform',
      cause: 'the images would be built for another processor than the nodes’',
      remedy: 'set MCP_IMAGE_PLATFORM to the nodes’ platform, such as linux/amd64',
    },
  ],
  [
    /use either --acme-email/,
    {
      code: 'installer-both-issuers',
      cause:
        'both an ACME e-mail (first install) and an existing issuer (rerun) were given, one of them by the environment',
      remedy:
        'take MCP_ACME_EMAIL out of the profile and the environment; action-setup gives it on a first install only',
    },
  ],
  [
    /admin configuration is incomplete|platform host configuration is incomplete|requires --with-tls|sign-in|invalid .*mode/i,
    {
      code: 'installer-configuration',
      cause: 'the profile lacks what the installer needs',
      remedy: 'set what the message names in the profile',
    },
  ],
  [
    /failed to install CRD/,
    {
      code: 'installer-root',
      cause: 'the installer was not started in the root of the platform’s source',
      remedy: 'check out the platform’s repository, and give its folder in `source`',
    },
  ],
];

/** What the platform's installer said when it failed. A cause that is seen in the cluster explains it better, and comes first. */
export function checkInstaller({ installer }: PlatformFacts): Finding[] {
  if (installer === undefined) return [];
  const { step, message } = installer;
  const known = readings.find(([pattern]) => pattern.test(message))?.[1];
  return [
    {
      ...(known ?? {
        code: 'installer-step',
        cause: `the platform’s installer failed${step === undefined ? '' : ` in its step ${step}`}`,
        remedy: 'see the other findings and the installer’s output in the log; the installer can be run again',
      }),
      severity: 'error',
      subject: step === undefined ? 'mcp-runtime setup' : `mcp-runtime setup, step ${step}`,
      evidence: message.split('\n'),
      confidence: known === undefined ? 'likely' : 'certain',
    },
  ];
}
