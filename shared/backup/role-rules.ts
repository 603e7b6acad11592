import { keystoreKeys } from '../certificates/model.js';
import type { KubeObject } from '../cluster/objects.js';
import { keyOf } from '../cluster/objects.js';
import { hasRole, kindOf, type Role } from '../facts/roles.js';
import {
  isPlatformNamespace,
  platformConfig,
  platformSecrets,
  portableConfigKeys,
  pullSecretName,
} from '../platform/resources.js';

/**
 * What a restore may write, by role. The same rules say what a backup holds: whatever does not fit is told when the
 * backup is made, and not on the day of the restore. They are also what a stolen signing key can do at most.
 */
export interface Restorable {
  roles: readonly Role[];
  object: KubeObject;
}

/** Keys that cert-manager writes into a Certificate's Secret, keystores and additional formats included. */
const tlsKeys: readonly string[] = ['tls.crt', 'tls.key', 'ca.crt', ...keystoreKeys, 'tls-combined.pem', 'key.der'];

/** Types whose Secrets the cluster itself makes; restoring one would forge an identity. */
const clustersOwnTypes = [
  'kubernetes.io/service-account-token',
  'bootstrap.kubernetes.io/token',
  'helm.sh/release.v1',
] as const;

/** Types that a pull Secret may have. */
const pullTypes = ['kubernetes.io/dockerconfigjson', 'kubernetes.io/dockercfg', 'Opaque'];

/**
 * Variables by which a program's loader or runtime is told to run other code, or to send what it says elsewhere. The
 * platform's programs get each key of these Secrets as an environment variable, and none of these is one of the platform's.
 */
const runtimeVariables =
  /^(?:LD_.*|DYLD_.*|GCONV_PATH|PATH|NODE_.*|PYTHON.*|PERL.*|RUBY.*|JAVA_TOOL_OPTIONS|_JAVA_OPTIONS|JDK_JAVA_OPTIONS|BASH_ENV|ENV|GODEBUG|GIT_.*|SSL_CERT_.*|(?:HTTPS?|ALL|NO)_PROXY)$/i;

/** Labels of a namespace that belong to the platform or say how strict it is; others are their makers' to set again. */
const namespaceLabels =
  /^(?:app\.kubernetes\.io|pod-security\.kubernetes\.io|platform\.mcpruntime\.org|mcpruntime\.org)\//;

/** On a Secret that is not a Certificate's, labels can make other controllers take it for theirs. */
const secretLabels =
  /^(?:app\.kubernetes\.io|(?:controller\.)?cert-manager\.io|platform\.mcpruntime\.org|mcpruntime\.org)\//;

/** The controller of sealed Secrets takes over one that it has not made itself where this says so, and no other. */
const sealedAnnotation = { 'sealedsecrets.bitnami.com/managed': 'true' } as const;

/** Annotations that hold the whole object, or belong to who applied it before. */
const strippedAnnotations = ['kubectl.kubernetes.io/last-applied-configuration'];

/**
 * The part of an object that its roles cover: without what only its cluster knows (UIDs, versions, owners, status), and
 * without keys and labels that are not the role's to write.
 *
 * @returns the object to save, and what of the live one is not in it
 */
export function covered({ roles, object }: Restorable): { object: KubeObject; leftOut: string[] } {
  const { name, namespace } = object.metadata;
  const isNamespace = hasRole({ roles }, 'namespace');
  const labels = pick(object.metadata.labels, (label) => isKeptLabel(label, roles));
  const isSealed = object.metadata.ownerReferences?.some(({ kind }) => kind === 'SealedSecret') ?? false;
  const annotations = pick(
    isNamespace ? undefined : { ...object.metadata.annotations, ...(isSealed ? sealedAnnotation : {}) },
    (annotation) => !strippedAnnotations.includes(annotation),
  );
  const data = pick(dataOf(object), (key) => isKeptKey(key, roles));
  return {
    object: {
      apiVersion: object.apiVersion,
      kind: object.kind,
      metadata: {
        name,
        ...(namespace === undefined ? {} : { namespace }),
        ...(labels.kept === undefined ? {} : { labels: labels.kept }),
        ...(annotations.kept === undefined ? {} : { annotations: annotations.kept }),
      },
      ...(isNamespace || object.type === undefined ? {} : { type: object.type }),
      ...(isNamespace || object.immutable === undefined ? {} : { immutable: object.immutable }),
      ...(data.kept === undefined ? {} : { data: data.kept }),
    },
    leftOut: [
      ...labels.left.filter((label) => label !== 'kubernetes.io/metadata.name').map((label) => `label ${label}`),
      // Of a ConfigMap only named keys are kept, and everybody knows it.
      ...(hasRole({ roles }, 'platform-config') ? [] : data.left.map((key) => `key ${key}`)),
    ],
  };
}

