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

afterEach(() => server.close());

const sent = ({ body }: Asked): Record<string, unknown> => {
  const parsed: unknown = JSON.parse(body);
  return isRecord(parsed) ? parsed : {};
};

/** Answers every request with a result. */
const results = (
  resultFor: (asked: Record<string, unknown>) => unknown,
  headers: Record<string, string> = {},
): void => {
  server.answer = (asked): Reply => {
    const { id } = sent(asked);
    if (id === undefined) return { status: 202, headers };
    return { status: 200, headers, body: { jsonrpc: '2.0', id, result: resultFor(sent(asked)) } };
  };
};

const stream = (...events: string[]): void => {
  server.answer = () => ({ status: 200, headers: { 'content-type': 'text/event-stream' }, body: events.join('') });
};

const serverInfo = { name: 'demo', version: '1' };

describe('a session', () => {
  it('is opened with the server’s id and version, which go with all that follows', async () => {
    results(() => ({ protocolVersion: '2024-11-05', serverInfo }), { 'mcp-session-id': 's1' });
    expect(resultOf(await mcp.initialize())?.serverInfo).toEqual(serverInfo);
    await mcp.initialized();
    const [first, second] = server.asked;
    expect(first?.headers).toMatchObject({ accept: 'application/json, text/event-stream', 'x-mcp-agent-id': 'a' });
    expect(first?.headers).not.toHaveProperty('mcp-session-id');
    expect(second?.headers).toMatchObject({ 'mcp-session-id': 's1', 'mcp-protocol-version': '2024-11-05' });
    expect(second && sent(second)).toEqual({ jsonrpc: '2.0', method: 'notifications/initialized' });
  });

  it('is not taken from a refusal, and begins anew each time', async () => {
    server.answer = () => ({ status: 401, headers: { 'mcp-session-id': 'evil' }, body: { error: 'missing_identity' } });
    await mcp.initialize();
    results(() => ({ serverInfo }), { 'mcp-session-id': 's1' });
    await mcp.initialize();
    await mcp.initialize();
    expect(server.asked.map(({ headers }) => headers['mcp-session-id'])).toEqual([undefined, undefined, undefined]);
  });

  it('is ended where there is one, and a server that has no such thing is left alone', async () => {
    await mcp.close();
    expect(server.asked).toEqual([]);
    results(() => ({ serverInfo }), { 'mcp-session-id': 's1' });
    await mcp.initialize();
    server.answer = () => ({ status: 405 });
    await mcp.close();
    expect(server.asked.at(-1)).toMatchObject({ method: 'DELETE', url: '/demo/mcp' });
    expect(server.asked.at(-1)?.headers['mcp-session-id']).toBe('s1');
  });

  it('is given up when its server is gone', async () => {
    results(() => ({ serverInfo }), { 'mcp-session-id': 's1' });
    await mcp.initialize();
    server.instead = (request) => Boolean(request.socket.destroy());
    await expect(mcp.close()).resolves.toBeUndefined();
  });
});

describe('the list of tools', () => {
  it('is read page by page', async () => {
    results(({ params }) => {
      const cursor = isRecord(params) ? params.cursor : undefined;
      if (cursor === undefined)
        return { tools: [{ name: 'a', inputSchema: { required: ['x', 'y'] } }], nextCursor: '2' };
      return { tools: [{ name: `page ${String(cursor)}` }, { title: 'no name' }, 7], nextCursor: '' };
    });
    const { tools, answer } = await mcp.listTools();
    expect(tools).toEqual([
      { name: 'a', required: ['x', 'y'] },
      { name: 'page 2', required: [] },
    ]);
    expect(answer.status).toBe(200);
    expect(server.asked.map(sent).map(({ id, params }) => [id, params])).toEqual([
      [1, {}],
      [2, { cursor: '2' }],
    ]);
  });

  it('ends with the answer that is a failure', async () => {
    results(() => ({ tools: [{ name: 'a' }], nextCursor: '2' }));
    const answer = server.answer;
    server.answer = (asked) => (server.asked.length === 1 ? answer(asked) : { status: 403, body: { error: 'no' } });
    const { tools, answer: last } = await mcp.listTools();
    expect([tools.length, last.status, refusalOf(last)]).toEqual([1, 403, 'no']);
  });

  it('may be empty', async () => {
    results(() => ({}));
    expect((await mcp.listTools()).tools).toEqual([]);
  });

  it('does not go round in a circle when a server gives the same cursor again', async () => {
    results(() => ({ tools: [{ name: 'a' }], nextCursor: 'same' }));
    expect((await mcp.listTools()).tools).toHaveLength(2);
    expect(server.asked).toHaveLength(2);
  });
});

