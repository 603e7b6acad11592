// Builds what GitHub runs into dist/: an entry of a few lines for each action and command, and the parts that they share.
//   node scripts/bundle.mjs           writes dist/
//   node scripts/bundle.mjs --check   fails when dist/ is not exactly what the sources give, untracked files included
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { parse } from 'yaml';

const root = join(import.meta.dirname, '..');
const committed = join(root, 'dist');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** A step finds compiled what an earlier step of its job has used; RUNNER_TEMP is the job's own. */
const compileCache = `import { enableCompileCache } from 'node:module';

if (process.env.RUNNER_TEMP) enableCompileCache(\`\${process.env.RUNNER_TEMP}/mcprt-compile-cache\`);
`;

/** Commands are started by people, with the Node that they have; a runner brings the one that the actions name. */
const enoughNode = `if (Number.parseInt(process.versions.node, 10) < 22) {
  console.error(\`This needs Node 22 or later, and this is \${process.version}. Without installing anything:\\n  npx --yes node@24 \${process.argv.slice(1).join(' ')}\`);
  process.exit(1);
}

`;

/** What each action.yml says, for the command that is made of them. */
const actions = Object.fromEntries(
  readdirSync(root)
    .filter((name) => name.startsWith('action-'))
    .map((name) => [name.replace('action-', ''), parse(readFileSync(join(root, name, 'action.yml'), 'utf8'))]),
);
const release = `{ version: '${version}', dist: import.meta.dirname, actions: ${JSON.stringify(actions)} }`;

/** By the name of the entry: where its function is, how it is called, and what comes before. */
const entries = {
  backup: ['action-backup/src/main', `backupAction('${version}')`, compileCache],
  setup: ['action-setup/src/main', `setupAction('${version}')`, compileCache],
  'setup-post': ['action-setup/src/post', 'setupPostAction()', compileCache],
  rollout: ['action-rollout/src/main', `rolloutAction('${version}')`, compileCache],
  'rollout-post': ['action-rollout/src/post', 'rolloutPostAction()', compileCache],
  'smoke-test': ['action-smoke-test/src/main', `smokeTestAction('${version}')`, compileCache],
  'smoke-test-post': ['action-smoke-test/src/post', 'smokeTestPostAction()', compileCache],
  reviewed: ['shared/action/reviewed', 'reviewedAction()', compileCache],
  drill: ['lab/drill/command', 'drillCommand(process.argv.slice(2))', enoughNode],
  'drill-action': ['lab/drill/action', 'drillAction()', compileCache],
  'drill-post': ['lab/drill/post', 'drillPostAction()', compileCache],
  init: ['init/command', "initCommand(process.argv.slice(2), import.meta.dirname + '/..')", enoughNode],
  keys: ['action-backup/src/keys-command', 'keysCommand(process.argv.slice(2))', enoughNode],
  cli: ['cli/command', `mcprtCommand(process.argv.slice(2), ${release})`, `#!/usr/bin/env node\n${enoughNode}`],
};

/** Programs that are started by their path. */
const programs = { 'save-cache': 'shared/action/save-cache.ts', step: 'cli/step.ts' };

/**
 * Packages bring more along than we use, and the first request waits until it is read and run.
 *
 * - `node:http`: a static import reads all that it exports, and with its `WebSocket` loads Node's own undici; `require` does not.
 * - undici: only the parts that are used; its parsers of HTTP/1.1, which the API server does not speak, are files of their own.
 * - ajv: the MCP client is given a validator that runs no schema of a server's (`shared/mcp/client.ts`), and this one is never made.
 * - client-node has side effects in its polyfill only; without this line 16 MB of API classes stay that nobody calls.
 */
