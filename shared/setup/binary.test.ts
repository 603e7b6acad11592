import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { binaryFaults, goFault } from './binary.js';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcprt-test-binary-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('what is wrong with the source', () => {
  const told = async (source: string) =>
    (await binaryFaults({ source, binary: '' })).map(({ code, message, why }) => ({ code, message, why }));

  it('is that the folder is not there', async () => {
    const source = join(folder, 'nowhere');
    expect(await told(source)).toEqual([
      {
        code: 'setup-source',
        message: `the platform’s source is not at ${source}`,
        why: expect.stringMatching(/^there is no such folder; /),
      },
    ]);
  });

  it('is that it is another folder', async () => {
    expect(await told(folder)).toEqual([
      {
        code: 'setup-source',
        message: `${folder} is not the platform’s source`,
        why: expect.stringMatching(/^it has no folder cmd\/mcp-runtime; /),
      },
    ]);
  });

  it('is nothing where it is the platform’s, and is told with a binary that is not there', async () => {
    await mkdir(join(folder, 'cmd', 'mcp-runtime'), { recursive: true });
    expect(await told(folder)).toEqual([]);
    const both = await binaryFaults({ source: join(folder, 'cmd'), binary: join(folder, 'none') });
    expect(both.map(({ code }) => code)).toEqual(['setup-source', 'setup-binary']);
  });
});

describe('Go', () => {
  it('is looked for in PATH, where the command line is to be built', async () => {
    const env = { PATH: `/nowhere:${folder}` };
    expect(await goFault({ binary: '', env })).toMatchObject({ code: 'setup-build' });
    expect(await goFault({ binary: 'mcp-runtime', env })).toBeUndefined();
    await writeFile(join(folder, 'go'), '');
    expect(await goFault({ binary: '', env })).toBeDefined();
    await chmod(join(folder, 'go'), 0o755);
    expect(await goFault({ binary: '', env })).toBeUndefined();
    expect(await goFault({ binary: '', env: {} })).toBeDefined();
  });
});
