import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { McprtError } from '../errors.js';
import { type ApiPorts, type Caller, findApi, look, unreachable } from './api.js';
import { type Asked, type Reply, type SecureServer, startSecureServer } from './testing/secure-server.js';
import { WebError } from './web.js';

let server: SecureServer;
let ports: ApiPorts;
let masked: string[];
let lines: string[];

beforeEach(async () => {
  server = await startSecureServer();
  masked = [];
  lines = [];
  ports = {
    web: server.web,
    signal: new AbortController().signal,
    mask: (secret) => void masked.push(secret),
    progress: (line) => void lines.push(line),
  };
});

afterEach(async () => {
  jest.restoreAllMocks();
  await server.close();
});

const person = { email: 'a@example.com', password: 'hunter2 secret' };
const unknown: Reply = { status: 401, body: { error: 'unauthorized' } };
const login = (token: string, seconds: number | undefined = 900): Reply => ({
  status: 200,
  body: { access_token: token, expires_in: seconds, user: { id: 'u1', email: person.email, role: 'user' } },
});

/** The API as somebody; what answers the search for it is not among what was asked. */
async function as(caller: Caller, answer: (asked: Asked, count: number) => Reply = () => ({ status: 200, body: {} })) {
  server.answer = () => unknown;
  const api = await findApi(server.host, ports);
  server.asked.length = 0;
  server.answer = (asked) => answer(asked, server.asked.length);
  return api.as(caller);
}

const failure = async (attempt: Promise<unknown>): Promise<McprtError> => {
  const error = await attempt.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof McprtError)) throw new Error(`no McprtError: ${String(error)}`);
  return error;
};

describe('the search for the API', () => {
  it.each([
    ['/api/v1', '/api/v1/auth/me'],
    ['/api', '/api/auth/me'],
  ])('finds it at %s', async (base, path) => {
    server.answer = ({ url }) => (url === path ? unknown : { status: 404, body: '404 page not found' });
    expect(await findApi(server.host, ports)).toMatchObject({ host: server.host, base });
  });

  it('takes no dashboard for it, and nobody who lets everybody in', async () => {
    server.answer = ({ url }) =>
      url.startsWith('/api/v1') ? { status: 401, body: '<html>' } : { status: 200, body: { error: 'x' } };
    const error = await failure(findApi(server.host, ports));
    expect(error.code).toBe('smoke-api');
    expect(error.why).toBe(
      `GET https://${server.host}/api/v1/auth/me → 401 <html>\nGET https://${server.host}/api/auth/me → 200`,
    );
  });

  it('waits for an API that is being restarted', async () => {
    server.answer = () => (server.asked.length === 1 ? { status: 503, body: 'no available server' } : unknown);
    expect((await findApi(server.host, ports)).base).toBe('/api/v1');
  });
});

describe('a service key', () => {
  it('goes with every request, and is nobody in person', async () => {
    const caller = await as({ key: 'key-of-the-test' }, () => ({ status: 201, body: { id: 7 } }));
    const answer = await caller.call('POST', '/users', { body: { email: 'x' } });
    expect(answer).toEqual({ status: 201, body: { id: 7 }, told: `POST https://${server.host}/api/v1/users → 201` });
    expect(server.asked).toMatchObject([{ method: 'POST', url: '/api/v1/users', body: '{"email":"x"}' }]);
    expect(server.asked[0]?.headers).toMatchObject({ 'x-api-key': 'key-of-the-test' });
    expect(server.asked[0]?.headers).not.toHaveProperty('authorization');
    await expect(caller.person()).rejects.toThrow('nobody in person');
  });
});

