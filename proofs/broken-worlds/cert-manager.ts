import { difference } from '../../lab/driver/meter.js';
import { objectOf } from '../../shared/cluster/cluster.js';
import { type KubeObject, kinds } from '../../shared/cluster/objects.js';
import { issuer, privateIssuer, refs } from './names.js';
import { closedPort } from './servers.js';
import type { Site } from './site.js';
import type { Topic } from './world.js';

/** cert-manager, and the issuers that it works for. */
export const certManager: Topic = {
  topic: 'cert-manager',
  worlds: [
    {
      name: 'its Deployments are gone, its kinds are there',
      code: 'certmanager-gone',
      evidence: /workloads in its namespace: none/,
      remedy: /run setup/,
      bundle: true,
      small: true,
      make: async (site) => {
        for (const ref of [refs.controller, refs.webhook, refs.cainjector]) await site.remove(kinds.deployment, ref);
        return undefined;
      },
    },
    {
      name: 'its controller is scaled to 0',
      code: 'certmanager-unready',
      evidence: /spec\.replicas is 0/,
      remedy: /kubectl scale -n cert-manager deploy\/cert-manager --replicas=1/,
      make: async (site) => {
        await site.set(kinds.deployment, refs.controller, ['spec', 'replicas'], 0);
        return undefined;
      },
    },
    {
      name: 'its webhook’s Deployment is gone',
      code: 'certmanager-unready',
      evidence: /it is not there/,
      make: async (site) => {
        await site.remove(kinds.deployment, refs.webhook);
        return undefined;
      },
    },
    {
      name: 'a killed restore left its brake on',
      code: 'brake-left',
      evidence: /held by acme\/platform\/1\/restore until 2026-01-01T00:00:00/,
      remedy: /kubectl delete validatingadmissionpolicybinding,validatingadmissionpolicy mcprt-brake/,
      small: true,
      make: async (site) => {
        await site.add(kinds.admissionPolicy, oldBrake());
        return undefined;
      },
    },
    {
      name: 'its webhook does not answer',
      code: 'certmanager-webhook-down',
      evidence: /failed calling webhook "webhook\.cert-manager\.io".*service "cert-manager-webhook" not found/,
      remedy: /rollout restart -n cert-manager deploy\/cert-manager-webhook/,
      bundle: true,
      make: async (site) => {
        await site.add(kinds.validatingWebhookConfiguration, webhookWithoutService());
        return undefined;
      },
    },
    {
      name: 'a version that the forecast does not know',
      code: 'certmanager-old',
      severity: 'warning',
      evidence: /app\.kubernetes\.io\/version: v1\.15\.3/,
      make: async (site) => {
        const path = ['metadata', 'labels', 'app.kubernetes.io/version'];
        await site.set(kinds.deployment, refs.controller, path, 'v1.15.3');
        return undefined;
      },
    },
    {
      name: 'the issuer is gone',
      code: 'issuer-missing',
      evidence: /Certificate registry\/registry-cert/,
      remedy: /acme-email/,
      bundle: true,
      make: async (site) => {
        await site.remove(kinds.clusterIssuer, { name: issuer });
        return undefined;
      },
    },
    {
      name: 'the ACME server cannot be reached',
      code: 'issuer-not-ready',
      evidence: /connection refused/,
      remedy: /kubectl describe clusterissuer letsencrypt-prod/,
      make: async (site) => {
        await setServer(site, `https://${await closedPort()}/dir`);
        return undefined;
      },
    },
    {
      name: 'the private CA’s Secret is gone',
      code: 'issuer-not-ready',
      evidence: /mcp-runtime-ca/,
      make: async (site) => {
        await site.remove(kinds.secret, { namespace: 'cert-manager', name: privateIssuer });
        return undefined;
      },
    },
    {
      name: 'the issuer orders from a staging CA',
      code: 'issuer-staging',
      severity: 'warning',
      evidence: /server: https:.*staging/,
      make: async (site) => {
        await setServer(site, `${site.stage.rig.state.acme.directory}?environment=staging`);
        return undefined;
      },
    },
  ],
};

/** Its kinds take every Certificate and issuer with them. The Secrets stay, and setup mends it without an order. */
export const certManagerKinds: Topic = {
  topic: 'cert-manager’s kinds',
  worlds: [
    {
      name: 'cert-manager is not installed',
      code: 'certmanager-missing',
      evidence: /cert-manager\.io is not served/,
      remedy: /setup installs it/,
      make: async (site) => {
        const { cluster, stage } = site;
        const { items } = await cluster.list(kinds.crd);
        const own = items.filter(({ metadata }) => /cert-manager\.io$/.test(metadata.name));
        const before = await stage.rig.meter();
        site.mendWith(async () => {
          const run = await stage.setup();
          const { orders } = difference(before, await stage.rig.meter());
          if (run.code !== 0 || orders !== 0) throw new Error(`setup: ${orders} orders\n${run.log.slice(-3000)}`);
        });
        for (const { metadata } of own) await cluster.delete(kinds.crd, metadata);
        return undefined;
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