describe('a call of a tool', () => {
  it('names tool, arguments and who calls', async () => {
    results(() => ({ content: [{ type: 'text', text: '12' }] }));
    expect(textOf(await mcp.callTool('add', { a: 5 }, { 'x-mcp-human-id': 'h' }))).toBe('12');
    const [asked] = server.asked;
    expect(asked && sent(asked)).toMatchObject({ method: 'tools/call', params: { name: 'add', arguments: { a: 5 } } });
    expect(asked?.headers).toMatchObject({ 'x-mcp-human-id': 'h', 'x-mcp-agent-id': 'a' });
  });

  it('may be answered with events, among them some that are about something else', async () => {
    stream(
      ': hello\n\n',
      'event: message\ndata: {"method":"notifications/message"}\n\n',
      'data: {"id":2,"result":{"content":[{"text":"other"}]}}\n\n',
      'data: no JSON\n\n',
      'data: {"id":1,\ndata: "result":{"content":[{"text":"ours"}]}}\n\n',
    );
    expect(textOf(await mcp.callTool('add', {}))).toBe('ours');
  });

  it.each(['\n\n', '\n', '\r\n\r\n', ''])('may be answered with an event that ends with %j', async (end) => {
    stream(`data: {"id":1,"result":{"content":[{"text":"ours"}]}}${end}`);
    expect(textOf(await mcp.callTool('add', {}))).toBe('ours');
  });

  it('is not answered by events that are about something else', async () => {
    stream('data: {"id":7,"result":{"content":[{"text":"other"}]}}\n\n');
    const answer = await mcp.callTool('add', {});
    expect([answer.message, textOf(answer)]).toEqual([undefined, undefined]);
  });

  it('has failed when the error comes with 200', async () => {
    server.answer = () => ({ status: 200, body: { id: 1, error: { code: -32_602, message: 'unknown tool' } } });
    const answer = await mcp.callTool('add', {});
    expect([resultOf(answer), textOf(answer), refusalOf(answer)]).toEqual([undefined, undefined, '']);
    expect(toldOf(answer)).toBe('200 {"code":-32602,"message":"unknown tool"}');
  });

  it('has failed when its result says so, or has no text', async () => {
    results(() => ({ isError: true, content: [{ type: 'text', text: 'division by zero' }] }));
    expect(textOf(await mcp.callTool('divide', {}))).toBeUndefined();
    results(() => ({ content: [{ type: 'image' }] }));
    expect(textOf(await mcp.callTool('draw', {}))).toBeUndefined();
    results(() => ({ content: [] }));
    expect(textOf(await mcp.callTool('draw', {}))).toBeUndefined();
  });

  it.each([401, 403, 503])('is refused by the gateway with %d and its reason', async (status) => {
    server.answer = () => ({ status, body: { error: 'session_not_found' } });
    const answer = await mcp.callTool('add', {});
    expect([refusalOf(answer), toldOf(answer)]).toEqual(['session_not_found', `${status} session_not_found`]);
  });

  it.each([200, 404, 500])('is not refused by the gateway with %d', async (status) => {
    server.answer = () => ({ status, body: { error: 'session_not_found' } });
    expect(refusalOf(await mcp.callTool('add', {}))).toBe('');
  });

  it('has no result when the status says otherwise', async () => {
    server.answer = () => ({ status: 500, body: { id: 1, result: { content: [{ text: 'x' }] } } });
    expect(resultOf(await mcp.callTool('add', {}))).toBeUndefined();
  });

  it('tells the beginning of what is no message', async () => {
    server.answer = () => ({
      status: 503,
      headers: { 'content-type': 'text/html' },
      body: `no\n  pod ${'x'.repeat(300)}`,
    });
    const answer = await mcp.callTool('add', {});
    expect(answer.message).toBeUndefined();
    expect(toldOf(answer)).toBe(`503 no pod ${'x'.repeat(193)}`);
  });
});

describe('a body of any kind', () => {
  it('is sent as it is, and answered by the first message that comes', async () => {
    server.answer = () => ({ status: 400, body: { id: null, error: { code: -32_700 } } });
    const answer = await mcp.post('{broken', { 'content-type': 'text/plain' });
    expect(server.asked[0]).toMatchObject({ body: '{broken' });
    expect(server.asked[0]?.headers['content-type']).toBe('text/plain');
    expect(toldOf(answer)).toBe('400 {"code":-32700}');
  });
});

describe('a server that means ill', () => {
  it('has its list of tools ended with a code: pages without an end, or tools without one', async () => {
    let page = 0;
    results(() => {
      page += 1;
      return { tools: [], nextCursor: String(page) };
    });
    await expect(mcp.listTools()).rejects.toMatchObject({ code: 'smoke-tools-endless' });
    expect(page).toBeLessThan(100);
    results(() => ({
      tools: Array.from({ length: 20_000 }, (_, at) => ({ name: `t${at}` })),
      nextCursor: String(page),
    }));
    await expect(mcp.listTools()).rejects.toMatchObject({ code: 'smoke-tools-endless' });
    results(() => ({
      tools: [{ name: 'x'.repeat(3_000_000), inputSchema: { required: Array(1000).fill('y'.repeat(900)) } }],
    }));
    const { tools } = await mcp.listTools();
    expect(JSON.stringify(tools).length).toBeLessThan(40_000);
  });

  it('is not given back in a header what no header can have', async () => {
    results(() => ({ protocolVersion: 'x\r\nevil: 1', serverInfo }), { 'mcp-session-id': 'ö' });
    await mcp.initialize();
    await mcp.initialized();
    expect(server.asked.at(-1)?.headers).not.toHaveProperty('mcp-protocol-version');
    expect(server.asked.at(-1)?.headers).not.toHaveProperty('mcp-session-id');
  });

  it('has its errors told in a few words', async () => {
    server.answer = () => ({ status: 200, body: { jsonrpc: '2.0', id: 1, error: { message: 'x'.repeat(1_000_000) } } });
    expect(toldOf(await mcp.initialize()).length).toBeLessThan(600);
  });

  it('has an answer without an end ended with a code', async () => {
    server.instead = (_, response) => {
      const more = (): void => {
        while (response.write('x'.repeat(64 * 1024)));
      };
      response.on('drain', more);
      more();
      return true;
    };
    await expect(mcp.initialize()).rejects.toMatchObject({ layer: 'size' });
  });
});
