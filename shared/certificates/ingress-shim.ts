/** The Certificates that cert-manager's ingress-shim makes of an Ingress (pkg/controller/certificate-shim, controller for Ingress). */
import { has } from './backports.js';
import type { Certificate, Ingress, IssuerRef } from './model.js';
import { addressKey } from './sans.js';
import { specFromAnnotations } from './shim-annotations.js';
import { type CertManagerVersion, certManagerVersion } from './version.js';

/** Controller flags, with their defaults: `--default-issuer-*`, `--auto-certificate-annotations`, `--extra-certificate-annotations`. */
export interface ShimOptions {
  readonly certManagerVersion: string;
  /** Whether `--controllers` leaves ingress-shim out: then no Ingress is answered. */
  readonly disabled?: boolean;
  /** Whether gateway-shim runs (`--enable-gateway-api`): otherwise no Gateway is answered. */
  readonly gateways?: boolean;
  readonly defaultIssuerName?: string;
  readonly defaultIssuerKind?: string;
  readonly defaultIssuerGroup?: string;
  readonly autoCertificateAnnotations?: readonly string[];
  readonly extraCertificateAnnotations?: readonly string[];
}

/** What ingress-shim makes of an Ingress, and the texts of what it refuses. A problem of the Ingress as a whole leaves no Certificate. */
export interface ShimIntent {
  readonly certificates: readonly Certificate[];
  readonly problems: readonly string[];
}

const nothing: ShimIntent = { certificates: [], problems: [] };

/**
 * The Certificates that ingress-shim would create for an Ingress in a cluster that has none yet. Each is named like its Secret and
 * controlled by the Ingress. An existing Certificate of that name that the Ingress does not control is left alone by the shim:
 * the caller compares.
 * Source: cert-manager pkg/controller/certificate-shim/sync.go SyncFnFor, buildCertificates.
 * @throws McprtError `certmanager-version` when the version cannot be read
 */
export function shimCertificates(ingress: Ingress, options: ShimOptions): ShimIntent {
  const version = certManagerVersion(options.certManagerVersion);
  if (!asksForCertificates(ingress, options) || isBeingDeleted(ingress)) return nothing;
  const issuer = issuerOf(ingress, options);
  if (!issuer.ok)
    return {
      certificates: [],
      problems: [`Could not determine issuer for ingress due to bad annotations: ${issuer.error}`],
    };
  const duplicates = duplicateSecretNames(ingress);
  if (duplicates.length > 0) return { certificates: [], problems: [aggregate(duplicates)] };

  const { blocks, problems } = usableBlocks(ingress);
  const certificates: Certificate[] = [];
  for (const block of blocks) {
    const certificate = buildCertificate(ingress, { ...block, issuerRef: issuer.value, options, version });
    // An unusable annotation fails the whole Ingress, not one block.
    if (!certificate.ok) return { certificates: [], problems: [...problems, certificate.error] };
    certificates.push(certificate.value);
  }
  return { certificates, problems };
}

type UsableBlock = Pick<Block, 'secretName' | 'hosts'>;

/** The TLS blocks with a Secret and hosts, and what is wrong with the others (sync.go validateIngressTLSBlock). */
function usableBlocks(ingress: Ingress): { blocks: UsableBlock[]; problems: string[] } {
  const blocks: UsableBlock[] = [];
  const problems: string[] = [];
  for (const [index, { hosts = [], secretName = '' }] of (ingress.spec.tls ?? []).entries()) {
    const missing = [...(hosts.length === 0 ? ['hosts'] : []), ...(secretName === '' ? ['secretName'] : [])];
    if (missing.length === 0) blocks.push({ secretName, hosts });
    else {
      const texts = missing.map((field) => `spec.tls[${index}].${field}: Required value`);
      problems.push(`Skipped a TLS block: ${aggregate(texts)}`);
    }
  }
  return { blocks, problems };
}

type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: string };

const issuerAnnotation = 'cert-manager.io/issuer';
const clusterIssuerAnnotation = 'cert-manager.io/cluster-issuer';
const issuerKindAnnotation = 'cert-manager.io/issuer-kind';
const issuerGroupAnnotation = 'cert-manager.io/issuer-group';

function asksForCertificates(ingress: Ingress, options: ShimOptions): boolean {
  const isGateway = ingress.kind === 'Gateway';
  if (isGateway ? options.gateways !== true : options.disabled === true) return false;
  const annotations = ingress.metadata.annotations ?? {};
  if (issuerAnnotation in annotations || clusterIssuerAnnotation in annotations) return true;
  const automatic = isGateway ? [] : (options.autoCertificateAnnotations ?? ['kubernetes.io/tls-acme']);
  // The spellings of "true" that Go strconv.ParseBool knows.
  return automatic.some((name) => /^(?:1|t|T|true|TRUE|True)$/.test(annotations[name] ?? ''));
}

function isBeingDeleted(ingress: Ingress): boolean {
  const { deletionTimestamp, finalizers } = ingress.metadata;
  return deletionTimestamp !== undefined || (finalizers ?? []).includes('foregroundDeletion');
}

