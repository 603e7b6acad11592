import * as z from 'zod';

const text = z.string().optional();
const number = z.number().optional();
const open = z.record(z.string(), z.unknown()).optional();
const declared = z.object({ name: z.string().default(''), description: text, labels: open });

const tool = declared.extend({
  requiredTrust: text,
  // Go writes the empty text where nothing was given, and the kind's schema refuses it.
  sideEffect: z.string().default(''),
  riskLevel: text,
});

/** The fields of an MCPServer; any others are dropped without a word, as the platform does. */
export const serverSpec = z.object({
  image: z.string().default(''),
  imageTag: text,
  description: text,
  replicas: number,
  port: number,
  servicePort: number,
  teamID: text,
  ingressHost: text,
  ingressPath: text,
  ingressClass: text,
  publicPathPrefix: text,
  resources: open,
  envVars: z.array(z.object({ name: z.string(), value: z.string().default('') })).optional(),
  secretEnvVars: z
    .array(z.object({ name: z.string(), secretKeyRef: z.object({ name: text, key: text }).optional() }))
    .optional(),
  tools: z.array(tool).optional(),
  prompts: z.array(declared).optional(),
  mcpResources: z.array(declared).optional(),
  tasks: z.array(declared).optional(),
  auth: z
    .object({
      mode: text,
      humanIDHeader: text,
      agentIDHeader: text,
      teamIDHeader: text,
      sessionIDHeader: text,
      issuerURL: text,
      audience: text,
      trustDomain: text,
    })
    .optional(),
  policy: z.object({ mode: text, defaultDecision: text, enforceOn: text, policyVersion: text }).optional(),
  session: z
    .object({
      required: z.boolean().optional(),
      store: text,
      headerName: text,
      maxLifetime: text,
      idleTimeout: text,
      upstreamTokenHeader: text,
    })
    .optional(),
  gateway: z
    .object({
      enabled: z.boolean().optional(),
      image: text,
      port: number,
      upstreamURL: text,
      stripPrefix: text,
      resources: open,
    })
    .optional(),
  analytics: z
    .object({ disabled: z.boolean().optional(), ingestURL: text, source: text, eventType: text, apiKeySecretRef: open })
    .optional(),
  rollout: z.object({ strategy: text, maxUnavailable: text, maxSurge: text, canaryReplicas: number }).optional(),
});

export type ServerSpec = z.infer<typeof serverSpec>;
