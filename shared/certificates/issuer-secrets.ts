/** The Secrets that an Issuer or ClusterIssuer refers to, by the fields of cert-manager's API. */
import { isRecord } from '../json.js';

/** What a Secret is to an issuer. `pull` is read by the kubelet for solver pods, in the namespace of each Certificate. */
export type IssuerSecretUse = 'account-key' | 'ca' | 'credential' | 'pull';

/** One reference in an issuer's spec. */
export interface IssuerSecretRef {
  readonly use: IssuerSecretUse;
  readonly name: string;
  /** Where a webhook's configuration says so; otherwise the namespace in which cert-manager looks for the issuer's Secrets. */
  readonly namespace?: string;
  /** Field path, for messages. */
  readonly path: string;
  /** Whether only its key in a webhook's configuration suggests that it names a Secret: cert-manager's API does not say. */
  readonly isGuess: boolean;
}

/**
 * Every reference to a Secret in the CRDs of issuers, cert-manager 1.16 to 1.21; `[]` stands for each item of a list. A field
 * holds the name, or an object with it. The proof `round-trip` looks for others in the CRDs of the lab's version.
 */
export const issuerSecretPaths: readonly (readonly [path: string, use: IssuerSecretUse])[] = [
  ['acme.privateKeySecretRef', 'account-key'],
  ['acme.externalAccountBinding.keySecretRef', 'credential'],
  ['acme.solvers[].dns01.acmeDNS.accountSecretRef', 'credential'],
  ['acme.solvers[].dns01.akamai.accessTokenSecretRef', 'credential'],
  ['acme.solvers[].dns01.akamai.clientSecretSecretRef', 'credential'],
  ['acme.solvers[].dns01.akamai.clientTokenSecretRef', 'credential'],
  ['acme.solvers[].dns01.azureDNS.clientSecretSecretRef', 'credential'],
  ['acme.solvers[].dns01.cloudDNS.serviceAccountSecretRef', 'credential'],
  ['acme.solvers[].dns01.cloudflare.apiKeySecretRef', 'credential'],
  ['acme.solvers[].dns01.cloudflare.apiTokenSecretRef', 'credential'],
  ['acme.solvers[].dns01.digitalocean.tokenSecretRef', 'credential'],
  ['acme.solvers[].dns01.rfc2136.tsigSecretSecretRef', 'credential'],
  ['acme.solvers[].dns01.route53.accessKeyIDSecretRef', 'credential'],
  ['acme.solvers[].dns01.route53.secretAccessKeySecretRef', 'credential'],
  ['acme.solvers[].http01.ingress.podTemplate.spec.imagePullSecrets[]', 'pull'],
  ['acme.solvers[].http01.gatewayHTTPRoute.podTemplate.spec.imagePullSecrets[]', 'pull'],
  ['ca.secretName', 'ca'],
  ['vault.auth.appRole.secretRef', 'credential'],
  ['vault.auth.clientCertificate.secretName', 'credential'],
  ['vault.auth.kubernetes.secretRef', 'credential'],
  ['vault.auth.tokenSecretRef', 'credential'],
  ['vault.caBundleSecretRef', 'credential'],
  ['vault.clientCertSecretRef', 'credential'],
  ['vault.clientKeySecretRef', 'credential'],
  ['venafi.cloud.apiTokenSecretRef', 'credential'],
  ['venafi.ngts.credentialsRef', 'credential'],
  ['venafi.tpp.caBundleSecretRef', 'credential'],
  ['venafi.tpp.credentialsRef', 'credential'],
];

/** The one field whose content each DNS provider's webhook defines by itself. */
const webhookConfigPath = 'acme.solvers[].dns01.webhook.config';

/** Everything that an issuer's spec refers to, in the order of `issuerSecretPaths`. */
export function issuerSecretRefs(spec: Readonly<Record<string, unknown>>): IssuerSecretRef[] {
  const certain = issuerSecretPaths.flatMap(([path, use]) =>
    valuesAt(spec, path).flatMap((value): IssuerSecretRef[] => {
      const name = nameIn(value);
      return name === undefined ? [] : [{ use, name, path, isGuess: false }];
    }),
  );
  const guessed = valuesAt(spec, webhookConfigPath).flatMap((config) => guesses(config, webhookConfigPath, 0));
  return [...certain, ...guessed];
}

/** Deeper nesting is no configuration that a person wrote. */
const deepest = 16;
/** A name of an object, which a Secret's must be. */
const objectName = /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/;
/** By such a key a text, or the `name` of an object, can name a Secret. */
const secretKey = /secret|credential|token|password|passwd|passphrase|account|auth|api-?key|key-?ref|ref$/i;

/** Texts of a webhook's configuration that can name a Secret by the key that they stand under. */
function guesses(value: unknown, path: string, depth: number): IssuerSecretRef[] {
  if (depth > deepest) return [];
  if (Array.isArray(value)) return value.flatMap((item) => guesses(item, `${path}[]`, depth + 1));
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([key, inner]): IssuerSecretRef[] => {
    const at = `${path}.${key}`;
    const below = typeof inner === 'string' ? [] : guesses(inner, at, depth + 1);
    if (!secretKey.test(key)) return below;
    return [...namesUnder(inner, isRecord(inner) ? inner : value).map((found) => ({ ...found, path: at })), ...below];
  });
}

function namesUnder(value: unknown, around: Record<string, unknown>): Omit<IssuerSecretRef, 'path'>[] {
  if (Array.isArray(value)) return value.flatMap((item) => namesUnder(item, isRecord(item) ? item : around));
  const name = nameIn(value);
  if (name === undefined || !objectName.test(name)) return [];
  const namespace = around.namespace ?? around.secretNamespace;
  return [
    {
      use: 'credential',
      name,
      isGuess: true,
      ...(typeof namespace === 'string' && objectName.test(namespace) ? { namespace } : {}),
    },
  ];
}

function nameIn(value: unknown): string | undefined {
  const name = isRecord(value) ? value.name : value;
  return typeof name === 'string' && name !== '' ? name : undefined;
}

function valuesAt(value: unknown, path: string): unknown[] {
  return path.split('.').reduce<unknown[]>(
    (found, step) => {
      const field = step.replace('[]', '');
      const next = found.flatMap((one) => (isRecord(one) && one[field] !== undefined ? [one[field]] : []));
      return step.endsWith('[]') ? next.flatMap((one) => (Array.isArray(one) ? (one as unknown[]) : [])) : next;
    },
    [value],
  );
}
