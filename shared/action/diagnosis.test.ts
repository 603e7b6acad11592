import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { clustersOwn } from '../backup/testing/memory-world.js';
import { kinds } from '../cluster/objects.js';
import { type MemoryApi, memoryApi } from '../cluster/testing/memory-api.js';
import { type ErrorCode, McprtError } from '../errors.js';
import { diagnoseFailure } from './diagnosis.js';
import { mask } from './mask.js';
import { readTarget, type Target } from './profile.js';

const before = process.env.GITHUB_STEP_SUMMARY;
let folder = '';
let printed = '';
let target: Target;

// The toolkit keeps the path of the summary.
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcprt-diagnosis-'));
  process.env.GITHUB_STEP_SUMMARY = join(folder, 'summary');
  const given = { profile: '', 'profile-text': '', domain: 'example.com' };
  target = await readTarget(given, { stage: 'backup', env: {}, mask, quiet: true });
});

beforeEach(async () => {
  await writeFile(join(folder, 'summary'), '');
  printed = '';
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
});

afterEach(() => {
  jest.restoreAllMocks();
  process.exitCode = 0;
});

afterAll(async () => {
  if (before === undefined) delete process.env.GITHUB_STEP_SUMMARY;
  else process.env.GITHUB_STEP_SUMMARY = before;
  await rm(folder, { recursive: true });
});

/** A cluster whose kube-system was wiped, and on which nothing of the platform is. */
function wiped(): { api: MemoryApi; calls: () => number } {
  const api = memoryApi({ unserved: [kinds.certificate, kinds.certificateRequest, kinds.issuer, kinds.clusterIssuer] });
  clustersOwn(api);
  let calls = 0;
  api.hooks.before = () => {
    calls += 1;
  };
  return { api, calls: () => calls };
}

const failed = (code: ErrorCode): McprtError => new McprtError(code, { what: 'it failed', why: 'x', next: 'y' });
const summary = (): Promise<string> => readFile(join(folder, 'summary'), 'utf8');

describe('after an operation that failed', () => {
  it.each([
    'wipe-confirm',
    'wipe-protected',
    'wipe-wrong-cluster',
    'restore-orders',
    'key-mismatch',
    'store-miss',
  ] as const)('for what its inputs say (%s), the cluster is not looked at', async (code) => {
    const { api, calls } = wiped();
    await diagnoseFailure(failed(code), api.cluster, target, mask);
    expect([calls(), printed, await summary()]).toEqual([0, '', '']);
  });

  it('on the cluster, what is wrong there is told, and not that setup is due', async () => {
    const { api } = wiped();
    await diagnoseFailure(failed('restore-verify'), api.cluster, target, mask);
    expect(await summary()).toContain('kube-system-wiped');
    expect(printed).toContain('kube-system-wiped');
    for (const code of ['platform-missing', 'certmanager-missing']) expect(await summary()).not.toContain(code);
  });
});
