import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseAllDocuments } from 'yaml';
import { readAtMost } from '../bounded.js';
import type { Cluster } from '../cluster/cluster.js';
import { numberAt } from '../cluster/fields.js';
import { apiVersionOf, type Kind, type KubeObject, kinds, nameOf } from '../cluster/objects.js';
import { rolloutState } from '../cluster/rollout-state.js';
import { waitUntil } from '../cluster/wait.js';
import { McprtError, toldBy } from '../errors.js';
import { type CertManager, controllerOf, controllers } from '../facts/cert-manager.js';
import { askAdmission } from '../facts/observe-platform.js';
import { httpFetch } from '../http.js';
import { isRecord } from '../json.js';
import type { Proxies } from '../proxy.js';

export interface CertManagerOptions {
  manifest: ReleaseManifest;
  /** In ms. */
  deadline: number;
  signal: AbortSignal;
  progress: (line: string) => void;
}

/** A release manifest that is read once, when it is first asked for. */
export interface ReleaseManifest {
  /** Its address or path. */
  from: string;
  /** Its objects. @throws McprtError `certmanager-manifest` */
  objects(): Promise<readonly KubeObject[]>;
}

/** @param from address or path of the release manifest */
export function manifestFrom(from: string, proxies: Proxies): ReleaseManifest {
  let read: Promise<readonly KubeObject[]> | undefined;
  return {
    from,
    objects() {
      read ??= load(from, proxies).then((text) => readManifest(text, from));
      return read;
    },
  };
}

/** Where a release has its manifest. */
export function releaseManifest(version: string): string {
  return `https://github.com/cert-manager/cert-manager/releases/download/${version}/cert-manager.yaml`;
}

const namespace = 'cert-manager';
const three = ['cert-manager', 'cert-manager-cainjector', 'cert-manager-webhook'];
/** In ms. */
const downloadDeadline = 60_000;
/** Of a release's manifest, in bytes; cert-manager's have one MiB. */
const mostDownloaded = 16 * 1024 * 1024;
/** A pod that restarts is back by then; in ms. */
const restartTime = 60_000;

/**
 * Leaves a cert-manager that works alone, and installs it otherwise. That its kinds are there says nothing: they outlive
 * it (runbook: "already installed" only tests for the kinds).
 *
 * @returns whether it was installed
 * @throws McprtError `certmanager-foreign`, `certmanager-manifest`, `certmanager-wait`
 */
export async function ensureCertManager(cluster: Cluster, options: CertManagerOptions): Promise<boolean> {
  const found = await controllers(cluster);
  const { deployments: items } = found;
  if (found.pods !== undefined && found.pods.length > 0) return requireOther(await controllerOf(cluster, found));
  const elsewhere = items.find(({ metadata }) => metadata.namespace !== namespace || metadata.name !== 'cert-manager');
  if (elsewhere !== undefined) return requireForeign(cluster, elsewhere, options);
  if (items.length > 0) {
    await waitUntil(cluster, kinds.deployment, missingParts, {
      namespace,
      what: 'cert-manager to be available',
      deadline: Math.min(restartTime, options.deadline),
      signal: options.signal,
      progress: (why) => options.progress(`  waiting for cert-manager: ${why}`),
    }).catch((error: unknown) => {
      if (!(error instanceof McprtError && error.code === 'cluster-wait')) throw error;
      options.progress('cert-manager does not come back by itself');
    });
  }
  const [present, admission, groups] = await Promise.all([
    cluster.list(kinds.deployment, { namespace }),
    askAdmission(cluster),
    cluster.groups(),
  ]);
  const hasKinds = groups.has('cert-manager.io');
  if (hasKinds && missingParts(present.items) === '' && admission.state !== 'failing') return false;
  await installCertManager(cluster, options);
  return true;
}

/** One that is no Deployment is whoever's made it so. */
function requireOther({ state, namespace: inside, runsAs }: CertManager): false {
  if (state === 'running') return false;
  throw new McprtError('certmanager-foreign', {
    what: 'cert-manager does not work, and was not installed from its release manifest',
    why: `its controller runs as ${runsAs?.kind} ${inside}/${runsAs?.name}, which has no pod that is Ready`,
    next: 'repair it by the way it was installed, and run setup again',
  });
}

/** A cert-manager of another name or place (a chart's) is never installed over, or beside. */
async function requireForeign(cluster: Cluster, controller: KubeObject, options: CertManagerOptions): Promise<false> {
  const { name, namespace: inside = '' } = controller.metadata;
  try {
    await waitUntil(cluster, kinds.deployment, (objects) => unavailable(objects, name), {
      namespace: inside,
      what: `Deployment ${inside}/${name} to be available`,
      deadline: Math.min(restartTime, options.deadline),
      signal: options.signal,
      progress: (why) => options.progress(`  waiting for cert-manager: ${why}`),
    });
    return false;
  } catch (cause) {
    if (!(cause instanceof McprtError && cause.code === 'cluster-wait')) throw cause;
    throw new McprtError('certmanager-foreign', {
      what: 'cert-manager does not work, and was not installed from its release manifest',
      why: `its controller is Deployment ${inside}/${name}: ${cause.why}`,
      next: 'repair it by the way it was installed (a Helm release, an operator), and run setup again',
      cause,
    });
  }
}

