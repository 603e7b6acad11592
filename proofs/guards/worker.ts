// Runs test files in one process. Each file gets the modules of the build anew, and the packages are loaded once: to
// load those takes most of the time of a test file. A process of bench.ts.
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { addEventHandler, getState, resetState, run, type State } from 'jest-circus';
import type { FileReport, Order } from './bench.js';
import { jest } from './globals.js';

/** ms for a single test: what a change has left waiting is over then. */
const testPatience = 20_000;

const here = pathToFileURL(`${join(process.cwd(), 'build')}/`).href;
const globals = new URL('./globals.js', import.meta.url).href;
let files = 0;

registerHooks({
  resolve(specifier, context, next) {
    if (specifier === '@jest/globals') return { url: globals, shortCircuit: true };
    const found = next(specifier, context);
    return found.url.startsWith(here) && !found.url.includes('?') ? { ...found, url: `${found.url}?${files}` } : found;
  },
});

addEventHandler((event) => {
  const state: State = getState();
  if (event.name !== 'test_start') return;
  state.testTimeout = testPatience;
  jest.clearAllMocks();
  // One failure is enough.
  if (state.unhandledErrors.length > 0 || isFailed(state.rootDescribeBlock)) event.test.mode = 'skip';
});

function isFailed({ children }: State['rootDescribeBlock']): boolean {
  return children.some((one) => (one.type === 'describeBlock' ? isFailed(one) : one.errors.length > 0));
}

/** Names of the tests of a file that fail. */
async function failingIn(file: string): Promise<string[]> {
  files += 1;
  resetState();
  const env = { ...process.env };
  try {
    await import(new URL(`${file}?${files}`, here).href);
    const { testResults, unhandledErrors } = await run();
    return [
      ...testResults.filter(({ errors }) => errors.length > 0).map(({ testPath }) => testPath.slice(1).join(' ')),
      ...unhandledErrors.map((error) => `between tests: ${error.slice(0, 300)}`),
    ];
  } catch (error) {
    return [`a file does not load: ${String(error).slice(0, 300)}`];
  } finally {
    jest.restoreAllMocks();
    jest.useRealTimers();
    for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
    Object.assign(process.env, env);
  }
}

process.on('message', async ({ file }: Order) => {
  const failed = await failingIn(file);
  const report: FileReport = { failed, memory: process.memoryUsage().rss };
  process.send?.(report);
});
