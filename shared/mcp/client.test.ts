import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { isRecord } from '../json.js';
import { type Asked, type Reply, type SecureServer, startSecureServer } from '../platform/testing/secure-server.js';
import { type Mcp, openMcp, refusalOf, resultOf, textOf, toldOf } from './client.js';

let server: SecureServer;
let mcp: Mcp;

beforeEach(async () => {
  server = await startSecureServer();
  const { host, web } = server;
  mcp = openMcp(web, {
    host,
    path: '/demo/mcp',
    signal: new AbortController().signal,
    headers: { 'x-mcp-agent-id': 'a' },
  });
});

afterEach(async () => {
  await mcp.close();
  await server.close();
});

const sent = ({ body }: Asked): Record<string, unknown> => {
  if (body === '') return {};
  const parsed: unknown = JSON.parse(body);
  return isRecord(parsed) ? parsed : {};
};

const hello = {
  protocolVersion: '2025-06-18',
  capabilities: { tools: {} },
  serverInfo: { name: 'demo', version: '1' },
};

type Answering = (asked: { id: unknown; params: unknown }) => Reply;

const message = (id: unknown, result: unknown, headers: Record<string, string> = {}): Reply => ({
  status: 200,
  headers,
  body: { jsonrpc: '2.0', id, result },
});

const event = (id: unknown, result: unknown): string => `data: ${JSON.stringify({ jsonrpc: '2.0', id, result })}\n\n`;

const stream = (...events: string[]): Reply => ({
  status: 200,
  headers: { 'content-type': 'text/event-stream' },
  body: events.join(''),
});

/** Answers initialize as a good server does, and all else as is said. */
function serve(
  answering: Answering,
  { result = hello, headers = {} }: { result?: unknown; headers?: Record<string, string> } = {},
): void {
  server.answer = (asked): Reply => {
    const { id, method, params } = sent(asked);
    if (asked.method !== 'POST') return { status: 405 };
    if (method === 'initialize') return message(id, result, headers);
    return id === undefined ? { status: 202 } : answering({ id, params });
  };
}

/** A conversation that is open. */
async function opened(answering: Answering, headers: Record<string, string> = {}): Promise<Mcp> {
  serve(answering, { headers });
  await mcp.initialize();
  server.asked.length = 0;
  return mcp;
}

describe('a session', () => {
  it('is opened with the server’s id and version, which go with all that follows', async () => {
    serve(({ id }) => message(id, { tools: [] }), { headers: { 'mcp-session-id': 's1' } });
    expect(resultOf(await mcp.initialize())?.serverInfo).toEqual(hello.serverInfo);
    const [first, second] = server.asked;
    expect(first?.headers).toMatchObject({ accept: 'application/json, text/event-stream', 'x-mcp-agent-id': 'a' });
    expect(first?.headers).not.toHaveProperty('mcp-session-id');
    expect(second?.headers).toMatchObject({ 'mcp-session-id': 's1', 'mcp-protocol-version': '2025-06-18' });
    expect(second && sent(second)).toEqual({ jsonrpc: '2.0', method: 'notifications/initialized' });
    await mcp.listTools();
    expect(server.asked.map(({ method }) => method)).toEqual(['POST', 'POST', 'POST']);
  });

  it.each(['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'])('may be of the protocol %s', async (version) => {
    serve(({ id }) => message(id, { tools: [] }), { result: { ...hello, protocolVersion: version } });
    expect(resultOf(await mcp.initialize())).toBeDefined();
  });

  it('may take its time to hear that it is open', async () => {
    serve(({ id }) => message(id, {}));
    const answer = server.answer;
    server.answer = (asked) =>
      asked.method === 'POST' && sent(asked).id === undefined
        ? { status: 202, write: (response) => void setTimeout(() => response.end(), 4_000) }
        : answer(asked);
    expect(toldOf(await mcp.initialize())).toBe('200');
  });

  it('is not needed: a server may have none', async () => {
    await opened(({ id }) => message(id, { content: [{ type: 'text', text: '12' }] }));
    expect(textOf(await mcp.callTool('add', {}))).toBe('12');
    expect(server.asked.at(-1)?.headers).not.toHaveProperty('mcp-session-id');
  });

  it('is not taken from a refusal, and begins anew each time', async () => {
    server.answer = () => ({ status: 401, headers: { 'mcp-session-id': 'evil' }, body: { error: 'missing_identity' } });
    expect(refusalOf(await mcp.initialize())).toBe('missing_identity');
    serve(({ id }) => message(id, {}), { headers: { 'mcp-session-id': 's1' } });
    await mcp.initialize();
    await mcp.initialize();
    const begun = server.asked.filter((asked) => sent(asked).method === 'initialize');
    expect(begun.map(({ headers }) => headers['mcp-session-id'])).toEqual([undefined, undefined, undefined]);
  });

  it('is ended where there is one, with its version, and a server that has no such thing is left alone', async () => {
    await mcp.close();
    expect(server.asked).toEqual([]);
    await opened(({ id }) => message(id, {}), { 'mcp-session-id': 's1' });
    await mcp.close();
    expect(server.asked.at(-1)).toMatchObject({ method: 'DELETE', url: '/demo/mcp' });
    expect(server.asked.at(-1)?.headers).toMatchObject({
      'mcp-session-id': 's1',
      'mcp-protocol-version': '2025-06-18',
      'x-mcp-agent-id': 'a',
    });
  });

  it('is given up when its server is gone', async () => {
    await opened(({ id }) => message(id, {}), { 'mcp-session-id': 's1' });
    server.instead = (request) => Boolean(request.socket.destroy());
    await expect(mcp.close()).resolves.toBeUndefined();
  });
});