/** By server-side apply; ends when its admission lets a Certificate through. */
async function installCertManager(cluster: Cluster, options: CertManagerOptions): Promise<void> {
  const objects = await options.manifest.objects();
  options.progress(`installing cert-manager: ${objects.length} objects from ${options.manifest.from}`);
  const applyAll = async (due: readonly KubeObject[]): Promise<void> => {
    await Promise.all(due.map((object) => cluster.apply(kindOfObject(object), object, { force: true })));
  };
  // What lives in a namespace, or is of a new kind, can be written only when that is there.
  await applyAll(objects.filter(({ kind }) => isFirst(kind)));
  await applyAll(objects.filter(({ kind }) => !isFirst(kind)));
  await waitUntil(cluster, kinds.deployment, missingParts, {
    namespace,
    what: 'cert-manager to be available',
    deadline: options.deadline,
    signal: options.signal,
    progress: (why) => options.progress(`  waiting for cert-manager: ${why}`),
  });
  await untilAdmitting(cluster, options);
}

function isFirst(kind: string): boolean {
  return kind === 'CustomResourceDefinition' || kind === 'Namespace';
}

/** Pods that are Ready do not mean that the API server has the webhook's CA yet: only a dry run that passes does. */
async function untilAdmitting(cluster: Cluster, { deadline, signal, progress }: CertManagerOptions): Promise<void> {
  const end = Date.now() + deadline;
  for (let told = ''; ; ) {
    signal.throwIfAborted();
    const { state, message } = await askAdmission(cluster);
    if (state === 'ok') return;
    if (Date.now() > end) {
      throw new McprtError('certmanager-wait', {
        what: 'cert-manager’s webhook does not let a Certificate through',
        why: message,
        next: '`kubectl logs -n cert-manager deploy/cert-manager-webhook` and `kubectl logs -n cert-manager deploy/cert-manager-cainjector`; then run setup again',
      });
    }
    if (message !== told) progress(`  waiting for cert-manager’s webhook: ${message}`);
    told = message;
    await sleep(250, undefined, { signal });
  }
}

function missingParts(deployments: readonly KubeObject[]): string {
  return three.flatMap((name) => unavailable(deployments, name) || []).join('; ');
}

/** Why a Deployment serves nobody; empty when it does. One that is scaled to 0 is complete, and no use. */
function unavailable(deployments: readonly KubeObject[], name: string): string {
  const found = deployments.find(({ metadata }) => metadata.name === name);
  if (found === undefined) return `${name}: it is not there`;
  const { complete, why } = rolloutState(found);
  if (!complete) return `${name}: ${why}`;
  return (numberAt(found, 'status', 'availableReplicas') ?? 0) > 0 ? '' : `${name}: it is scaled to 0`;
}

/** "fetch failed" says nothing: what it has failed by is its cause. */
function underlying(error: unknown): unknown {
  if (error instanceof McprtError || !(error instanceof Error)) return error;
  return error.cause instanceof Error && error.cause.message !== '' ? error.cause : error;
}

function isAddress(manifest: string): boolean {
  return /^https?:/.test(manifest);
}

async function load(manifest: string, proxies: Proxies): Promise<string> {
  try {
    if (!isAddress(manifest)) return await readFile(manifest, 'utf8');
    if (!manifest.startsWith('https:')) throw new Error('it is not an https address');
    return await fetchText(manifest, proxies);
  } catch (cause) {
    throw new McprtError('certmanager-manifest', {
      what: `cert-manager’s manifest ${manifest} cannot be read`,
      why: toldBy(underlying(cause)),
      next: `${cause instanceof McprtError ? `${cause.next}; or ` : ''}${
        isAddress(manifest)
          ? 'download it before (in a job: in an earlier step), and give its path'
          : 'correct the path'
      } in \`cert-manager-manifest\``,
      cause,
    });
  }
}

async function fetchText(address: string, proxies: Proxies, redirects = 3): Promise<string> {
  const signal = AbortSignal.timeout(downloadDeadline);
  const answer = await httpFetch(address, { redirect: 'manual', signal }, proxies);
  const next = answer.headers.get('location');
  if (answer.status >= 300 && answer.status < 400 && next !== null && redirects > 0) {
    await answer.body?.cancel();
    const target = new URL(next, address);
    if (target.protocol !== 'https:') throw new Error(`it leads to ${target.origin}, which is not https`);
    return fetchText(target.href, proxies, redirects - 1);
  }
  if (answer.status !== 200 || answer.body === null) throw new Error(`the server answered ${answer.status}`);
  const tooMuch = (): Error => new Error(`it has more than ${mostDownloaded / 1024 / 1024} MiB`);
  return (await readAtMost(answer.body, mostDownloaded, tooMuch)).toString('utf8');
}

function readManifest(text: string, source: string): KubeObject[] {
  const documents = parseAllDocuments(text);
  const broken = documents.flatMap((document) => document.errors)[0];
  const values = documents.map((document): unknown => document.toJS()).filter((value) => value !== null);
  const isObject = (value: unknown): value is KubeObject =>
    isRecord(value) &&
    typeof value.kind === 'string' &&
    typeof value.apiVersion === 'string' &&
    isRecord(value.metadata) &&
    typeof value.metadata.name === 'string';
  const objects = values.filter(isObject);
  const hasController = objects.some(({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'cert-manager');
  if (broken !== undefined || objects.length !== values.length || !hasController) {
    throw new McprtError('certmanager-manifest', {
      what: `${source} is not cert-manager’s release manifest`,
      why:
        broken?.message ??
        (hasController ? 'it holds a document that is no Kubernetes object' : 'it has no Deployment cert-manager'),
      next: 'give the file cert-manager.yaml of a release',
    });
  }
  return objects;
}

function kindOfObject(object: KubeObject): Kind {
  const found = Object.values(kinds).find(
    (kind) => kind.kind === object.kind && apiVersionOf(kind) === object.apiVersion,
  );
  if (found === undefined) {
    throw new McprtError('certmanager-manifest', {
      what: `cert-manager’s manifest holds ${nameOf(object)}, which no release of it has`,
      why: `its kind is ${object.apiVersion} ${object.kind}`,
      next: 'give the file cert-manager.yaml of a release',
    });
  }
  return found;
}
