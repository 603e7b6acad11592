import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Door, openDoor } from './push-proxy.js';
import { forwardedRoute, type RegistryRoute } from './route.js';
import { digestOf, startUpstream, type Upstream } from './testing/upstream.js';

let opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of opened.reverse()) await one.close();
  opened = [];
});

const kept = <T extends { close(): Promise<void> }>(one: T): T => {
  opened.push(one);
  return one;
};

interface Setting {
  upstream: Upstream;
  door: Door;
  base: string;
  /** Asks as Docker does once it has been asked for its login. */
  ask: typeof fetch;
}

/** @param delay ms that each connection beyond the door takes, as TLS or a port-forward does */
async function scene({ absolute = '', delay = 0, signal = new AbortController().signal } = {}): Promise<Setting> {
  const upstream = kept(await startUpstream({ absolute }));
  const way = kept(
    forwardedRoute(async () => {
      await sleep(delay);
      return connect(upstream.port, '127.0.0.1');
    }, undefined),
  );
  const route: RegistryRoute = {
    ...way,
    request: (asked) => way.request({ ...asked, headers: { ...asked.headers, authorization: 'Basic cGxhdGZvcm0=' } }),
  };
  const door = kept(await openDoor(route, signal));
  const ask: typeof fetch = (url, init = {}) =>
    fetch(url, { ...init, headers: { ...init.headers, authorization: `Basic ${door.auth}` } });
  return { upstream, door, base: `http://${door.host}`, ask };
}