describe('the list of tools', () => {
  const tool = (name: string, required: string[] = []) => ({ name, inputSchema: { type: 'object', required } });

  it('is read page by page', async () => {
    await opened(({ id, params }) => {
      const cursor = isRecord(params) ? params.cursor : undefined;
      if (cursor === undefined) return message(id, { tools: [tool('a', ['x', 'y'])], nextCursor: '2' });
      return message(id, { tools: [tool(`page ${String(cursor)}`)], nextCursor: '' });
    });
    const { tools, answer } = await mcp.listTools();
    expect(tools).toEqual([
      { name: 'a', required: ['x', 'y'] },
      { name: 'page 2', required: [] },
    ]);
    expect(answer.status).toBe(200);
    expect(server.asked.map(sent).map(({ params }) => params)).toEqual([{}, { cursor: '2' }]);
  });

  it('ends with the answer that is a failure', async () => {
    await opened(({ id }) =>
      server.asked.length === 1
        ? message(id, { tools: [tool('a')], nextCursor: '2' })
        : { status: 403, body: { error: 'no' } },
    );
    const { tools, answer: last } = await mcp.listTools();
    expect([tools.length, last.status, refusalOf(last)]).toEqual([1, 403, 'no']);
  });

  it('may be empty', async () => {
    await opened(({ id }) => message(id, { tools: [] }));
    expect((await mcp.listTools()).tools).toEqual([]);
  });

  it('does not go round in a circle when a server gives the same cursor again', async () => {
    await opened(({ id }) => message(id, { tools: [tool('a')], nextCursor: 'same' }));
    expect((await mcp.listTools()).tools).toHaveLength(2);
    expect(server.asked).toHaveLength(2);
  });

  it('names the field that is not as the schema has it', async () => {
    await opened(({ id }) => message(id, { tools: [{ title: 'no name' }] }));
    expect(toldOf((await mcp.listTools()).answer)).toMatch(
      /^200 the result is not as the schema has it: tools\.0\.name: /,
    );
  });
});