/** sync.go issuerForIngressLike. */
function issuerOf(ingress: Ingress, options: ShimOptions): Result<IssuerRef> {
  const annotations = ingress.metadata.annotations ?? {};
  const issuer = annotations[issuerAnnotation];
  const clusterIssuer = annotations[clusterIssuerAnnotation];
  const kind = annotations[issuerKindAnnotation];
  const group = annotations[issuerGroupAnnotation];
  const name = clusterIssuer ?? issuer ?? options.defaultIssuerName ?? '';
  const impliedKind =
    clusterIssuer !== undefined ? 'ClusterIssuer' : issuer !== undefined ? 'Issuer' : options.defaultIssuerKind;
  const both = (first: string, second: string) => `both "${first}" and "${second}" may not be set`;
  const errors = [
    ...(name === '' ? ['failed to determine issuer name to be used for ingress resource'] : []),
    ...(issuer !== undefined && clusterIssuer !== undefined ? [both(issuerAnnotation, clusterIssuerAnnotation)] : []),
    ...(clusterIssuer !== undefined && group !== undefined
      ? [both(clusterIssuerAnnotation, issuerGroupAnnotation)]
      : []),
    ...(clusterIssuer !== undefined && kind !== undefined ? [both(clusterIssuerAnnotation, issuerKindAnnotation)] : []),
  ];
  if (errors.length > 0) return { ok: false, error: errors.join(', ') };
  return {
    ok: true,
    value: {
      name,
      kind: kind ?? impliedKind ?? 'Issuer',
      group: group ?? options.defaultIssuerGroup ?? 'cert-manager.io',
    },
  };
}

/** Two TLS blocks with one Secret would be two Certificates of one name (sync.go checkForDuplicateSecretNames). */
function duplicateSecretNames(ingress: Ingress): string[] {
  const names = (ingress.spec.tls ?? []).map((block) => block.secretName ?? '');
  return [...new Set(names)].flatMap((name) => {
    const [first, second] = names.flatMap((other, index) => (other === name ? [`spec.tls[${index}].secretName`] : []));
    if (second === undefined) return [];
    const why = `this secret name must only appear in a single TLS entry but is also used in ${second}`;
    return [`${first}: Invalid value: "${name}": ${why}`];
  });
}

/** Several errors as one, as apimachinery prints an aggregate. */
function aggregate(errors: readonly string[]): string {
  return errors.length === 1 ? errors.join() : `[${errors.join(', ')}]`;
}

interface Block {
  readonly secretName: string;
  readonly hosts: readonly string[];
  readonly issuerRef: IssuerRef;
  readonly options: ShimOptions;
  readonly version: CertManagerVersion;
}

function buildCertificate(
  ingress: Ingress,
  { secretName, hosts, issuerRef, options, version }: Block,
): Result<Certificate> {
  const annotations = ingress.metadata.annotations ?? {};
  const unique = has(version, 'hostsOnce') ? [...new Set(hosts)] : hosts;
  const spec = specFromAnnotations(
    {
      secretName,
      issuerRef,
      dnsNames: unique.filter((host) => addressKey(host) === undefined),
      ipAddresses: unique.filter((host) => addressKey(host) !== undefined),
      usages: ['digital signature', 'key encipherment'],
    },
    annotations,
    version,
  );
  if (!spec.ok) return spec;
  const { name, namespace, uid } = ingress.metadata;
  return {
    ok: true,
    value: {
      metadata: {
        name: secretName,
        ...(namespace === undefined ? {} : { namespace }),
        labels: certificateLabels(ingress, version),
        annotations: certificateAnnotations(ingress, options, version),
        ownerReferences: [
          {
            ...(ingress.kind === 'Gateway' ? gatewayType : ingressType),
            name,
            uid: uid ?? '',
            controller: true,
            blockOwnerDeletion: true,
          },
        ],
      },
      spec: spec.value,
    },
  };
}

const ingressType = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' } as const;
const gatewayType = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'Gateway' } as const;
const applySetLabel = 'applyset.kubernetes.io/part-of';

function certificateLabels(ingress: Ingress, version: CertManagerVersion): Record<string, string> {
  const { [applySetLabel]: applySet, ...labels } = ingress.metadata.labels ?? {};
  const kept = applySet !== undefined && !version.atLeast(1, 17);
  return kept ? { ...labels, [applySetLabel]: applySet } : labels;
}

/** Annotations for the ACME solver (sync.go setIssuerSpecificConfig), and those that the operator lets through. */
function certificateAnnotations(
  ingress: Ingress,
  options: ShimOptions,
  version: CertManagerVersion,
): Record<string, string> {
  const given = ingress.metadata.annotations ?? {};
  const found: Record<string, string> = {};
  for (const name of options.extraCertificateAnnotations ?? []) {
    const value = given[name];
    if (value !== undefined) found[name] = value;
  }
  if (given['acme.cert-manager.io/http01-edit-in-place'] === 'true') {
    found['acme.cert-manager.io/http01-override-ingress-name'] = ingress.metadata.name;
    found['cert-manager.io/issue-temporary-certificate'] = 'true';
  }
  const knowsNames = version.atLeast(1, 20);
  const ingressClass = given['acme.cert-manager.io/http01-ingress-class'];
  // An empty class was passed on too, before there was a name for it beside.
  if (ingressClass || (ingressClass === '' && !knowsNames)) {
    found['acme.cert-manager.io/http01-override-ingress-class'] = ingressClass;
  }
  const className = given['acme.cert-manager.io/http01-ingress-ingressclassname'];
  if (className && version.atLeast(1, 20))
    found['acme.cert-manager.io/http01-override-ingress-ingressclassname'] = className;
  if (ingress.kind === 'Gateway' && version.atLeast(1, 20)) {
    found['acme.cert-manager.io/http01-parentrefkind'] = 'Gateway';
    found['acme.cert-manager.io/http01-parentrefname'] = ingress.metadata.name;
  }
  return found;
}
