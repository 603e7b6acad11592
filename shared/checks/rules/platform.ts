import { isIP } from 'node:net';
import { textAt } from '../../cluster/fields.js';
import { keyOf, kinds } from '../../cluster/objects.js';
import type { PlatformFacts } from '../../facts/observe-platform.js';
import { registryAuth } from '../../platform/registry-auth.js';
import { passwordsSecret, platformConfig, platformNamespaces, pullSecretName } from '../../platform/resources.js';
import { hostOf } from '../../profile/forms.js';
import type { Finding } from '../finding.js';
import { finding } from '../finding.js';

/** The platform's own state: registry authentication, pull host, pull Secrets, Traefik watch, volumes. */
export function checkPlatform(facts: PlatformFacts): Finding[] {
  return [
    ...missing(facts),
    ...registryOpen(facts),
    ...pushers(facts),
    ...config(facts),
    ...passwords(facts),
    ...pullSecrets(facts),
    ...volumes(facts),
  ];
}

/**
 * Before the first install, after a wipe, and after a restore, which brings back namespaces and Secrets and nothing that
 * runs: the platform is where its workloads are.
 */
function missing(facts: PlatformFacts): Finding[] {
  const parts = [platformNamespaces.registry, platformNamespaces.sentinel];
  const absent = parts.flatMap((name) => absence(name, facts) ?? []);
  if (absent.length === 0) return [];
  return [
    finding('platform-missing', {
      subject: 'MCP Runtime',
      cause: `${absent.length < parts.length ? 'a part of the platform' : 'the platform'} is not installed`,
      evidence: absent,
      remedy: 'run setup; with the restore key of a backup it orders nothing that was there before',
    }),
  ];
}

/** How a namespace shows that nothing is installed in it; undefined where something is, or where that cannot be read. */
function absence(name: string, { seen, workloads, unseen }: PlatformFacts): string | undefined {
  if (!seen.namespaces.some(({ metadata }) => metadata.name === name)) return `there is no namespace ${name}`;
  const isHidden = [kinds.deployment, kinds.statefulSet, kinds.daemonSet].some(({ plural }) =>
    unseen.includes(`${plural} in ${name}`),
  );
  const isEmpty = !workloads.some(({ metadata }) => metadata.namespace === name);
  return isEmpty && !isHidden ? `namespace ${name} has no workload` : undefined;
}

/** The installer opens the registry while it pushes; a killed one leaves it open to anyone. */
function registryOpen({ seen }: PlatformFacts): Finding[] {
  const ingress = seen.ingresses.find(
    ({ metadata }) => metadata.namespace === registryAuth.namespace && metadata.name === registryAuth.name,
  );
  if (ingress === undefined || ingress.metadata.annotations?.[registryAuth.annotation] !== undefined) return [];
  return [
    finding('registry-auth-open', {
      subject: `Ingress ${registryAuth.namespace}/${registryAuth.name}`,
      cause: 'the public registry asks for no password: anyone can push and pull images',
      evidence: [`it has no annotation ${registryAuth.annotation}`],
      remedy: `\`kubectl annotate ingress ${registryAuth.name} -n ${registryAuth.namespace} ${registryAuth.annotation}=${registryAuth.value}\``,
    }),
  ];
}

function pushers({ pods }: PlatformFacts): Finding[] {
  const left = pods.filter(
    ({ metadata }) =>
      metadata.namespace === platformNamespaces.registry && metadata.name.startsWith('registry-pusher-'),
  );
  if (left.length === 0) return [];
  return [
    finding('registry-pusher-left', {
      severity: 'warning',
      subject: left.map(({ metadata }) => `Pod ${metadata.namespace}/${metadata.name}`).join(', '),
      cause: 'an installer that was killed left the pod with which it pushed images, or one is running now',
      evidence: left.map(
        ({ metadata, status }) => `${metadata.name}: ${textAt(status, 'phase')} since ${metadata.creationTimestamp}`,
      ),
      remedy: `\`kubectl delete pod -n ${platformNamespaces.registry} ${left.map(({ metadata }) => metadata.name).join(' ')}\``,
      confidence: 'likely',
    }),
  ];
}