describe('a call of a tool', () => {
  const text = (value: string) => ({ content: [{ type: 'text', text: value }] });

  it('names tool, arguments and who calls', async () => {
    await opened(({ id }) => message(id, text('12')));
    expect(textOf(await mcp.callTool('add', { a: 5 }, { 'x-mcp-human-id': 'h' }))).toBe('12');
    const [asked] = server.asked;
    expect(asked && sent(asked)).toMatchObject({ method: 'tools/call', params: { name: 'add', arguments: { a: 5 } } });
    expect(asked?.headers).toMatchObject({ 'x-mcp-human-id': 'h', 'x-mcp-agent-id': 'a' });
  });

  it('keeps apart who calls, however many call at once', async () => {
    await opened(({ id }) => message(id, text('12')));
    await Promise.all(['a', 'b', 'c'].map((who) => mcp.callTool(who, {}, { 'x-mcp-human-id': who })));
    const pairs = server.asked.map((asked) => [asked.headers['x-mcp-human-id'], sent(asked).params]);
    for (const [who, params] of pairs) expect(params).toMatchObject({ name: who });
  });

  it('may be answered with events, among them some that are about something else', async () => {
    await opened(({ id }) =>
      stream(
        ': hello\n\n',
        'event: message\ndata: {"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1}}\n\n',
        event(77, text('other')),
        'data: no JSON\n\n',
        event(id, text('ours')).replace(',', ',\ndata: '),
      ),
    );
    expect(textOf(await mcp.callTool('add', {}))).toBe('ours');
  });

  it('is over when its answer is there, though the stream stays open', async () => {
    let isClosed = false;
    await opened(({ id }) => ({
      ...stream(),
      write: (response) => {
        response.on('close', () => {
          isClosed = true;
        });
        response.write(event(id, text('ours')));
      },
    }));
    expect(textOf(await mcp.callTool('add', {}))).toBe('ours');
    for (let turn = 0; turn < 200 && !isClosed; turn += 1) await new Promise((done) => setTimeout(done, 10));
    expect(isClosed).toBe(true);
  });

  it('goes on where a stream ended that said how', async () => {
    await opened(({ id }) => message(id, {}));
    let called: unknown;
    server.answer = (asked) => {
      if (asked.method === 'POST') {
        called = sent(asked).id;
        return {
          ...stream(),
          write: (response) => {
            response.write(': x\n\ni');
            setTimeout(() => response.end('d: 7\nretry: 1500\ndata:\n\n'), 50);
          },
        };
      }
      return stream(asked.headers['last-event-id'] === '7' ? event(called, text('late')) : '');
    };
    expect(textOf(await mcp.callTool('add', {}))).toBe('late');
  });

  it('answers a ping of the server on the way', async () => {
    await opened(({ id }) => message(id, {}));
    let pong: unknown;
    let finish = (): void => undefined;
    server.answer = (asked) => {
      const { id, method } = sent(asked);
      if (method === undefined) {
        pong = sent(asked);
        finish();
        return { status: 202 };
      }
      return {
        ...stream(),
        write: (response) => {
          finish = () => void response.end(event(id, text('ours')));
          response.write('data: {"jsonrpc":"2.0","id":"p","method":"ping"}\n\n');
        },
      };
    };
    expect(textOf(await mcp.callTool('add', {}))).toBe('ours');
    expect(pong).toEqual({ jsonrpc: '2.0', id: 'p', result: {} });
  });

  it.each(['\n\n', '\r\n\r\n'])('may be answered with an event that ends with %j', async (end) => {
    await opened(({ id }) => stream(event(id, text('ours')).replace('\n\n', end)));
    expect(textOf(await mcp.callTool('add', {}))).toBe('ours');
  });

  it('may be answered by a server that is moved within its address', async () => {
    await opened(({ id }) => message(id, text('ours')));
    const answer = server.answer;
    server.answer = (asked) =>
      asked.url === '/demo/mcp' ? { status: 307, headers: { location: '/demo/mcp/' } } : answer(asked);
    expect(textOf(await mcp.callTool('add', {}))).toBe('ours');
    expect(server.asked.map(({ method, url }) => `${method} ${url}`)).toEqual(['POST /demo/mcp', 'POST /demo/mcp/']);
  });

  it('is not sent to another origin', async () => {
    await opened(() => ({ status: 307, headers: { location: 'https://evil.example/mcp' } }));
    const answer = await mcp.callTool('add', {});
    expect(toldOf(answer)).toBe('307 a redirect must stay at the same address and keep the method: 307 or 308');
  });

  it.each([429, 503])('comes again when a server with %d says when', async (status) => {
    await opened(({ id }) =>
      server.asked.length < 3 ? { status, headers: { 'retry-after': '0' }, body: 'busy' } : message(id, text('ours')),
    );
    expect(textOf(await mcp.callTool('add', {}))).toBe('ours');
    expect(server.asked).toHaveLength(3);
  });

  it('does not come again for ever, nor when it would have to wait too long', async () => {
    await opened(() => ({ status: 429, headers: { 'retry-after': '0' }, body: 'busy' }));
    expect((await mcp.callTool('add', {})).status).toBe(429);
    expect(server.asked).toHaveLength(5);
    await opened(() => ({ status: 429, headers: { 'retry-after': '3600' }, body: 'busy' }));
    expect((await mcp.callTool('add', {})).status).toBe(429);
    expect(server.asked).toHaveLength(1);
  });

  it.each([
    ['no text', { content: [] }, ''],
    ['nothing but structured content', { structuredContent: { sum: 12 } }, '{"sum":12}'],
    [
      'a picture first',
      { content: [{ type: 'image', data: 'AA==', mimeType: 'image/png' }, ...text('12').content] },
      '12',
    ],
    ['a resource', { content: [{ type: 'resource', resource: { uri: 'a:b', text: 'x' } }] }, ''],
  ])('may give %s', async (_name, result, expected) => {
    await opened(({ id }) => message(id, result));
    expect(textOf(await mcp.callTool('add', {}))).toBe(expected);
  });

  it('has failed when the error comes with 200', async () => {
    await opened(({ id }) => ({
      status: 200,
      body: { jsonrpc: '2.0', id, error: { code: -32_602, message: 'unknown tool' } },
    }));
    const answer = await mcp.callTool('add', {});
    expect([resultOf(answer), textOf(answer), refusalOf(answer)]).toEqual([undefined, undefined, '']);
    expect(toldOf(answer)).toBe('200 {"code":-32602,"message":"unknown tool"}');
  });

  it('has failed when the error comes after much else', async () => {
    const told = (said: object): string => `data: ${JSON.stringify({ jsonrpc: '2.0', ...said })}\n\n`;
    const note = { method: 'notifications/message', params: { level: 'info', data: 'x'.repeat(9_000) } };
    await opened(({ id }) => stream(told(note), told({ id, error: { code: -32_602, message: 'unknown tool' } })));
    expect(toldOf(await mcp.callTool('add', {}))).toBe('200 {"code":-32602,"message":"unknown tool"}');
  });

  it('has failed when its result says so', async () => {
    await opened(({ id }) => message(id, { isError: true, ...text('division by zero') }));
    expect(textOf(await mcp.callTool('divide', {}))).toBeUndefined();
  });

  it.each([401, 403, 503])('is refused by the gateway with %d and its reason', async (status) => {
    await opened(() => ({ status, body: { error: 'session_not_found' } }));
    const answer = await mcp.callTool('add', {});
    expect([refusalOf(answer), toldOf(answer)]).toEqual(['session_not_found', `${status} session_not_found`]);
  });

  it.each([404, 500])('is not refused by the gateway with %d', async (status) => {
    await opened(() => ({ status, body: { error: 'session_not_found' } }));
    expect(refusalOf(await mcp.callTool('add', {}))).toBe('');
  });

  it('has no result when the status says otherwise', async () => {
    await opened(({ id }) => ({ ...message(id, text('x')), status: 500 }));
    expect(resultOf(await mcp.callTool('add', {}))).toBeUndefined();
  });

  it('tells the beginning of what is no message', async () => {
    const body = `no\n  pod ${'x'.repeat(300)}`;
    await opened(() => ({ status: 503, headers: { 'content-type': 'text/html' }, body }));
    expect(toldOf(await mcp.callTool('add', {}))).toBe(`503 no pod ${'x'.repeat(193)}`);
  });
});

