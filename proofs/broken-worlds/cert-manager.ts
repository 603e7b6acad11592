import { objectOf } from '../../shared/cluster/cluster.js';
import { type KubeObject, kinds } from '../../shared/cluster/objects.js';
import { mustWork } from '../support/runs.js';
import type { Topic } from './case.js';
import { issuer, privateIssuer, refs } from './names.js';
import { closedPort } from './servers.js';
import type { Site } from './site.js';

/** cert-manager, and the issuers that it works for. */
export const certManager: Topic = {
  topic: 'cert-manager',
  cases: [
    {
      name: 'its Deployments are gone, its kinds are there',
      code: 'certmanager-gone',
      evidence: /workloads in its namespace: none/,
      remedy: /run setup/,
      bundle: true,
      small: true,
      make: async (site) => {
        for (const ref of [refs.controller, refs.webhook, refs.cainjector]) await site.remove(kinds.deployment, ref);
      },
    },
    {
      name: 'its controller is scaled to 0',
      code: 'certmanager-unready',
      evidence: /spec\.replicas is 0/,
      remedy: /kubectl scale -n cert-manager deploy\/cert-manager --replicas=1/,
      make: (site) => site.set(kinds.deployment, refs.controller, ['spec', 'replicas'], 0),
    },
    {
      name: 'its webhook’s Deployment is gone',
      code: 'certmanager-unready',
      evidence: /it is not there/,
      make: (site) => site.remove(kinds.deployment, refs.webhook),
    },
    {
      name: 'a killed restore left its brake on',
      code: 'brake-left',
      evidence: /held by acme\/platform\/1\/restore until 2026-01-01 00:00 UTC, \d+ days ago/,
      remedy: /kubectl delete validatingadmissionpolicybinding,validatingadmissionpolicy mcprt-brake/,
      small: true,
      make: (site) => site.add(kinds.admissionPolicy, oldBrake()),
    },
    {
      name: 'its webhook does not answer',
      code: 'certmanager-webhook-down',
      evidence: /failed calling webhook "webhook\.cert-manager\.io".*service "cert-manager-webhook" not found/,
      remedy: /rollout restart -n cert-manager deploy\/cert-manager-webhook/,
      bundle: true,
      make: (site) => site.add(kinds.validatingWebhookConfiguration, webhookWithoutService()),
    },
    {
      name: 'a version that the forecast does not know',
      code: 'certmanager-old',
      severity: 'warning',
      evidence: /app\.kubernetes\.io\/version: v1\.15\.3/,
      make: async (site) => {
        const path = ['metadata', 'labels', 'app.kubernetes.io/version'];
        await site.set(kinds.deployment, refs.controller, path, 'v1.15.3');
      },
    },
    {
      name: 'the issuer is gone',
      code: 'issuer-missing',
      evidence: /Certificate registry\/registry-cert/,
      remedy: /acme-email/,
      bundle: true,
      make: (site) => site.remove(kinds.clusterIssuer, { name: issuer }),
    },
    {
      name: 'the ACME server cannot be reached',
      code: 'issuer-not-ready',
      evidence: /connection refused/,
      remedy: /kubectl describe clusterissuer letsencrypt-prod/,
      make: async (site) => setServer(site, `https://${await closedPort()}/dir`),
    },
    {
      name: 'the private CA’s Secret is gone',
      code: 'issuer-not-ready',
      evidence: /mcp-runtime-ca/,
      make: (site) => site.remove(kinds.secret, { namespace: 'cert-manager', name: privateIssuer }),
    },
    {
      name: 'the issuer orders from a staging CA',
      code: 'issuer-staging',
      severity: 'warning',
      evidence: /server: https:.*staging/,
      make: (site) => setServer(site, `${site.state.acme.directory}?environment=staging`),
    },
  ],
};

/** Its kinds take every Certificate and issuer with them. The Secrets stay, and setup mends it without an order. */
export const certManagerKinds: Topic = {
  topic: 'cert-manager’s kinds',
  cases: [
    {
      name: 'cert-manager is not installed',
      code: 'certmanager-missing',
      evidence: /cert-manager\.io is not served/,
      remedy: /setup installs it/,
      make: async (site) => {
        const { cluster } = site;
        const { items } = await cluster.list(kinds.crd);
        const own = items.filter(({ metadata }) => /cert-manager\.io$/.test(metadata.name));
        site.mendWith(async () => {
          const { result: run, orders } = await site.counting(() => site.setup());
          mustWork('setup', run);
          if (orders !== 0) throw new Error(`setup: ${orders} orders`);
        });
        for (const { metadata } of own) await cluster.delete(kinds.crd, metadata);
      },
    },
  ],
};

function setServer(site: Site, server: string): Promise<void> {
  return site.set(kinds.clusterIssuer, { name: issuer }, ['spec', 'acme', 'server'], server);
}

/** cert-manager's own configuration, as far as Certificates go; the Service that it names is not there. */
function webhookWithoutService() {
  return objectOf(kinds.validatingWebhookConfiguration, {
    metadata: { name: 'cert-manager-webhook' },
    webhooks: [
      {
        name: 'webhook.cert-manager.io',
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        failurePolicy: 'Fail',
        rules: [
          {
            apiGroups: ['cert-manager.io'],
            apiVersions: ['v1'],
            operations: ['CREATE', 'UPDATE'],
            resources: ['certificates', 'issuers', 'clusterissuers'],
          },
        ],
        clientConfig: { service: { namespace: 'cert-manager', name: 'cert-manager-webhook', path: '/validate' } },
      },
    ],
  });
}

/** As a restore of long ago makes it; without a binding, which would deny the lab's other orders. */
function oldBrake(): KubeObject {
  const annotations = { 'mcprt.dev/run': 'acme/platform/1/restore', 'mcprt.dev/expires': '2026-01-01T00:00:00.000Z' };
  const orders = {
    apiGroups: ['acme.cert-manager.io'],
    apiVersions: ['*'],
    operations: ['CREATE'],
    resources: ['orders'],
  };
  return objectOf(kinds.admissionPolicy, {
    metadata: { name: 'mcprt-brake', annotations },
    spec: { matchConstraints: { resourceRules: [orders] }, validations: [{ expression: 'false' }] },
  });
}
