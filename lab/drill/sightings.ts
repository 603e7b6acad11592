import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../../shared/cluster/cluster.js';
import { conditionOf } from '../../shared/cluster/fields.js';
import { type Condition, type KubeObject, keyOf, kinds } from '../../shared/cluster/objects.js';
import { McprtError } from '../../shared/errors.js';

/** What cert-manager has said of one Certificate. */
export interface Sighting {
  /** The first `Issuing: True`: its reason and message are why cert-manager issues. It is gone once that is done. */
  issuing: Words | undefined;
  isIssuing: boolean;
  /** The present `Ready`. */
  ready: (Words & { status: string }) | undefined;
  /** When `Ready: True` was first seen, by `performance.now()`. */
  readyAt: number | undefined;
}

export interface Words {
  reason: string;
  message: string;
}

export interface Watcher {
  /** By `namespace/name`. */
  readonly seen: ReadonlyMap<string, Sighting>;
  /**
   * Waits until it holds, or the deadline (in ms) has passed.
   *
   * @returns whether it held
   * @throws McprtError `drill-stuck` when the watch has ended; the signal's reason
   */
  until(holds: () => boolean, deadline: number): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * Follows every Certificate from now on. Each change is looked at: that an issuance was begun is said for a moment only,
 * and a list would miss it.
 */
export async function watchCertificates(
  cluster: Pick<Cluster, 'list' | 'watch'>,
  signal: AbortSignal,
): Promise<Watcher> {
  const closed = new AbortController();
  const ends = AbortSignal.any([signal, closed.signal]);
  const seen = new Map<string, Sighting>();
  const { items, resourceVersion } = await cluster.list(kinds.certificate);
  const note = (object: KubeObject): void =>
    void seen.set(keyOf(object.metadata), sighted(seen.get(keyOf(object.metadata)), object));
  items.forEach(note);
  let hasEnded = false;
  const loop = (async () => {
    try {
      const events = cluster.watch(kinds.certificate, { resourceVersion, signal: ends });
      for await (const { object } of events) note(object);
    } catch {
      // `until` says that the watch has ended: how it did helps nobody.
    }
    hasEnded = true;
  })();
  return {
    seen,
    async until(holds, deadline) {
      for (const end = performance.now() + deadline; !holds(); await sleep(20)) {
        signal.throwIfAborted();
        if (hasEnded) throw ended();
        if (performance.now() > end) return false;
      }
      return true;
    },
    async close() {
      closed.abort();
      await loop;
    },
  };
}

/** What is known of a Certificate after one more look at it. */
export function sighted(before: Sighting | undefined, object: KubeObject, now = performance.now()): Sighting {
  const [ready, issuing] = [conditionOf(object, 'Ready'), conditionOf(object, 'Issuing')];
  const isIssuing = issuing?.status === 'True';
  return {
    issuing: before?.issuing ?? (isIssuing ? wordsOf(issuing) : undefined),
    isIssuing,
    ready: ready && { ...wordsOf(ready), status: ready.status },
    readyAt: before?.readyAt ?? (ready?.status === 'True' ? now : undefined),
  };
}

function wordsOf({ reason = '', message = '' }: Condition): Words {
  return { reason, message };
}

function ended(): McprtError {
  return new McprtError('drill-stuck', {
    what: 'the lab’s API server ended the watch over the Certificates',
    why: 'an issuance that began meanwhile would have been missed, so that nothing is proven',
    next: 'run the drill again',
  });
}