describe('a rule that a server breaks is named', () => {
  const html = { status: 200, headers: { 'content-type': 'text/html' }, body: '<p>' };
  it.each<[rule: string, answering: Answering]>([
    ['the Content-Type of an answer must be application/json or text/event-stream, not text/html', () => html],
    ['a request needs an answer; 202 is for notifications', () => ({ status: 202 })],
    ['the body must be a message of JSON-RPC', () => ({ ...html, headers: { 'content-type': 'application/json' } })],
    ['a message must say "jsonrpc": "2.0"', ({ id }) => ({ status: 200, body: { id, result: {} } })],
    ['the answer must have the id of the request', () => message(99, {})],
    ['a stream of events must hold the answer', () => stream(event(99, {}))],
    ['a stream of events must hold the answer', () => stream('')],
    ['the result is not as the schema has it: content.0', ({ id }) => message(id, { content: [{ type: 'none' }] })],
  ])('%s', async (rule, answering) => {
    await opened(answering);
    const answer = await mcp.callTool('add', {});
    expect(answer.broken).toContain(rule);
    expect(textOf(answer)).toBeUndefined();
  });

  it.each([
    ['initialize must answer with a protocol version', { ...hello, protocolVersion: '1999-01-01' }],
    ['initialize must answer with a protocol version', { ...hello, protocolVersion: 'x\r\nevil: 1' }],
    ['the result is not as the schema has it: serverInfo', { ...hello, serverInfo: undefined }],
    ['the result is not as the schema has it: protocolVersion', { ...hello, protocolVersion: 7 }],
  ])('when it is opened: %s', async (rule, result) => {
    serve(() => ({ status: 500 }), { result });
    const answer = await mcp.initialize();
    expect(answer.broken).toContain(rule);
    expect(resultOf(answer)).toBeUndefined();
  });

  it('of structured content that is missing', async () => {
    const tool = { name: 'add', inputSchema: { type: 'object' }, outputSchema: { type: 'object' } };
    await opened(({ id, params }) =>
      message(id, isRecord(params) && params.name ? { content: [] } : { tools: [tool] }),
    );
    await mcp.listTools();
    expect((await mcp.callTool('add', {})).broken).toBe('a tool with an output schema must give structured content');
  });
});

