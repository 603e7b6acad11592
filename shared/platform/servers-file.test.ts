import { describe, expect, it } from '@jest/globals';
import { linearIn } from '../testing/linear.js';
import { MetadataError, readServersFile } from './servers-file.js';

const options = { file: '.mcp/servers.yaml', wanted: '', isForeign: false };
const server = (...fields: string[]): string =>
  ['servers:', '  - name: demo', ...fields.map((field) => `    ${field}`)].join('\n');
const tools = ['tools:', '  - name: add', '    sideEffect: read'];

function mistakes(text: string, more: Partial<typeof options> = {}): MetadataError['problems'] {
  try {
    readServersFile(text, { ...options, ...more });
  } catch (error) {
    if (error instanceof MetadataError) return error.problems;
    throw error;
  }
  return [];
}

describe('a metadata file', () => {
  it('gives the only server, what goes into an MCPServer, and its tools', () => {
    const text = server('image: demo', 'route: /demo', 'port: 8088', 'mcpResources: []', ...tools);
    expect(readServersFile(text, options)).toEqual({
      name: 'demo',
      spec: { port: 8088, mcpResources: [], tools: [{ name: 'add', sideEffect: 'read' }] },
      tools: [{ name: 'add', sideEffect: 'read', requiredTrust: 'low' }],
    });
  });

  it('gives the trust that a tool requires', () => {
    expect(readServersFile(server(...tools, '    requiredTrust: high'), options).tools[0]?.requiredTrust).toBe('high');
  });

  it('says on which line YAML is broken', () => {
    expect(mistakes('servers:\n  - name: demo\n   port: 1')).toMatchObject([{ line: 3 }]);
  });

  it.each(['', 'servers: []', 'servers: demo', 'servers:\n  - demo', '- name: demo', 'other: 1'])(
    'is refused without a server in it: %j',
    (text) => {
      expect(mistakes(text)).toEqual([{ line: 1 + (text.split('\n').length - 1), text: expect.any(String) }]);
    },
  );

  it('must say which of several servers is meant', () => {
    const text = `${server(...tools)}\n  - name: other\n    tools: [{ name: x, sideEffect: write }]`;
    expect(mistakes(text)[0]?.text).toBe('it has several servers, and none was named; there are: demo, other');
    expect(readServersFile(text, { ...options, wanted: 'other' }).tools[0]?.name).toBe('x');
    expect(mistakes(text, { wanted: 'third' })[0]?.text).toContain('it has no server "third"');
  });

  it('is refused when its only server is another one than wanted', () => {
    expect(mistakes(server(...tools), { wanted: 'third' })[0]?.text).toContain('no server "third"');
  });

  it.each(['Demo', '-demo', 'demo-', 'de_mo', 'd'.repeat(64), '7 of 9', '7'])('refuses the name %s', (name) => {
    const text = server(...tools).replace('demo', name);
    expect(mistakes(text)).toMatchObject([{ line: 2, text: expect.stringContaining('`name`') }]);
  });

  it.each(['d', 'a-1', 'd'.repeat(63)])('takes the name %s', (name) => {
    expect(readServersFile(server(...tools).replace('demo', name), options).name).toBe(name);
  });

  it('names a field that the platform would drop, on its line', () => {
    expect(mistakes(server(...tools, 'replica: 2'))).toEqual([
      { line: 6, text: 'the platform knows no field `replica`, and drops it' },
    ]);
  });

  it.each([[], ['tools: []'], ['tools: add']])('refuses a server without tools: %j', (...fields) => {
    expect(mistakes(server(...fields))).toMatchObject([{ line: 2, text: expect.stringContaining('no `tools`') }]);
  });

  it('finds every mistake of the tools, each on its line', () => {
    const text = server('tools:', '  - name: add', '  - sideEffect: read', '  - add', ...tools.slice(1));
    expect(mistakes(text)).toEqual([
      { line: 4, text: 'the tool "add" has no `sideEffect`: every call of it would be refused' },
      { line: 5, text: 'a tool has no `name`' },
      { line: 6, text: 'a tool has no `name`' },
      { line: 7, text: 'the tool "add" is there twice' },
    ]);
  });

  it('names words that the platform does not have, on the line of the word', () => {
    const text = server('tools:', '  - name: add', '    sideEffect: reads', '    requiredTrust: 1');
    expect(mistakes(text)).toEqual([
      { line: 5, text: 'sideEffect of the tool "add" is none of read, write, destructive' },
      { line: 6, text: 'requiredTrust of the tool "add" is none of low, medium, high' },
    ]);
  });

  it('tells file and lines in its error', () => {
    const error = new MetadataError('a.yaml', [{ line: 3, text: 'x' }]);
    expect(error).toMatchObject({ code: 'smoke-metadata', why: 'a.yaml:3: x' });
  });
});

