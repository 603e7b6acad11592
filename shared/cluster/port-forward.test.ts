import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { WebSocket } from 'undici';
import { McprtError, messageOf } from '../errors.js';
import type { Cluster } from './cluster.js';
import { openPortForward } from './port-forward.js';

const pod = { namespace: 'registry', name: 'registry-0' };

/** A WebSocket whose other side is the test. */
class Peer extends EventTarget {
  readonly OPEN = 1;
  readyState = 0;
  bufferedAmount = 0;
  binaryType = '';
  sent: Buffer[] = [];
  closed = false;

  send(bytes: Buffer): void {
    this.sent.push(bytes);
  }

  close(): void {
    this.closed = true;
    this.readyState = 3;
  }

  open(): void {
    this.readyState = 1;
    this.dispatchEvent(new Event('open'));
    for (const channel of [0, 1]) this.say(channel, Buffer.from([0x88, 0x13]));
  }

  say(channel: number, bytes: Buffer): void {
    const message = Buffer.concat([Buffer.from([channel]), bytes]);
    const data = message.buffer.slice(message.byteOffset, message.byteOffset + message.byteLength);
    this.dispatchEvent(new MessageEvent('message', { data }));
  }

  end(): void {
    this.readyState = 3;
    this.dispatchEvent(new Event('close'));
  }

  refuse(): void {
    this.readyState = 3;
    this.dispatchEvent(new Event('error'));
    this.dispatchEvent(new Event('close'));
  }
}

function clusterOf(peer: Peer, refusal = ''): { cluster: Cluster; asked: string[] } {
  const asked: string[] = [];
  const cluster = {
    webSocket: async (ref: typeof pod, subresource: string, protocol: string) => {
      asked.push(`${ref.namespace}/${ref.name} ${subresource} ${protocol}`);
      return peer as unknown as WebSocket;
    },
    refusal: async () => refusal,
  };
  return { cluster: cluster as unknown as Cluster, asked };
}

/** Long enough for the socket to be asked for and listened to: no message of a real one comes before. */
const listening = (): Promise<void> => sleep(0);

async function opened(peer: Peer) {
  const { cluster } = clusterOf(peer);
  const stream = openPortForward(cluster, pod, 5000);
  await listening();
  peer.open();
  return stream;
}

const failure = async (attempt: Promise<unknown>): Promise<McprtError> => {
  const error = await attempt.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof McprtError)) throw new Error(`no McprtError: ${messageOf(error)}`);
  return error;
};

const ended = (stream: Awaited<ReturnType<typeof opened>>): Promise<Error | undefined> =>
  new Promise((resolve) => {
    let failed: Error | undefined;
    stream.once('error', (error) => {
      failed = error;
    });
    stream.once('close', () => resolve(failed));
  });

describe('openPortForward', () => {
  it('asks for the port in Kubernetes’ own protocol, and carries bytes both ways', async () => {
    const peer = new Peer();
    const { cluster, asked } = clusterOf(peer);
    const opening = openPortForward(cluster, pod, 5000);
    await listening();
    peer.open();
    const stream = await opening;
    expect(asked).toEqual(['registry/registry-0 portforward?ports=5000 v4.channel.k8s.io']);
    stream.write('ping');
    expect(peer.sent).toEqual([Buffer.from('\0ping')]);
    peer.say(0, Buffer.from('po'));
    peer.say(0, Buffer.from('ng'));
    peer.end();
    expect(Buffer.concat(await stream.toArray()).toString()).toBe('pong');
  });

  it('takes data that comes together with the two bytes of the port', async () => {
    const peer = new Peer();
    const { cluster } = clusterOf(peer);
    const opening = openPortForward(cluster, pod, 5000);
    await listening();
    peer.readyState = 1;
    peer.dispatchEvent(new Event('open'));
    peer.say(0, Buffer.from([0x88, 0x13, 0x61]));
    peer.end();
    expect(Buffer.concat(await (await opening).toArray()).toString()).toBe('a');
  });

  it('fails with the words of the error channel', async () => {
    const peer = new Peer();
    const stream = await opened(peer);
    const end = ended(stream);
    peer.say(1, Buffer.from('dial tcp 127.0.0.1:5000: connection refused\n'));
    const error = await end;
    expect(error).toMatchObject({ code: 'cluster-port-forward', why: 'dial tcp 127.0.0.1:5000: connection refused' });
    expect(peer.closed).toBe(true);
  });

  it.each([
    ['reset', 'reset'],
    ['', 'the connection broke'],
  ])('fails when the connection breaks, with what is known of it: %p', async (message, why) => {
    const peer = new Peer();
    const stream = await opened(peer);
    const end = ended(stream);
    peer.dispatchEvent(Object.assign(new Event('error'), { message }));
    expect(await end).toMatchObject({ code: 'cluster-port-forward', why });
  });

  it('is over in both directions when the other side has ended', async () => {
    const peer = new Peer();
    const stream = await opened(peer);
    const end = ended(stream);
    peer.end();
    stream.resume();
    expect(await end).toBeUndefined();
    expect(stream.writable).toBe(false);
  });

  it('says what the API server says when it refuses', async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((one) => one === 'Timeout').length;
    const before = timers();
    const peer = new Peer();
    const opening = openPortForward(clusterOf(peer, 'pods "registry-0" not found').cluster, pod, 5000);
    await listening();
    peer.refuse();
    const error = await failure(opening);
    expect([error.code, error.why]).toEqual(['cluster-port-forward', 'pods "registry-0" not found']);
    expect(error.next).toContain('`get` and `create` pods/portforward');
    // What would keep the process from its end.
    expect(timers()).toBe(before);
  });

  it('holds the writer while much is on its way', async () => {
    const peer = new Peer();
    const stream = await opened(peer);
    peer.bufferedAmount = 2 * 1024 * 1024;
    let done = false;
    stream.write('x', () => {
      done = true;
    });
    await sleep(50);
    expect(done).toBe(false);
    peer.bufferedAmount = 0;
    while (!done) await sleep(10);
    expect(done).toBe(true);
  });

  it('fails a write on a connection that has ended', async () => {
    const peer = new Peer();
    const stream = await opened(peer);
    peer.readyState = 3;
    const end = ended(stream);
    stream.write('x');
    expect(await end).toMatchObject({ code: 'cluster-port-forward', why: 'the connection has ended' });
  });

  it('gives up a peer that sends more than is read', async () => {
    const peer = new Peer();
    const stream = await opened(peer);
    const end = ended(stream);
    for (let sent = 0; sent <= 64 && !stream.destroyed; sent++) peer.say(0, Buffer.alloc(1024 * 1024));
    expect(await end).toMatchObject({ why: 'more came than was read' });
  });
});