describe('a body of any kind', () => {
  it('is sent as it is, in the session, and told as it comes', async () => {
    await opened(() => ({ status: 500 }), { 'mcp-session-id': 's1' });
    server.answer = () => ({ status: 400, body: { id: null, error: { code: -32_700 } } });
    const answer = await mcp.post('{broken', { 'content-type': 'text/plain' });
    expect(server.asked[0]).toMatchObject({ body: '{broken' });
    expect(server.asked[0]?.headers).toMatchObject({ 'content-type': 'text/plain', 'mcp-session-id': 's1' });
    expect(toldOf(answer)).toBe('400 {"code":-32700}');
  });
});

describe('a server that means ill', () => {
  it('has its list of tools ended with a code: pages without an end, or tools without one', async () => {
    let page = 0;
    await opened(({ id }) => {
      page += 1;
      return message(id, { tools: [], nextCursor: String(page) });
    });
    await expect(mcp.listTools()).rejects.toMatchObject({ code: 'smoke-tools-endless' });
    expect(page).toBeLessThan(100);
    const inputSchema = { type: 'object' };
    await opened(({ id }) =>
      message(id, {
        tools: Array.from({ length: 20_000 }, (_, at) => ({ name: `t${at}`, inputSchema })),
        nextCursor: '1',
      }),
    );
    await expect(mcp.listTools()).rejects.toMatchObject({ code: 'smoke-tools-endless' });
    const required = Array(1000).fill('y'.repeat(900));
    await opened(({ id }) =>
      message(id, { tools: [{ name: 'x'.repeat(3_000_000), inputSchema: { ...inputSchema, required } }] }),
    );
    const { tools } = await mcp.listTools();
    expect(JSON.stringify(tools).length).toBeLessThan(40_000);
  });

  it('has no schema of its own run', async () => {
    const pattern = '^(a+)+$';
    const tool = {
      name: 'add',
      inputSchema: { type: 'object' },
      outputSchema: { type: 'object', properties: { a: { type: 'string', pattern } } },
    };
    await opened(({ id, params }) =>
      message(
        id,
        isRecord(params) && params.name
          ? { content: [], structuredContent: { a: `${'a'.repeat(60)}!` } }
          : { tools: [tool] },
      ),
    );
    await mcp.listTools();
    expect(textOf(await mcp.callTool('add', {}))).toContain('aaa');
  });

  it('is answered so many pings, and no more', async () => {
    await opened(({ id }) => message(id, {}));
    let pongs = 0;
    let finish = (): void => undefined;
    server.answer = (asked) => {
      const { id, method } = sent(asked);
      if (method === undefined) {
        pongs += 1;
        // Without a limit they would go on: it is not waited for longer than that is seen.
        if (pongs > 60) finish();
        return { status: 202 };
      }
      return {
        ...stream(),
        write: (response) => {
          finish = () => void response.end(event(id, {}));
          response.write('data: {"jsonrpc":"2.0","id":"p","method":"ping"}\n\n'.repeat(1_000));
          setTimeout(finish, 5_000);
        },
      };
    };
    expect(resultOf(await mcp.callTool('add', {}))).toBeDefined();
    expect(pongs).toBeLessThan(60);
    expect(pongs).toBeGreaterThan(0);
    expect(server.asked.length).toBeLessThan(100);
  });

  it('has events without an end ended with a code, before all of them are read', async () => {
    await opened(() => stream('data: {"id":0}\n\n'.repeat(20_000)));
    await expect(mcp.callTool('add', {})).rejects.toMatchObject({ layer: 'size' });
  });

  it('has its errors told in a few words', async () => {
    server.answer = () => ({
      status: 200,
      body: { jsonrpc: '2.0', id: 0, error: { code: 1, message: 'x'.repeat(1_000_000) } },
    });
    expect(toldOf(await mcp.initialize()).length).toBeLessThan(600);
  });

  it.each(['application/json', 'text/event-stream'])(
    'has an answer without an end ended with a code: %s',
    async (type) => {
      server.instead = (_, response) => {
        response.writeHead(200, { 'content-type': type });
        const more = (): void => {
          while (response.write('x'.repeat(64 * 1024)));
        };
        response.on('drain', more);
        more();
        return true;
      };
      await expect(mcp.initialize()).rejects.toMatchObject({ layer: 'size' });
    },
  );

  it('has an answer that breaks off told at once', async () => {
    await opened(() => ({
      ...stream(),
      write: (response) => void response.write(': hello\n\n', () => response.destroy()),
    }));
    await expect(mcp.callTool('add', {})).rejects.toMatchObject({ layer: 'tcp' });
  });
});