describe('openDoor', () => {
  it('lets a push through: upload, mount and manifest, with credentials that Docker did not send', async () => {
    const { upstream, door, base, ask } = await scene({ delay: 30 });
    const layer = randomBytes(3_000_000);
    const begun = await ask(`${base}/v2/team/app/blobs/uploads/`, { method: 'POST' });
    expect(begun.status).toBe(202);
    const patched = await ask(`${base}${begun.headers.get('location')}`, {
      method: 'PATCH',
      // In chunks of no announced length, as Docker sends a layer.
      body: Readable.toWeb(Readable.from([layer.subarray(0, 1_000_000), layer.subarray(1_000_000)])),
      duplex: 'half',
    });
    expect(patched.status).toBe(202);
    const done = await ask(`${base}${patched.headers.get('location')}&digest=${digestOf(layer)}`, { method: 'PUT' });
    expect(done.status).toBe(201);
    expect(done.headers.get('location')).toBe(`/v2/team/app/blobs/${digestOf(layer)}`);
    expect(upstream.content.get(`team/app/${digestOf(layer)}`)?.equals(layer)).toBe(true);
    expect(door.sent('team/app')).toBe(layer.length);
    expect(door.sent('other')).toBe(0);

    for (const from of ['team%2Fapp', 'team/app']) {
      const mount = `mount=${digestOf(layer)}&from=${from}`;
      const mounted = await ask(`${base}/v2/other/blobs/uploads/?${mount}`, { method: 'POST' });
      expect(mounted.status).toBe(201);
    }
    expect(upstream.content.has(`other/${digestOf(layer)}`)).toBe(true);
    const put = await ask(`${base}/v2/team/app/manifests/v1`, { method: 'PUT', body: '{"a":1}' });
    expect(put.headers.get('docker-content-digest')).toBe(digestOf('{"a":1}'));
    const head = await ask(`${base}/v2/team/app/manifests/v1`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '7']);

    expect(new Set(upstream.requests.map(({ headers }) => headers.authorization))).toEqual(
      new Set(['Basic cGxhdGZvcm0=']),
    );
    expect(JSON.stringify(upstream.requests)).not.toContain(door.auth);
  });

  it('keeps Docker on this side when the registry names itself by another name', async () => {
    const { base, ask } = await scene({ absolute: 'https://registry.example.com' });
    const begun = await ask(`${base}/v2/app/blobs/uploads/`, { method: 'POST' });
    expect(begun.headers.get('location')).toMatch(/^\/v2\/app\/blobs\/uploads\/[0-9a-f]+\?_state=a%2Fb%3D$/);
  });

  it('leaves an address of another service as it is', async () => {
    const { upstream, base, ask } = await scene();
    const location = 'https://storage.example.com/bucket/layer?signature=x';
    upstream.instead = (_, response) => Boolean(response.writeHead(307, { location }).end());
    const answer = await ask(`${base}/v2/app/blobs/${digestOf('')}`, { redirect: 'manual' });
    expect(answer.headers.get('location')).toBe(location);
  });

  it('is shut for whoever does not log in, and beyond repositories', async () => {
    const { upstream, door, base } = await scene();
    const others = ['', 'Basic ', `Basic ${Buffer.from('mcprt:wrong').toString('base64')}`, `Bearer ${door.auth}`];
    for (const authorization of others) {
      for (const path of ['/v2/', '/v2/app/manifests/v1']) {
        expect([authorization, await rawStatus(base, 'GET', path, authorization)]).toEqual([authorization, 401]);
      }
    }
    const asked = await fetch(`${base}/v2/`);
    expect(asked.headers.get('www-authenticate')).toBe('Basic realm="mcprt"');
    const own = `Basic ${door.auth}`;
    const paths = ['/', '/v2/_catalog', '/v1/app/manifests/v1', '/v2/app/manifests/../x', '/v2/../admin/manifests/v1'];
    for (const path of paths) expect([path, await rawStatus(base, 'GET', path, own)]).toEqual([path, 404]);
    expect(await rawStatus(base, 'POST', '/v2/', own)).toBe(404);
    expect(upstream.requests).toEqual([]);
    expect(await rawStatus(base, 'GET', '/v2/', own)).toBe(200);
  });

  it('tells Docker that the registry refuses, instead of asking it for a login', async () => {
    const { upstream, base, ask } = await scene();
    upstream.instead = (_, response) =>
      Boolean(response.writeHead(401, { 'www-authenticate': 'Basic realm="registry"' }).end());
    const answer = await ask(`${base}/v2/app/manifests/v1`);
    expect(answer.status).toBe(403);
    expect(answer.headers.get('www-authenticate')).toBeNull();
    expect(await answer.text()).toContain('does not take the platform’s credentials');
  });

  it('tells Docker what is wrong when the registry cannot be reached', async () => {
    const { upstream, base, ask } = await scene();
    await upstream.close();
    const answer = await ask(`${base}/v2/app/manifests/v1`);
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain('cannot be reached');
  });

  it('holds Docker back while the registry takes nothing', async () => {
    const { upstream, door, base, ask } = await scene();
    let resume: (() => void) | undefined;
    const total = 64 * 1024 * 1024;
    upstream.instead = (asked, response) => {
      resume = () => void buffer(asked).then((all) => response.writeHead(202).end(String(all.length)));
      return true;
    };
    const chunk = Buffer.alloc(1024 * 1024);
    const pushed = ask(`${base}/v2/app/blobs/uploads/1`, {
      method: 'PATCH',
      body: Readable.toWeb(
        Readable.from(
          (function* () {
            for (let sent = 0; sent < total; sent += chunk.length) yield chunk;
          })(),
        ),
      ),
      duplex: 'half',
    });
    let before = -1;
    while (door.sent('app') !== before || resume === undefined) {
      before = door.sent('app');
      await sleep(100);
    }
    expect(before).toBeLessThan(total / 2);
    resume();
    expect(await (await pushed).text()).toBe(String(total));
    expect(door.sent('app')).toBe(total);
  });

  it('gives the registry up when Docker goes, and Docker when the job is cancelled', async () => {
    const controller = new AbortController();
    const { upstream, base, ask } = await scene({ signal: controller.signal });
    let [arrived, gone] = [0, 0];
    upstream.instead = (asked) => {
      arrived += 1;
      asked.socket.once('close', () => {
        gone += 1;
      });
      return true;
    };
    const client = new AbortController();
    const first = ask(`${base}/v2/app/manifests/v1`, { signal: client.signal }).catch(() => 'aborted');
    await until(() => arrived === 1);
    client.abort();
    expect(await first).toBe('aborted');
    await until(() => gone === 1);
    const second = ask(`${base}/v2/app/manifests/v1`);
    await until(() => arrived === 2);
    controller.abort(new Error('the job was cancelled'));
    expect((await second).status).toBe(503);
    await until(() => gone === 2);
  });
});

async function until(isDone: () => boolean): Promise<void> {
  while (!isDone()) await sleep(10);
}

/** The path as it is: fetch would tidy it up first. */
function rawStatus(base: string, method: string, path: string, authorization: string): Promise<number> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    request({ hostname, port, method, path, headers: { authorization }, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    })
      .once('error', reject)
      .end();
  });
}
