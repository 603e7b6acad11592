import { registryAuth } from '../../lab/platform/registry.js';
import { claimSpec } from '../../lab/platform/workloads.js';
import { kinds } from '../../shared/cluster/objects.js';
import type { Topic } from './case.js';
import { refs } from './names.js';

/** The platform's own state. */
export const platform: Topic = {
  topic: 'platform',
  cases: [
    {
      name: 'the public registry asks for no password',
      code: 'registry-auth-open',
      evidence: /router\.middlewares/,
      remedy: /kubectl annotate ingress registry -n registry .*registry-admin-auth@file/,
      small: true,
      bundle: true,
      make: async (site) => {
        const path = ['metadata', 'annotations', registryAuth.annotation];
        await site.set(kinds.ingress, { namespace: 'registry', name: 'registry' }, path, undefined);
      },
    },
    {
      name: 'images are pulled from a ClusterIP',
      code: 'registry-endpoint-address',
      evidence: /MCP_REGISTRY_ENDPOINT=10\.43\.0\.77:5000/,
      make: (site) => site.set(kinds.configMap, refs.config, ['data', 'MCP_REGISTRY_ENDPOINT'], '10.43.0.77:5000'),
    },
    {
      name: 'a killed installer left its pushing pod',
      code: 'registry-pusher-left',
      severity: 'warning',
      evidence: /registry-pusher-1f2e: Running since/,
      remedy: /kubectl delete pod -n registry registry-pusher-1f2e/,
      make: async (site) => {
        const metadata = { namespace: 'registry', name: 'registry-pusher-1f2e' };
        const spec = { containers: [{ name: 'pusher', image: 'registry.invalid/pusher:1' }] };
        await site.add(kinds.pod, { metadata, spec });
      },
    },
    {
      name: 'teams would change a Traefik that is not there',
      code: 'traefik-watch',
      evidence: /PLATFORM_TEAM_TRAEFIK_WATCH=enabled, and Traefik runs in kube-system/,
      make: (site) => site.set(kinds.configMap, refs.config, ['data', 'PLATFORM_TEAM_TRAEFIK_WATCH'], 'enabled'),
    },
    {
      name: 'the platform’s passwords are gone',
      code: 'passwords-missing',
      evidence: /there is none in mcp-sentinel/,
      remedy: /operation: restore.*before setup/,
      small: true,
      make: (site) => site.remove(kinds.secret, refs.secrets),
    },
    {
      name: 'the registry’s key was changed, and no pull Secret',
      code: 'pull-secret-stale',
      evidence: /not UI_API_KEY of mcp-sentinel\/mcp-sentinel-secrets/,
      remedy: /run setup/,
      bundle: true,
      make: async (site) => {
        const key = Buffer.from('another-key').toString('base64');
        await site.set(kinds.secret, refs.secrets, ['data', 'UI_API_KEY'], key);
      },
    },
    {
      name: 'a pull Secret is gone',
      code: 'pull-secret-missing',
      evidence: /there is none in mcp-runtime/,
      make: (site) => site.remove(kinds.secret, { namespace: 'mcp-runtime', name: 'mcp-runtime-registry-pull' }),
    },
    {
      name: 'a volume of a class that is not there',
      code: 'volume-pending',
      evidence: /StorageClass fast does not exist/,
      remedy: /kubectl describe pvc -n mcp-sentinel reports/,
      small: true,
      make: async (site) => {
        const metadata = { namespace: 'mcp-sentinel', name: 'reports' };
        const spec = { ...claimSpec('1Gi'), storageClassName: 'fast' };
        await site.add(kinds.persistentVolumeClaim, { metadata, spec });
      },
    },
  ],
};
