import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { root } from '../lab/driver/folders.js';

const parts = Object.keys(createRequire(import.meta.url)(join(root, 'scripts', 'undici-parts.cjs')));

/** Names that a source takes from undici at run time. */
function takenFromUndici(source: string): string[] {
  const imports = [...source.matchAll(/^import (?!type )\{([^}]*)\} from ['"]undici['"]/gm)];
  return imports.flatMap(([, names = '']) =>
    names
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '' && !name.startsWith('type ')),
  );
}

test('whatever is taken from undici is in the bundle, and nothing else of it', () => {
  const listed = execFileSync('git', ['ls-files', 'action-*/*.ts', 'cli/*.ts', 'init/*.ts', 'shared/*.ts'], {
    cwd: root,
    encoding: 'utf8',
  });
  const sources = listed.split('\n').filter((path) => path !== '' && !path.endsWith('.test.ts'));
  const taken = [...sources, 'node_modules/@actions/http-client/lib/index.js'].flatMap((path) =>
    takenFromUndici(readFileSync(join(root, path), 'utf8')),
  );
  expect([...new Set(taken)].sort()).toEqual([...parts].sort());
});