describe('somebody with a password', () => {
  it('logs in once, and calls with the token alone, which is masked', async () => {
    const caller = await as(person, ({ url }) => (url.endsWith('/login') ? login('t1') : { status: 200 }));
    await Promise.all([caller.call('GET', '/a'), caller.call('GET', '/b')]);
    expect(await caller.person()).toEqual({ id: 'u1', email: person.email, role: 'user' });
    const [first, ...others] = server.asked;
    expect(first).toMatchObject({ url: '/api/v1/auth/login', body: JSON.stringify(person) });
    expect(others.map(({ headers }) => [headers.authorization, headers['x-api-key']])).toEqual([
      ['Bearer t1', undefined],
      ['Bearer t1', undefined],
    ]);
    expect(masked).toEqual(['t1']);
  });

  it('logs in again when asked to, and before the token ends', async () => {
    let count = 0;
    const caller = await as(person, ({ url }) => (url.endsWith('/login') ? login(`t${++count}`) : { status: 200 }));
    const called = async () => {
      await caller.call('GET', '/a');
      return server.asked.at(-1)?.headers.authorization;
    };
    expect(await called()).toBe('Bearer t1');
    caller.forget();
    expect(await called()).toBe('Bearer t2');
    const now = Date.now();
    // It holds for 900 s, and is renewed 120 s before.
    const clock = jest.spyOn(Date, 'now').mockReturnValue(now + 770_000);
    expect(await called()).toBe('Bearer t2');
    clock.mockReturnValue(now + 790_000);
    expect(await called()).toBe('Bearer t3');
  });

  it('keeps a token that holds for a short time for half of it', async () => {
    let count = 0;
    const caller = await as(person, ({ url }) => (url.endsWith('/login') ? login(`t${++count}`, 60) : { status: 200 }));
    await caller.call('GET', '/a');
    const now = Date.now();
    const clock = jest.spyOn(Date, 'now').mockReturnValue(now + 25_000);
    await caller.call('GET', '/a');
    expect(count).toBe(1);
    clock.mockReturnValue(now + 31_000);
    await caller.call('GET', '/a');
    expect(count).toBe(2);
  });

  it('cannot log in with a wrong password, which is asked once and never told', async () => {
    const caller = await as(person, () => ({ status: 401, body: { error: 'invalid_credentials' } }));
    const error = await failure(caller.call('GET', '/a'));
    expect(error).toMatchObject({ code: 'smoke-login', next: expect.stringContaining('correct the password') });
    expect(server.asked).toHaveLength(1);
    expect(JSON.stringify([error, error.message, lines])).not.toContain('hunter2');
    server.answer = ({ url }) => (url.endsWith('/login') ? login('t1') : { status: 200 });
    await expect(caller.call('GET', '/a')).resolves.toMatchObject({ status: 200 });
  });

  it.each<Reply>([
    { status: 200, body: {} },
    { status: 500, body: { error: 'x' } },
  ])('has not logged in without a token: %j', async (reply) => {
    const caller = await as(person, () => reply);
    expect((await failure(caller.person())).code).toBe('smoke-login');
  });

  it('waits while the platform has locked the address, and says so once', async () => {
    const controller = new AbortController();
    const reason = new Error('the job was cancelled');
    ports.signal = controller.signal;
    const progress = ports.progress;
    ports.progress = (line) => {
      progress(line);
      controller.abort(reason);
    };
    const caller = await as(person, () => ({ status: 429, body: { error: 'too_many_attempts' } }));
    await expect(caller.person()).rejects.toBe(reason);
    expect(lines).toEqual([expect.stringContaining('locked')]);
  });

  it('gives up when the address stays locked', async () => {
    const caller = await as(person, () => {
      jest.spyOn(Date, 'now').mockReturnValue(now + 75_000);
      return { status: 429, body: { error: 'too_many_attempts' } };
    });
    const now = Date.now();
    expect(await failure(caller.person())).toMatchObject({
      code: 'smoke-login-locked',
      why: expect.stringContaining('429 too_many_attempts'),
    });
    expect(server.asked).toHaveLength(1);
  });
});

