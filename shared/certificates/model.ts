/**
 * The parts of Kubernetes objects that decide whether cert-manager orders a certificate. Structural: any object read from an API
 * server fits once its JSON was validated where it entered. Absent and empty mean the same, as they do in Go.
 */

/** metadata, as far as ownership and annotations need it. Times are RFC 3339 text. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly finalizers?: readonly string[];
}

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

/** Kind and group default to Issuer and cert-manager.io. */
export interface IssuerRef {
  readonly name: string;
  readonly kind?: string;
  readonly group?: string;
}

/** Keys of a Certificate's Secret in which its certificate lies behind a password. */
export const keystoreKeys: readonly string[] = ['keystore.jks', 'truststore.jks', 'keystore.p12', 'truststore.p12'];

export type KeyAlgorithm = 'RSA' | 'ECDSA' | 'Ed25519';

export interface PrivateKeySpec {
  readonly algorithm?: KeyAlgorithm;
  /** Bits. */
  readonly size?: number;
  readonly encoding?: 'PKCS1' | 'PKCS8';
  readonly rotationPolicy?: 'Never' | 'Always';
}

export interface SubjectSpec {
  readonly organizations?: readonly string[];
  readonly countries?: readonly string[];
  readonly organizationalUnits?: readonly string[];
  readonly localities?: readonly string[];
  readonly provinces?: readonly string[];
  readonly streetAddresses?: readonly string[];
  readonly postalCodes?: readonly string[];
  readonly serialNumber?: string;
}

/** `spec.renewal`, known to cert-manager since 1.21. */
export interface RenewalSpec {
  readonly policy?: 'RenewBefore' | 'Disabled';
  readonly windows?: readonly RenewalWindow[];
}

export interface RenewalWindow {
  /** Five fields or a descriptor such as `@daily`. */
  readonly cron: string;
  /** IANA name; UTC if absent. */
  readonly timezone?: string;
  /** Go duration. */
  readonly windowDuration?: string;
}

/** A keystore that cert-manager writes beside the certificate, as far as it refers to a Secret. */
export interface KeystoreSpec {
  readonly passwordSecretRef?: { readonly name?: string; readonly key?: string };
}

/** `spec` of a Certificate (cert-manager.io/v1). Durations are Go durations such as `2160h0m0s`. */
export interface CertificateSpec {
  readonly secretName: string;
  readonly issuerRef: IssuerRef;
  readonly commonName?: string;
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  readonly uris?: readonly string[];
  readonly emailAddresses?: readonly string[];
  readonly otherNames?: readonly { readonly oid?: string; readonly utf8Value?: string }[];
  readonly subject?: SubjectSpec;
  readonly literalSubject?: string;
  readonly duration?: string;
  readonly renewBefore?: string;
  readonly renewBeforePercentage?: number;
  readonly renewal?: RenewalSpec;
  readonly usages?: readonly string[];
  readonly isCA?: boolean;
  readonly privateKey?: PrivateKeySpec;
  readonly revisionHistoryLimit?: number;
  readonly keystores?: { readonly jks?: KeystoreSpec; readonly pkcs12?: KeystoreSpec };
  readonly secretTemplate?: {
    readonly annotations?: Readonly<Record<string, string>>;
    readonly labels?: Readonly<Record<string, string>>;
  };
}

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

/** `status` of a Certificate. Times are RFC 3339 text. */
export interface CertificateStatus {
  readonly conditions?: readonly Condition[];
  readonly lastFailureTime?: string;
  readonly failedIssuanceAttempts?: number;
  readonly renewalTime?: string;
  readonly revision?: number;
  readonly acme?: { readonly ari?: { readonly suggestedWindow?: { readonly start?: string; readonly end?: string } } };
}

export interface Certificate {
  readonly metadata: ObjectMeta;
  readonly spec: CertificateSpec;
  readonly status?: CertificateStatus;
}

/** A CertificateRequest (cert-manager.io/v1). `spec.request` is base64 of a PEM. */
export interface CertificateRequest {
  readonly metadata: ObjectMeta;
  readonly spec: {
    readonly request: string;
    readonly issuerRef: IssuerRef;
    readonly duration?: string;
    readonly isCA?: boolean;
    readonly usages?: readonly string[];
  };
}

/** A Secret. Values of `data` are base64, as the API server delivers them. */
export interface Secret {
  readonly metadata: ObjectMeta;
  readonly type?: string;
  readonly data?: Readonly<Record<string, string>>;
}

/** The parts of an Ingress (networking.k8s.io/v1) that ingress-shim reads. */
export interface Ingress {
  /** `Gateway` for one that was a Gateway; an Ingress otherwise. */
  readonly kind?: string;
  readonly metadata: ObjectMeta;
  readonly spec: { readonly tls?: readonly { readonly hosts?: readonly string[]; readonly secretName?: string }[] };
}

/** The bytes of one key of a Secret; empty if it is not there. */
export function secretBytes(secret: Secret, key: string): Buffer {
  return Buffer.from(secret.data?.[key] ?? '', 'base64');
}

/** Annotations that cert-manager puts on, or reads from, TLS Secrets and CertificateRequests. */
export const annotation = {
  certificateName: 'cert-manager.io/certificate-name',
  issuerName: 'cert-manager.io/issuer-name',
  issuerKind: 'cert-manager.io/issuer-kind',
  issuerGroup: 'cert-manager.io/issuer-group',
  revision: 'cert-manager.io/certificate-revision',
  issueTemporaryCertificate: 'cert-manager.io/issue-temporary-certificate',
  allowDirectInjection: 'cert-manager.io/allow-direct-injection',
} as const;

/** Labels that cert-manager puts on Secrets. */
export const label = {
  /** Puts the Secret into the class that cert-manager caches with its data. */
  partOfCertManager: 'controller.cert-manager.io/fao',
  /** Marks the key of an issuance under way: never part of a backup. */
  nextPrivateKey: 'cert-manager.io/next-private-key',
} as const;

/** The kind that cert-manager assumes where none is given (pkg/api/util/issuers.go IssuerKind). */
export function kindOf(kind: string | undefined): string {
  return kind || 'Issuer';
}

/** The API group that cert-manager assumes where none is given (pkg/api/util/issuers.go IssuerGroup). */
export function groupOf(group: string | undefined): string {
  return group || 'cert-manager.io';
}

/** The owner that controls an object (apimachinery metav1.GetControllerOf). */
export function controllingOwner({ ownerReferences }: ObjectMeta): OwnerReference | undefined {
  return ownerReferences?.find((owner) => owner.controller === true);
}

/** The UID of the object that controls this one. */
export function controllerUid(metadata: ObjectMeta): string | undefined {
  return controllingOwner(metadata)?.uid;
}

/** Whether cert-manager is issuing this Certificate now: the latch that it sets before it orders. */
export function isIssuing({ status }: Pick<Certificate, 'status'>): boolean {
  return status?.conditions?.some((condition) => condition.type === 'Issuing' && condition.status === 'True') ?? false;
}
