import { Duplex } from 'node:stream';
import type { WebSocket } from 'undici';
import { McprtError, messageOf } from '../errors.js';
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
 * How much may wait to be read, in bytes. A WebSocket cannot hold its peer back, and what comes through here is small; a
 * reader that has stopped shall not fill the memory.
 */
const mostUnread = 64 * 1024 * 1024;

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
      next: 'check that the pod runs, and that the credentials may `get` and `create` pods/portforward in its namespace',
    });
  const subresource = `portforward?ports=${port}`;
  const socket = await cluster.webSocket(pod, subresource, protocol);
  socket.binaryType = 'arraybuffer';
  // Listened to from the start: the first message may come together with the answer that opens the connection.
  const duplex = duplexOver(socket, fail);
  try {
    await opened(socket);
  } catch (error) {
    duplex.destroy();
    throw fail((await cluster.refusal(pod, subresource)) || messageOf(error));
  }
  return duplex;
}

function opened(socket: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`no answer within ${openWithin / 1000} s`)), openWithin);
    socket.addEventListener('open', () => resolve(), { once: true });
    socket.addEventListener('error', ({ message }) => reject(new Error(message || 'the API server refused')), {
      once: true,
    });
    for (const event of ['open', 'error']) socket.addEventListener(event, () => clearTimeout(late), { once: true });
  });
}

function duplexOver(socket: WebSocket, fail: (why: string) => McprtError): Duplex {
  const begun = new Set<number>();
  const duplex = new Duplex({
    read() {
      // Messages come when they come.
    },
    write(chunk: Buffer, _encoding, done) {
      const sent = (): void => {
        if (socket.readyState !== socket.OPEN) done(fail('the connection has ended'));
        else if (socket.bufferedAmount < backlog.most) done();
        else setTimeout(sent, backlog.pause);
      };
      if (socket.readyState === socket.OPEN) socket.send(Buffer.concat([Buffer.from([channels.data]), chunk]));
      sent();
    },
    // The protocol cannot close one direction alone: the connection ends when the other side has.
    final: (done) => done(),
    destroy(error, done) {
      socket.close();
      done(error);
    },
  });
  // A connection that breaks before its user listens is no reason to end the process.
  duplex.on('error', () => undefined);
  socket.addEventListener('message', ({ data }) => {
    const bytes = Buffer.from(data as ArrayBuffer);
    const channel = bytes[0] ?? -1;
    let rest = bytes.subarray(1);
    if (!begun.has(channel)) {
      begun.add(channel);
      rest = rest.subarray(preamble);
    }
    if (rest.length === 0) return;
    if (channel === channels.error) duplex.destroy(fail(rest.toString('utf8').trim()));
    if (channel !== channels.data) return;
    duplex.push(rest);
    if (duplex.readableLength > mostUnread) duplex.destroy(fail('more came than was read'));
  });
  socket.addEventListener('error', ({ message }) => duplex.destroy(fail(message || 'the connection broke')));
  socket.addEventListener('close', () => {
    duplex.push(null);
    duplex.end();
  });
  return duplex;
}
