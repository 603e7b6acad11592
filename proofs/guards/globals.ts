// Stands in for @jest/globals where test files run in one process, one after another: the same runner, matchers and
// mocks as jest's, without its loader.
import { mock } from 'node:test';
import { expect } from 'expect';
import { ModuleMocker } from 'jest-mock';

export { afterAll, afterEach, beforeAll, beforeEach, describe, it, test } from 'jest-circus';
export { expect };

const mocker = new ModuleMocker(globalThis);

export const jest = {
  fn: mocker.fn.bind(mocker),
  spyOn: mocker.spyOn.bind(mocker),
  clearAllMocks: () => mocker.clearAllMocks(),
  restoreAllMocks: () => mocker.restoreAllMocks(),
  // Node's own clock: jest's would take the timers of this process too.
  useFakeTimers: () => mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'], now: Date.now() }),
  useRealTimers: () => mock.timers.reset(),
  advanceTimersByTime: (ms: number) => mock.timers.tick(ms),
};