describe('a metadata file from a fork', () => {
  const foreign = { isForeign: true };

  it.each(['secretEnvVars', 'replicas', 'resources', 'auth', 'policy', 'session', 'gateway', 'analytics', 'rollout'])(
    'may not set %s',
    (field) => {
      const text = server(...tools, `${field}: {}`);
      expect(mistakes(text, foreign)).toEqual([
        { line: 6, text: `\`${field}\` may not be set by a pull request from a fork` },
      ]);
      expect(mistakes(text)).toEqual([]);
    },
  );

  it('may set what concerns its own container alone, and what the platform fills in itself', () => {
    const own = ['description: x', 'port: 1', 'envVars: []', 'prompts: []', 'tasks: []', 'image: x', 'teamID: x'];
    expect(mistakes(server(...tools, ...own), foreign)).toEqual([]);
  });

  it('may not set a field under a quoted name either', () => {
    expect(mistakes(server(...tools, '"secretEnvVars": []'), foreign)).toHaveLength(1);
  });

  it.each([
    ['an alias', `x: &key secretEnvVars\n${server(...tools, '*key : []')}`],
    ['an alias in a tool', `x: &key sideEffect\n${server(...tools, '    *key : destructive')}`],
    ['a merge', `x: &all { secretEnvVars: [] }\n${server(...tools, '<<: *all')}`],
    ['a merge of YAML 1.1', `%YAML 1.1\n---\nx: &all { secretEnvVars: [] }\n${server(...tools, '<<: *all')}`],
    ['a list as key', server(...tools, '? [secretEnvVars]', ': []')],
  ])('may not hide a field behind %s', (_, text) => {
    expect(mistakes(text, foreign)).not.toEqual([]);
  });
});

describe('what of a file from a fork is not known to be harmless', () => {
  const foreign = { isForeign: true };

  it.each([
    ['mcpResources', ['mcpResources: []']],
    ['a variable out of a Secret', ['envVars:', '  - name: A', '    valueFrom: { secretKeyRef: { name: s, key: k } }']],
    ['a value that is a map', ['envVars:', '  - name: A', '    value: { valueFrom: x }']],
    ['a variable that is no map', ['envVars: [A]']],
    ['variables that are no list', ['envVars: { A: { valueFrom: x } }']],
    ['a field of a prompt', ['prompts:', '  - name: a', '    source: x']],
    ['labels of labels', ['tasks:', '  - name: a', '    labels: { b: { c: d } }']],
    ['a description that is a list', ['description: [x]']],
    ['a port that is a map', ['port: { valueFrom: x }']],
  ])('is refused: %s', (_, fields) => {
    const text = server(...tools, ...fields);
    expect(mistakes(text, foreign)).not.toEqual([]);
    expect(mistakes(text)).toEqual([]);
  });

  it('is refused: a field of a tool, and an alias for a value', () => {
    expect(mistakes(server(...tools, '    handler: x'), foreign)).toMatchObject([{ line: 6 }]);
    expect(mistakes(`x: &all [{ name: A, valueFrom: x }]\n${server(...tools, 'envVars: *all')}`, foreign)).not.toEqual(
      [],
    );
  });

  it('leaves what is', () => {
    const env = ['envVars:', '  - name: A', '    value: b', '  - { name: C, value: 1 }', 'prompts:'];
    const text = server(
      'tools:',
      '  - name: add',
      '    sideEffect: read',
      '    labels: { a: b }',
      '    riskLevel: low',
      ...env,
    );
    expect(mistakes(text, foreign)).toEqual([]);
  });
});

describe('a metadata file that somebody means ill', () => {
  it.each([
    ['is too long', `${server(...tools)}\n#${'x'.repeat(1024 * 1024)}`],
    ['is nested without an end', `servers: ${'['.repeat(100_000)}`],
    ['has maps in maps', `servers: ${'{a: '.repeat(50_000)}`],
    [
      'has aliases that multiply',
      `a: &a [x,x,x,x,x,x,x,x,x]\n${[...'bcdefgh'].map((name, at) => `${name}: &${name} [${`*${'abcdefg'[at]},`.repeat(9)}]`).join('\n')}\n${server(...tools, 'description: *h')}`,
    ],
    ['has a thousand mistakes', server('tools:', ...Array.from({ length: 1_000 }, () => '  - sideEffect: read'))],
  ])('%s: it is refused with a code, in a few words', (_, text) => {
    for (const isForeign of [false, true]) {
      const found = mistakes(text, { isForeign });
      expect(found.length).toBeGreaterThan(0);
      expect(found.length).toBeLessThan(60);
    }
  });

  it('is read in time in proportion to its length', async () => {
    for (const piece of ['- [', 'a: ', '&a ', '*a ', '"', '? ', '\n', '- name: x\n', '{']) {
      expect(await linearIn((n) => mistakes(`servers:\n  - name: demo\n    ${piece.repeat(n)}`), 1_000)).toBe(true);
    }
  });
});
