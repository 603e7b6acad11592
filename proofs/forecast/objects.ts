import { setTimeout as sleep } from 'node:timers/promises';
import pMap from 'p-map';
import { namespaceOf } from '../../lab/platform/resources.js';
import type { ForecastInput } from '../../shared/certificates/forecast.js';
import {
  type Certificate,
  type CertificateRequest,
  controllerUid,
  type Secret,
} from '../../shared/certificates/model.js';
import type { ForecastCase } from '../../shared/certificates/testing/cases.js';
import { type Cluster, objectOf } from '../../shared/cluster/cluster.js';
import {
  apiVersionOf,
  type KubeObject,
  kinds,
  type ObjectMeta,
  type OwnerReference,
} from '../../shared/cluster/objects.js';

const concurrency = 8;
/** The API server's creation times count seconds. */
const nextSecond = 1100;

/** One Certificate that cert-manager decides about, with all that it decides by, as read from the API server. */
export interface Subject {
  /** The case that it belongs to, and its namespace. */
  one: ForecastCase;
  namespace: string;
  /** Whether it is the Certificate that the case is about; else it is one beside it. */
  main: boolean;
  input: ForecastInput;
}

/** Makes the objects of all cases, each case in a namespace of its own. */
export async function makeCases(cluster: Cluster, cases: readonly ForecastCase[]): Promise<void> {
  const each = (work: (one: ForecastCase, namespace: string) => Promise<unknown>) =>
    pMap(cases, (one, index) => work(one, namespaceOfCase(index)), { concurrency });
  await each((_, namespace) => cluster.create(kinds.namespace, namespaceOf(namespace)));
  await each(({ input }, namespace) => makeSecret(cluster, input.secret, namespace));
  // Who owns a Secret is decided by age, so Certificates are made in the order of their age.
  const ages: ((age: number) => boolean)[] = [(age) => age < 0, (age) => age === 0, (age) => age > 0];
  for (const chosen of ages) {
    await each(async ({ input }, namespace) => {
      const made = Date.parse(input.certificate.metadata.creationTimestamp ?? '');
      const age = (one: Certificate): number => Date.parse(one.metadata.creationTimestamp ?? '') - made;
      const due = input.siblings.filter((one) => chosen(age(one)));
      for (const certificate of due.toSorted((a, b) => a.metadata.name.localeCompare(b.metadata.name))) {
        await makeCertificate(cluster, certificate, namespace);
      }
    });
    await sleep(nextSecond);
  }
  await each((one, namespace) => makeRequests(cluster, one.input, namespace));
}

/** Reads everything back, so that what is forecast is what cert-manager will see. */
export async function readSubjects(
  cluster: Cluster,
  cases: readonly ForecastCase[],
  certManagerVersion: string,
): Promise<Subject[]> {
  const [certificates, secrets, requests] = await Promise.all([
    cluster.list<KubeObject & Certificate>(kinds.certificate),
    cluster.list<KubeObject & Secret>(kinds.secret),
    cluster.list<KubeObject & CertificateRequest>(kinds.certificateRequest),
  ]);
  const certificatesIn = Map.groupBy(certificates.items, inNamespace);
  const secretsIn = Map.groupBy(secrets.items, inNamespace);
  const requestsIn = Map.groupBy(requests.items, inNamespace);
  const now = cluster.serverTime() ?? new Date();
  return cases.flatMap((one, index) => {
    const namespace = namespaceOfCase(index);
    const siblings = certificatesIn.get(namespace) ?? [];
    return siblings.map((certificate) => ({
      one,
      namespace,
      main: certificate.metadata.name === one.input.certificate.metadata.name,
      input: {
        certificate,
        siblings,
        secret: secretsIn.get(namespace)?.find(({ metadata }) => metadata.name === certificate.spec.secretName),
        requests: requestsIn.get(namespace) ?? [],
        now,
        certManagerVersion,
      },
    }));
  });
}

/** A Secret of the case's name and bytes. */
export async function makeSecret(cluster: Cluster, secret: Secret | undefined, namespace: string): Promise<void> {
  if (secret === undefined) return;
  const { data } = secret;
  // The API server wants both keys in a Secret of the TLS type; cert-manager does not look at the type.
  const complete = data?.['tls.key'] !== undefined && data['tls.crt'] !== undefined;
  const type = complete ? secret.type : 'Opaque';
  await cluster.create(
    kinds.secret,
    objectOf(kinds.secret, { metadata: metadataOf(secret, namespace), type, ...(data === undefined ? {} : { data }) }),
  );
}

/** A Certificate with its status; one that the case is deleting is held by its finalizer. */
export async function makeCertificate(cluster: Cluster, certificate: Certificate, namespace: string): Promise<void> {
  const metadata = metadataOf(certificate, namespace);
  await cluster.create(kinds.certificate, objectOf(kinds.certificate, { metadata, spec: certificate.spec }));
  if (certificate.status !== undefined && Object.keys(certificate.status).length > 0) {
    await cluster.patch(
      kinds.certificate,
      metadata,
      [{ op: 'add', path: '/status', value: certificate.status }],
      'status',
    );
  }
  if (certificate.metadata.deletionTimestamp !== undefined) {
    await cluster.delete(kinds.certificate, metadata);
  }
}

async function makeRequests(cluster: Cluster, input: ForecastInput, namespace: string): Promise<void> {
  if (input.requests.length === 0) return;
  const { certificate, secret } = input;
  const own = await ownerOf(cluster, 'certificate', { namespace, name: certificate.metadata.name });
  for (const request of input.requests) {
    const controller = controllerUid(request.metadata);
    // An owner that does not exist would have the garbage collector delete the request.
    const other = (): Promise<OwnerReference> =>
      ownerOf(cluster, 'secret', { namespace, name: secret?.metadata.name ?? '' });
    const owner = controller === certificate.metadata.uid ? own : controller && (await other());
    const metadata = { ...metadataOf(request, namespace), ...(owner ? { ownerReferences: [owner] } : {}) };
    await cluster.create(
      kinds.certificateRequest,
      objectOf(kinds.certificateRequest, { metadata, spec: request.spec }),
    );
  }
}

async function ownerOf(
  cluster: Cluster,
  kind: 'certificate' | 'secret',
  ref: { name: string; namespace: string },
): Promise<OwnerReference> {
  const found = await cluster.get(kinds[kind], ref);
  const uid = found?.metadata.uid;
  if (uid === undefined) throw new Error(`${kind} ${ref.namespace}/${ref.name} is to own a request and has no UID`);
  return { apiVersion: apiVersionOf(kinds[kind]), kind: kinds[kind].kind, name: ref.name, uid, controller: true };
}

/** What a case says of an object's metadata; the API server adds the rest. */
function metadataOf({ metadata }: Pick<Certificate, 'metadata'>, namespace: string): ObjectMeta {
  const { name, labels, annotations, finalizers } = metadata;
  return {
    name,
    namespace,
    ...(labels === undefined ? {} : { labels: { ...labels } }),
    ...(annotations === undefined ? {} : { annotations: { ...annotations } }),
    ...(finalizers === undefined ? {} : { finalizers: [...finalizers] }),
  };
}

function inNamespace({ metadata }: KubeObject): string {
  return metadata.namespace ?? '';
}

function namespaceOfCase(index: number): string {
  return `case-${String(index).padStart(3, '0')}`;
}