function config({ config: values, workloads }: PlatformFacts): Finding[] {
  if (values === undefined) return [];
  const found: Finding[] = [];
  const subject = `ConfigMap ${platformConfig.namespace}/${platformConfig.name}`;
  const endpoint = values.MCP_REGISTRY_ENDPOINT ?? '';
  if (isIP(hostOf(endpoint)) !== 0) {
    found.push(
      finding('registry-endpoint-address', {
        subject,
        cause: 'images are pulled from an address, and no public certificate is for an address: every pull fails',
        evidence: [`MCP_REGISTRY_ENDPOINT=${endpoint}`],
        remedy: 'set MCP_REGISTRY_ENDPOINT in the profile to the public registry host, and run setup or a rollout',
      }),
    );
  }
  const inKubeSystem = workloads.some(
    ({ kind, metadata }) =>
      kind === 'Deployment' && metadata.name === 'traefik' && metadata.namespace === 'kube-system',
  );
  const watch = values.PLATFORM_TEAM_TRAEFIK_WATCH;
  if (inKubeSystem && watch !== 'disabled') {
    found.push(
      finding('traefik-watch', {
        subject,
        cause:
          'creating a team changes a Traefik that is not there, and fails with "failed to provision team namespace"',
        evidence: [`PLATFORM_TEAM_TRAEFIK_WATCH=${watch ?? '(unset)'}, and Traefik runs in kube-system`],
        remedy:
          'set PLATFORM_TEAM_TRAEFIK_WATCH=disabled in the profile, and run setup or a rollout; the API reads it when it starts',
      }),
    );
  }
  return found;
}

/** What runs has read them; without them no pod starts again, and an installer makes ones that the databases do not know. */
function passwords(facts: PlatformFacts): Finding[] {
  const { namespace } = passwordsSecret;
  const isInstalled = facts.workloads.some(({ metadata }) => metadata.namespace === namespace);
  if (facts.hasPasswords !== false || !isInstalled) return [];
  return [
    finding('passwords-missing', {
      subject: `Secret ${keyOf(passwordsSecret)}`,
      cause: 'the platform’s passwords and keys are gone: its pods keep what they have read, and none starts again',
      evidence: [`there is none in ${namespace}`],
      remedy:
        'restore it from a backup with `operation: restore` of action-backup, before setup runs: without it setup makes other passwords than the platform’s database has',
    }),
  ];
}

function pullSecrets({ pullSecrets: found }: PlatformFacts): Finding[] {
  return (['missing', 'stale'] as const).flatMap((state): Finding[] => {
    const affected = found.filter((one) => one.state === state).map(({ namespace }) => namespace);
    if (affected.length === 0) return [];
    return [
      finding(`pull-secret-${state}`, {
        subject: affected.map((namespace) => `Secret ${namespace}/${pullSecretName}`).join(', '),
        cause:
          state === 'missing'
            ? 'the Secret with which nodes pull images is not there'
            : 'the Secret with which nodes pull images holds another password than the registry takes: pulls fail with "no basic auth credentials" or 401',
        evidence: [
          state === 'missing'
            ? `there is none in ${affected.join(', ')}`
            : `its password is not UI_API_KEY of ${keyOf(passwordsSecret)} (compared by digest)`,
        ],
        remedy: 'run setup, which makes it again from the present key; a rollout does too',
      }),
    ];
  });
}

function volumes({ claims, storageClasses }: PlatformFacts): Finding[] {
  const bindsLate = (name: string): boolean =>
    storageClasses.some(
      (one) => one.metadata.name === name && textAt(one, 'volumeBindingMode') === 'WaitForFirstConsumer',
    );
  return claims
    .filter((claim) => textAt(claim, 'status', 'phase') === 'Pending')
    .map(({ metadata, spec }): Finding => {
      const wanted = textAt(spec, 'storageClassName');
      const isKnown = storageClasses.some((one) => one.metadata.name === wanted);
      return finding('volume-pending', {
        subject: `PersistentVolumeClaim ${metadata.namespace}/${metadata.name}`,
        cause: 'the volume is not there, so the pod that needs it cannot start',
        evidence: [
          `StorageClass ${wanted || '(none)'}${isKnown ? '' : ' does not exist'}${bindsLate(wanted) ? ' waits for a pod that uses the volume' : ''}`,
        ],
        remedy: `\`kubectl describe pvc -n ${metadata.namespace} ${metadata.name}\`; \`kubectl get pods -n kube-system\` (local-path-provisioner)`,
      });
    });
}
