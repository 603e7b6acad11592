import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

/** The sources of the actions; what is compiled lies below `build`. */
const root = join(import.meta.dirname, '..', '..');
const folders = ['shared', 'action-backup', 'action-setup', 'action-rollout', 'action-smoke-test'];
/** The one file that may, and those of commands that people start, which write to a terminal. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  'the log and the outputs': ['shared/action/log.ts'],
  'the summary': ['shared/action/markdown.ts'],
  'a mask': ['shared/action/mask.ts'],
  'the web': ['shared/http.ts'],
};
const doors: readonly (readonly [string, RegExp])[] = [
  ['the log and the outputs', /\bcore\.(?:info|warning|error|notice|debug|setOutput|setFailed)\b|\bconsole\.\w+\(/],
  ['the summary', /\bcore\.summary\b|GITHUB_STEP_SUMMARY/],
  ['a mask', /\bcore\.setSecret\b/],
  ['the web', /(?<![.\w])fetch\(/],
];

describe('what a run writes', () => {
  it.each(doors)('goes through one door each: %s', async (name, pattern) => {
    const files = await Promise.all(
      folders.map(async (folder) =>
        (await readdir(join(root, folder), { recursive: true })).map((file) => join(folder, file)),
      ),
    );
    const sources = files.flat().filter((file) => file.endsWith('.ts') && !/\.test\.ts$|\/testing\//.test(file));
    expect(sources.length).toBeGreaterThan(100);
    const found = await Promise.all(
      sources.map(async (file) => (pattern.test(await readFile(join(root, file), 'utf8')) ? [file] : [])),
    );
    expect(found.flat().sort()).toEqual(allowed[name]);
  });
});