const lean = {
  name: 'lean',
  setup(bundler) {
    bundler.onResolve({ filter: /^(node:)?http$/ }, ({ kind }) =>
      kind === 'import-statement' ? { path: 'http', namespace: 'required' } : { path: 'node:http', external: true },
    );
    bundler.onLoad({ filter: /^http$/, namespace: 'required' }, () => ({
      contents: "module.exports = require('node:http');",
    }));
    bundler.onResolve({ filter: /^undici$/ }, () => ({ path: join(root, 'scripts', 'undici-parts.cjs') }));
    bundler.onResolve({ filter: /(llhttp(_simd)?-wasm|milo\/(no-)?simd)\.js$/ }, ({ path }) => ({
      path: `./${parserOf(path)}`,
      external: true,
    }));
    bundler.onResolve({ filter: /\/ajv-provider\.js$/ }, () => ({ path: 'ajv-provider', namespace: 'unused' }));
    bundler.onLoad({ filter: /^/, namespace: 'unused' }, () => ({
      contents: 'export class AjvJsonSchemaValidator {}',
    }));
    bundler.onResolve({ filter: /^\./ }, async ({ pluginData, path, importer, ...from }) => {
      if (pluginData === lean || !importer.includes('@kubernetes/client-node')) return undefined;
      const found = await bundler.resolve(path, { ...from, importer, pluginData: lean });
      return { ...found, sideEffects: basename(found.path) === 'polyfill.js' };
    });
  },
};

const parserOf = (path) => `http1-${basename(path, '.js')}.cjs`;

/** The licence of every package that is in the bundle; packages of one author often share a text. */
const licences = (inputs) => {
  const folders = new Set(inputs.flatMap((input) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input) ?? []));
  const packages = [...folders].map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    const file = readdirSync(join(root, folder)).find((one) => /^(licen[cs]e|copying)/i.test(one));
    const text = file === undefined ? '' : readFileSync(join(root, folder, file), 'utf8').trim();
    return { title: `${name} ${version}: ${license}`, text };
  });
  return [...Map.groupBy(packages, ({ text }) => text)]
    .map(([text, group]) => `${[...new Set(group.map(({ title }) => title))].sort().join('\n')}\n\n${text}\n`)
    .sort()
    .join(`\n${'-'.repeat(80)}\n\n`);
};

const bundleInto = async (folder) => {
  mkdirSync(folder, { recursive: true });
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: {
      ...Object.fromEntries(Object.entries(entries).map(([name, [source]]) => [`main-${name}`, `${source}.ts`])),
      ...programs,
    },
    outdir: folder,
    chunkNames: 'part-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    minify: true,
    legalComments: 'none',
    metafile: true,
    logLevel: 'error',
    plugins: [lean],
    // CommonJS packages ask for Node's modules by it.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  });
  const undici = join(root, 'node_modules', 'undici', 'lib');
  const parsers = ['llhttp/llhttp-wasm.js', 'llhttp/llhttp_simd-wasm.js', 'milo/simd.js', 'milo/no-simd.js'];
  for (const path of parsers) writeFileSync(join(folder, parserOf(path)), readFileSync(join(undici, path)));
  for (const [name, [, call, before]] of Object.entries(entries)) {
    const [imported] = call.split('(');
    const text = `${before}const { ${imported} } = await import('./main-${name}.js');\n\nawait ${call};\n`;
    writeFileSync(join(folder, `${name}.js`), text);
  }
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
  writeFileSync(join(folder, 'licenses.txt'), licences(Object.keys(metafile.inputs)));
};

const contents = (folder) =>
  existsSync(folder)
    ? new Map(
        readdirSync(folder)
          .sort()
          .map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
      )
    : new Map();

if (process.argv.includes('--check')) {
  const fresh = mkdtempSync(join(tmpdir(), 'mcprt-bundle-'));
  try {
    await bundleInto(fresh);
    const [wanted, present] = [contents(fresh), contents(committed)];
    const stale = [...new Set([...wanted.keys(), ...present.keys()])].filter(
      (name) => wanted.get(name) !== present.get(name),
    );
    const untracked = spawnSync('git', ['status', '--porcelain', '--untracked-files=all', '--', 'dist'], {
      cwd: root,
      encoding: 'utf8',
    }).stdout.trim();
    if (stale.length > 0 || untracked !== '') {
      console.error(
        `dist/ is not what the sources give: ${[...stale, ...untracked.split('\n').filter(Boolean)].join(', ')}\nrun \`npm run bundle\` and commit dist/`,
      );
      process.exit(1);
    }
    console.log('dist/ is what the sources give');
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
} else {
  rmSync(committed, { recursive: true, force: true });
  await bundleInto(committed);
  const bytes = [...contents(committed).values()].reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  console.log(`dist/: ${(bytes / 1e6).toFixed(2)} MB`);
}
