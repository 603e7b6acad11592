import { allDone } from '../all-done.js';
import { ApiError } from '../cluster/api-error.js';
import { type Cluster, objectOf } from '../cluster/cluster.js';
import { recordsAt, textAt } from '../cluster/fields.js';
import { kinds } from '../cluster/objects.js';
import { McprtError } from '../errors.js';
import type { CertManager } from '../facts/cert-manager.js';
import { lockName } from '../facts/lock.js';
import { pause } from '../pause.js';
import { newCanary, sweepCanaries } from './canary.js';

/** In ms. */
const dryRunDeadline = 15_000;
const canaryDeadline = 60_000;
const lookAgain = 200;
const stopIt = 'scale cert-manager’s Deployment to 0 and run the restore again; it then needs no brake';

/** A cert-manager that could order. */
export type Orderer = Pick<CertManager, 'state' | 'namespace'>;

/**
 * Waits until new orders are denied to cert-manager. A dry run that is denied shows it of the API server that has answered. Where there are
 * others, cert-manager may speak with one of them, which has not seen the policy yet: there, cert-manager itself has to be denied something.
 * One that does not run yet cannot be asked.
 *
 * @throws McprtError `brake-ineffective`; ApiError; the signal's reason
 */
export async function proveBrake(cluster: Cluster, { state, namespace }: Orderer, signal: AbortSignal): Promise<void> {
  const [isOnlyOne] = await allDone([hasOneApiServer(cluster), untilDenied(cluster, signal)]);
  if (!isOnlyOne && state === 'running') await untilDeniedToCertManager(cluster, namespace, signal);
}

/** Whether the API server that answers is the only one: each of them is an address of Service `kubernetes`. */
async function hasOneApiServer(cluster: Cluster): Promise<boolean> {
  const slice = await cluster.get(kinds.endpointSlice, { namespace: 'default', name: 'kubernetes' });
  return recordsAt(slice, 'endpoints').flatMap(({ addresses }) => addresses).length === 1;
}

/**
 * Has cert-manager ask for a canary's CertificateRequest, which the policy denies as it denies orders, until it tells that it was denied one.
 * What it was let make is taken away, so that it asks again.
 */
async function untilDeniedToCertManager(cluster: Cluster, namespace: string, signal: AbortSignal): Promise<void> {
  const canary = newCanary(namespace);
  const { name } = canary.metadata;
  const fieldSelector = `involvedObject.name=${name}`;
  const seen = new Set<string>();
  const end = Date.now() + canaryDeadline;
  try {
    await cluster.create(kinds.certificate, canary);
    for (; ; await pause(lookAgain, signal)) {
      const [events, requests] = await allDone([
        cluster.list(kinds.event, { namespace, fieldSelector }),
        cluster.list(kinds.certificateRequest, { namespace }),
      ]);
      if (events.items.some((one) => textAt(one, 'message').includes(lockName))) break;
      if (Date.now() > end) throw neverDenied(`${namespace}/${name}`, seen.size);
      for (const { metadata } of requests.items.filter((one) => one.metadata.name.startsWith(name))) {
        // cert-manager waits for seconds where what it has just made is gone before it has seen it.
        const { uid = '' } = metadata;
        if (seen.has(uid)) await cluster.delete(kinds.certificateRequest, { namespace, name: metadata.name });
        seen.add(uid);
      }
    }
  } catch (error) {
    // Why it ends says more than that a canary could not be taken away, which the next run does.
    await sweepCanaries(cluster, namespace).catch(() => undefined);
    throw error;
  }
  await sweepCanaries(cluster, namespace);
}

function neverDenied(canary: string, letThrough: number): McprtError {
  const seconds = canaryDeadline / 1000;
  return new McprtError('brake-ineffective', {
    what: 'there are several API servers, and cert-manager’s is not known to deny new orders',
    why:
      letThrough > 0
        ? `for ${seconds} s it has let through what the policy denies: CertificateRequests of the canary Certificate ${canary}`
        : `cert-manager has not asked for a CertificateRequest of its canary Certificate ${canary} within ${seconds} s: the controller hangs, or its pod is only said to run`,
    next: stopIt,
  });
}

async function untilDenied(cluster: Cluster, signal: AbortSignal): Promise<void> {
  const probe = objectOf(kinds.order, {
    metadata: { name: 'mcprt-brake-probe', namespace: 'default' },
    spec: { request: 'cHJvYmU=', issuerRef: { name: 'mcprt-brake-probe' }, dnsNames: ['probe.invalid'] },
  });
  const end = Date.now() + dryRunDeadline;
  for (let wait = 25; ; wait = Math.min(wait * 2, 100)) {
    let answer: unknown;
    try {
      await cluster.create(kinds.order, probe, { dryRun: true });
    } catch (error) {
      if (error instanceof ApiError && error.detail.includes(lockName)) return;
      if (!isOfWebhook(error)) throw error;
      answer = error;
    }
    if (Date.now() > end) {
      if (answer !== undefined) throw answer;
      throw new McprtError('brake-ineffective', {
        what: 'new orders are not denied although the policy is in place',
        why: `a dry-run Order was still accepted after ${dryRunDeadline / 1000} s`,
        next: stopIt,
      });
    }
    await pause(wait, signal);
  }
}

/** Webhooks are asked after the policies: one that refuses, or does not answer, says that the brake is not on yet. */
function isOfWebhook(error: unknown): boolean {
  return error instanceof ApiError && /admission webhook|calling webhook/.test(error.detail);
}
