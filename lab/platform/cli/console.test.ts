import { expect, it } from '@jest/globals';
import { openConsole } from './console.js';
import { formatDuration, parseDuration } from './durations.js';

function said(env: NodeJS.ProcessEnv): string {
  let text = '';
  const console = openConsole(env, (stream, part) => {
    if (stream === 'stdout') text += part;
  });
  console.success('done\nin two lines');
  console.section('Step 1: x');
  return text;
}

it('colours its output unless NO_COLOR is set', () => {
  expect(said({ TERM: 'dumb', CI: '1' })).toContain('\u001b[');
  expect(said({ NO_COLOR: '1' })).toBe(' SUCCESS  done\n          in two lines\n\n\n## Step 1: x\n');
});

it('reads and prints durations as Go does', () => {
  expect(['5m', '15m', '1h30m', '90s', '500ms'].map((text) => parseDuration('X', text))).toEqual([
    300, 900, 5400, 90, 0.5,
  ]);
  expect([300, 45, 3600].map(formatDuration)).toEqual(['5m0s', '45s', '1h0m0s']);
  expect(() => parseDuration('X', '5')).toThrow('time: invalid duration "5"');
});