/** Only the keys that cert-manager writes: what may go over a Secret that is there. */
export function onlyTlsKeys(data: Readonly<Record<string, string>> | undefined): Record<string, string> {
  return pick(data, (key) => tlsKeys.includes(key)).kept ?? {};
}

/**
 * Why a restore would not write an object in these roles; undefined when it would.
 *
 * @param managed names of the namespaces that carry the platform's label
 */
export function forbidden({ roles, object }: Restorable, managed: ReadonlySet<string>): string | undefined {
  const { kind, metadata } = object;
  const type = String(object.type ?? '');
  if (roles.some((role) => kindOf({ roles: [role] }).kind !== kind)) return `a ${kind} cannot be a ${roles.join(', ')}`;
  if ((kind === 'Namespace') !== (metadata.namespace === undefined)) return 'its scope is not that of its kind';
  if (kind === 'ConfigMap') {
    return isPortableConfig(object) ? undefined : 'only the portable keys of the platform’s own ConfigMap are restored';
  }
  if (kind !== 'Secret') return undefined;
  if (clustersOwnTypes.some((one) => one === type)) return `Secrets of type ${type} are made by the cluster itself`;
  const isPlatforms = isPlatformSecret(metadata, managed);
  if (hasRole({ roles }, 'platform-secret')) {
    if (!isPlatforms) return 'the platform has no Secret of this name there';
    if (metadata.name === pullSecretName && type !== '' && !pullTypes.includes(type)) {
      return `a pull Secret is not of type ${type}`;
    }
  } else if (isPlatforms) {
    return 'it is one of the platform’s own Secrets, and nothing else may be written there';
  }
  // cert-manager keeps the type of a Secret that it finds, which may be anybody's but not one that Kubernetes gives a meaning.
  if (hasRole({ roles }, 'tls') && type.includes('kubernetes.io/') && type !== 'kubernetes.io/tls') {
    return `a certificate is not kept in a Secret of type ${type}`;
  }
  return undefined;
}

function isPlatformSecret(metadata: { namespace?: string; name: string }, managed: ReadonlySet<string>): boolean {
  const namespace = metadata.namespace ?? '';
  if (metadata.name === pullSecretName) return isPlatformNamespace(namespace) || managed.has(namespace);
  return platformSecrets.some((one) => one.namespace === namespace && one.name === metadata.name);
}

function isKeptLabel(label: string, roles: readonly Role[]): boolean {
  if (hasRole({ roles }, 'namespace')) return namespaceLabels.test(label);
  return hasRole({ roles }, 'tls') || secretLabels.test(label);
}

function isKeptKey(key: string, roles: readonly Role[]): boolean {
  // Kubernetes allows it; a reader of JSON may take it for something else than a key.
  if (key === '__proto__') return false;
  if (hasRole({ roles }, 'platform-config')) return portableConfigKeys.some((one) => one === key);
  if (hasRole({ roles }, 'platform-secret') && runtimeVariables.test(key)) return false;
  // Whoever else reads the Secret needs the rest of it as well.
  return roles.some((role) => role !== 'tls') || tlsKeys.includes(key);
}

function isPortableConfig(object: KubeObject): boolean {
  return (
    keyOf(object.metadata) === keyOf(platformConfig) &&
    Object.keys(dataOf(object)).every((key) => isKeptKey(key, ['platform-config']))
  );
}

// Where an object comes in, its data was found to be a map of texts.
function dataOf(object: KubeObject): Record<string, string> {
  return (object.data ?? {}) as Record<string, string>;
}

function pick(
  map: Readonly<Record<string, string>> | undefined,
  isKept: (name: string) => boolean,
): { kept: Record<string, string> | undefined; left: string[] } {
  const all = Object.entries(map ?? {});
  const kept = all.filter(([name]) => isKept(name));
  return {
    kept: kept.length === 0 ? undefined : Object.fromEntries(kept),
    left: all.filter(([name]) => !isKept(name)).map(([name]) => name),
  };
}
