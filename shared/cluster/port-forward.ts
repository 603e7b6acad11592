import { Duplex } from 'node:stream';
import { McprtError } from '../errors.js';
import type { Cluster, Ref } from './cluster.js';

/** Kubernetes' protocol for it over WebSocket: the first byte of a message is its channel. */
const protocol = 'v4.channel.k8s.io';
const channels = { data: 0, error: 1 } as const;
const openWithin = 15_000;
/** The first message of each channel repeats the port, in two bytes. */
const preamble = 2;
/** How much may wait to be sent before the writer is held, in bytes, and how often that is looked at, in ms. */
const backlog = { most: 1024 * 1024, pause: 5 };

/**
 * Opens one connection to a port of a pod, through the API server and its node: what `kubectl port-forward` does for each
 * connection that it accepts.
 *
 * @throws McprtError `cluster-port-forward`
 */
export async function openPortForward(cluster: Cluster, pod: Ref, port: number): Promise<Duplex> {
  const fail = (why: string): McprtError =>
    new McprtError('cluster-port-forward', {
      what: `no connection to port ${port} of pod ${pod.namespace}/${pod.name}`,
      why,
      next: 'check that the pod runs, and that the credentials may `create` pods/portforward in its namespace',
    });
  const socket = cluster.webSocket(pod, `portforward?ports=${port}`, protocol);
  socket.binaryType = 'arraybuffer';
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => {
      reject(fail(`no answer within ${openWithin / 1000} s`));
      socket.close();
    }, openWithin);
    socket.addEventListener('open', () => resolve(), { once: true });
    socket.addEventListener('error', ({ message }) => reject(fail(message || 'the API server refused')), {
      once: true,
    });
    socket.addEventListener('close', ({ reason }) => reject(fail(reason || 'the API server refused')), { once: true });
    for (const event of ['open', 'error', 'close'])
      socket.addEventListener(event, () => clearTimeout(late), { once: true });
  });
  const begun = new Set<number>();
  const duplex = new Duplex({
    read() {
      // Messages come when they come; undici holds the peer back by itself.
    },
    write(chunk: Buffer, _encoding, done) {
      socket.send(Buffer.concat([Buffer.from([channels.data]), chunk]));
      const drain = (): void => {
        if (socket.readyState !== socket.OPEN || socket.bufferedAmount < backlog.most) done();
        else setTimeout(drain, backlog.pause);
      };
      drain();
    },
    final(done) {
      // The protocol cannot close one direction alone: the connection ends when the other side has.
      done();
    },
    destroy(error, done) {
      socket.close();
      done(error);
    },
  });
  socket.addEventListener('message', ({ data }) => {
    const bytes = Buffer.from(data as ArrayBuffer);
    const channel = bytes[0] ?? -1;
    let rest = bytes.subarray(1);
    if (!begun.has(channel)) {
      begun.add(channel);
      rest = rest.subarray(preamble);
    }
    if (rest.length === 0) return;
    if (channel === channels.data) duplex.push(rest);
    else if (channel === channels.error) duplex.destroy(fail(rest.toString('utf8').trim()));
  });
  socket.addEventListener('error', ({ message }) => duplex.destroy(fail(message || 'the connection broke')));
  socket.addEventListener('close', () => {
    duplex.push(null);
    duplex.end();
  });
  return duplex;
}
