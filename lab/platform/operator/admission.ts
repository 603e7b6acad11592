import { createServer } from 'node:https';
import { buffer } from 'node:stream/consumers';
import type { Cluster } from '../../../shared/cluster/cluster.js';
import { at, numberAt, recordsAt, textAt } from '../../../shared/cluster/fields.js';
import { kinds } from '../../../shared/cluster/objects.js';
import { isRecord } from '../../../shared/json.js';
import { makeServerCertificate } from '../certificate-authority.js';
import { operatorWebhooks } from './objects.js';

/** The operator's validating webhooks, served where the lab's API server reaches them. */
export interface Admission {
  close(): Promise<void>;
}

/**
 * Serves the validating webhooks and registers them by URL: to their Service nothing leads in a lab. The registration
 * stays when they are closed, and from then on the API server refuses what they would have judged.
 */
export async function startAdmission(cluster: Cluster): Promise<Admission> {
  const own = await makeServerCertificate(['localhost']);
  const server = createServer({ cert: own.certificate, key: own.key }, (request, response) => {
    buffer(request)
      .then((body) => {
        const review: unknown = JSON.parse(body.toString('utf8'));
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(judge(review)));
      })
      .catch(() => response.writeHead(400).end());
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const caBundle = Buffer.from(own.certificate).toString('base64');
  for (const [kind, object] of operatorWebhooks(caBundle)) {
    if (kind !== kinds.validatingWebhookConfiguration) continue;
    const webhooks = recordsAt(object, 'webhooks').map((hook) => ({
      ...hook,
      clientConfig: { caBundle, url: `https://localhost:${port}${textAt(hook, 'clientConfig', 'service', 'path')}` },
    }));
    await cluster.apply(kind, { ...object, webhooks }, { force: true, manager: 'mcp-runtime' });
  }
  return {
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function judge(review: unknown): Record<string, unknown> {
  const object = at(review, 'request', 'object');
  const problem = textAt(object, 'kind') === 'MCPServer' ? problemOf(at(object, 'spec')) : undefined;
  const name = textAt(object, 'metadata', 'name');
  const status = {
    code: 422,
    reason: 'Invalid',
    message: `MCPServer.mcpruntime.org ${JSON.stringify(name)} is invalid: ${problem}`,
  };
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: {
      uid: textAt(review, 'request', 'uid'),
      allowed: problem === undefined,
      ...(problem === undefined ? {} : { status }),
    },
  };
}

/** What the platform's own validation finds wrong with a server, in its words. */
export function problemOf(spec: unknown): string | undefined {
  const required = (field: string, what: string): string => `spec.${field}: Required value: ${what}`;
  const tools = recordsAt(spec, 'tools').map((one) => textAt(one, 'name'));
  for (const [index, name] of tools.entries()) {
    if (name === '') return required(`tools[${index}].name`, 'tool name is required');
    if (tools.indexOf(name) < index) return `spec.tools[${index}].name: Duplicate value: ${JSON.stringify(name)}`;
  }
  const hasGateway = at(spec, 'gateway', 'enabled') === true;
  const [port, gatewayPort] = [numberAt(spec, 'port') ?? 8088, numberAt(spec, 'gateway', 'port') ?? 8091];
  if (hasGateway && port === gatewayPort) {
    return `spec.gateway.port: Invalid value: ${gatewayPort}: gateway.port must differ from spec.port`;
  }
  const mode = textAt(spec, 'auth', 'mode');
  if (mode === 'oauth' && textAt(spec, 'auth', 'issuerURL') === '') {
    return required('auth.issuerURL', 'auth.issuerURL is required when auth.mode is oauth');
  }
  if (mode === 'mtls' && textAt(spec, 'auth', 'trustDomain') === '') {
    return required('auth.trustDomain', 'auth.trustDomain is required when auth.mode is mtls');
  }
  const analytics = at(spec, 'analytics');
  if (isRecord(analytics) && analytics.disabled !== true && !hasGateway) {
    return 'spec.analytics: Forbidden: analytics emission requires gateway.enabled; enable the gateway or disable analytics';
  }
  if (textAt(spec, 'rollout', 'strategy') === 'Canary' && numberAt(spec, 'rollout', 'canaryReplicas') === undefined) {
    return required('rollout.canaryReplicas', 'rollout.canaryReplicas is required when rollout.strategy is Canary');
  }
  for (const [index, one] of recordsAt(spec, 'secretEnvVars').entries()) {
    const field = `secretEnvVars[${index}].secretKeyRef`;
    if (textAt(one, 'secretKeyRef', 'name') === '' || textAt(one, 'secretKeyRef', 'key') === '') {
      return required(field, 'secretKeyRef.name and secretKeyRef.key are required');
    }
  }
  return undefined;
}