describe('an answer of the API', () => {
  it.each([
    [401, 'smoke-unauthorized'],
    [403, 'smoke-forbidden'],
    [429, 'smoke-limit'],
    [500, 'smoke-server-error'],
    [400, 'smoke-refused'],
    [302, 'smoke-refused'],
  ])('with %d is a %s, and is not asked for again', async (status, code) => {
    const caller = await as({ key: 'k' }, () => ({ status, body: { error: 'code', message: 'words' } }));
    const error = await failure(caller.call('GET', '/a'));
    expect(error.code).toBe(code);
    const told = `GET https://${server.host}/api/v1/a → ${status}`;
    expect(error.why).toBe(status < 400 ? told : `${told} code: words`);
    expect(server.asked).toHaveLength(1);
  });

  it('is what is accepted, and nothing else', async () => {
    const caller = await as({ key: 'k' }, () => ({ status: 404, body: 'page   not\nfound' }));
    expect(await caller.call('GET', '/a', { accept: [200, 404] })).toMatchObject({
      status: 404,
      body: undefined,
      told: expect.stringMatching(/404 page not found$/),
    });
    server.answer = () => ({ status: 201 });
    expect((await failure(caller.call('GET', '/a', { accept: [200] }))).code).toBe('smoke-refused');
    await expect(caller.call('GET', '/a')).resolves.toMatchObject({ status: 201 });
  });

  it.each<Reply>([{ status: 502 }, { status: 503 }, { status: 504 }, { status: 500, body: { error: 'auth_failed' } }])(
    'is asked for again when it passes: %j',
    async (reply) => {
      const caller = await as({ key: 'k' }, (_, count) => (count === 1 ? reply : { status: 200, body: { count } }));
      expect((await caller.call('GET', '/a')).body).toEqual({ count: 2 });
    },
  );

  it('is asked for again when the connection breaks', async () => {
    const caller = await as({ key: 'k' });
    let breaks = 1;
    server.instead = (request) => breaks-- > 0 && Boolean(request.socket.destroy());
    await expect(caller.call('GET', '/a')).resolves.toMatchObject({ status: 200 });
  });

  it('is not asked for again where that was not wanted, nor for a body that can be sent once', async () => {
    const caller = await as({ key: 'k' }, () => ({ status: 503 }));
    expect((await failure(caller.call('POST', '/a', { retry: false }))).code).toBe('smoke-server-error');
    const stream = { body: 'once', headers: { 'content-type': 'text/plain' } };
    expect((await failure(caller.call('POST', '/a', { stream }))).code).toBe('smoke-server-error');
    expect(server.asked.map(({ body, headers }) => [body, headers['content-type']])).toEqual([
      ['', undefined],
      ['once', 'text/plain'],
    ]);
  });

  it('that does not come in time is told as such, and not waited for again', async () => {
    const caller = await as({ key: 'k' });
    let count = 0;
    server.instead = () => ++count > 0;
    expect((await failure(caller.call('GET', '/a', { deadline: 50 }))).code).toBe('smoke-timeout');
    expect(count).toBe(1);
  });
});

describe('a look', () => {
  it('is taken again when the connection breaks or a service is being restarted, and a refusal is an answer', async () => {
    let breaks = 1;
    server.instead = (request) => breaks-- > 0 && Boolean(request.socket.destroy());
    server.answer = () => ({ status: server.asked.length === 1 ? 503 : 401, body: {} });
    const { host, asked } = server;
    const answer = await look(ports.web, { method: 'GET', host, path: '/v2/', signal: ports.signal });
    expect([answer.status, asked.length]).toEqual([401, 2]);
  });
});

describe('a platform that cannot be reached', () => {
  it.each(['dns', 'tcp', 'tls', 'timeout'] as const)('is told by the layer that fails: %s', (layer) => {
    const error = unreachable(new WebError(layer, 'GET https://p.example.com/a', 'words'));
    expect(error).toMatchObject({ code: `smoke-${layer}`, why: 'GET https://p.example.com/a: words' });
    expect(error.message).toContain('p.example.com');
  });
});
