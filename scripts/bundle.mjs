// Builds the one bundle that all actions share, with a thin entry per action, into dist/.
//   node scripts/bundle.mjs           writes dist/
//   node scripts/bundle.mjs --check   fails when dist/ is not exactly what the sources give, untracked files included
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const committed = join(root, 'dist');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** A step finds the bundle compiled that an earlier step of its job has used; RUNNER_TEMP is the job's own. */
const compileCache = `import { enableCompileCache } from 'node:module';

if (process.env.RUNNER_TEMP) enableCompileCache(\`\${process.env.RUNNER_TEMP}/mcprt-compile-cache\`);
`;

/** Commands are started by people, with the Node that they have; a runner brings the one that the actions name. */
const enoughNode = `if (Number.parseInt(process.versions.node, 10) < 22) {
  console.error(\`This needs Node 22 or later, and this is \${process.version}. Without installing anything:\\n  npx --yes node@24 \${process.argv.slice(1).join(' ')}\`);
  process.exit(1);
}

`;

const entries = {
  'backup.js': `${compileCache}const { backupAction } = await import('./index.js');\n\nawait backupAction('${version}');\n`,
  'setup.js': `${compileCache}const { setupAction } = await import('./index.js');\n\nawait setupAction('${version}');\n`,
  'setup-post.js': `${compileCache}const { setupPostAction } = await import('./index.js');\n\nawait setupPostAction();\n`,
  'rollout.js': `${compileCache}const { rolloutAction } = await import('./index.js');\n\nawait rolloutAction('${version}');\n`,
  'rollout-post.js': `${compileCache}const { rolloutPostAction } = await import('./index.js');\n\nawait rolloutPostAction();\n`,
  'smoke-test.js': `${compileCache}const { smokeTestAction } = await import('./index.js');\n\nawait smokeTestAction('${version}');\n`,
  'smoke-test-post.js': `${compileCache}const { smokeTestPostAction } = await import('./index.js');\n\nawait smokeTestPostAction();\n`,
  'reviewed.js': `${compileCache}const { reviewedAction } = await import('./index.js');\n\nawait reviewedAction();\n`,
  'init.js': `${enoughNode}const { initCommand } = await import('./index.js');\n\nawait initCommand(process.argv.slice(2), \`\${import.meta.dirname}/..\`);\n`,
  'keys.js': `${enoughNode}const { keysCommand } = await import('./index.js');\n\nawait keysCommand(process.argv.slice(2));\n`,
};

/** Packages that several bundles need: each is a file of its own, named as the package. */
const shared = ['undici'];

const must = (command, args) => {
  const run = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (run.status !== 0) process.exit(run.status ?? 1);
};

/** A program that must know where it lies: ncc would write the path of this machine into it. */
const copied = ['shared/action/save-cache.js'];

/** client-node has side effects in its polyfill only; without this line ncc keeps 16 MB of API classes that nobody calls. */
const withoutSideEffects = (build) => {
  const path = join(root, 'node_modules', '@kubernetes', 'client-node', 'package.json');
  const original = readFileSync(path, 'utf8');
  writeFileSync(path, JSON.stringify({ ...JSON.parse(original), sideEffects: ['./dist/polyfill.js'] }));
  try {
    build();
  } finally {
    writeFileSync(path, original);
  }
};

const ncc = (entry, folder) => {
  const cli = join(root, 'node_modules/@vercel/ncc/dist/ncc/cli.js');
  must(process.execPath, [
    cli,
    'build',
    entry,
    '-o',
    folder,
    '-C',
    '-q',
    '-m',
    '--license',
    'licenses.txt',
    '--target',
    'es2022',
    ...(shared.includes(basename(entry, '.js')) ? [] : shared.flatMap((name) => ['--external', name])),
  ]);
  const file = join(folder, 'index.js');
  const text = readFileSync(file, 'utf8');
  writeFileSync(
    file,
    shared.reduce((left, name) => left.replaceAll(`"${name}"`, `"./${name}.js"`), text),
  );
};

const bundleInto = (folder) => {
  const sources = join(root, '.bundle-js');
  rmSync(sources, { recursive: true, force: true });
  must(process.execPath, [
    join(root, 'node_modules/typescript/bin/tsc'),
    '-p',
    root,
    '--outDir',
    sources,
    '--sourceMap',
    'false',
  ]);
  withoutSideEffects(() => ncc(join(sources, 'scripts/bundle-entry.js'), folder));
  for (const name of shared) writeFileSync(join(sources, `${name}.js`), `export * from '${name}';\n`);
  const files = ['shared/action/official-clients.js', 'shared/backup/age.js', ...shared.map((name) => `${name}.js`)];
  for (const path of files) {
    const [part, name] = [mkdtempSync(join(tmpdir(), 'mcprt-part-')), basename(path, '.js')];
    try {
      ncc(join(sources, path), part);
      copyFileSync(join(part, 'index.js'), join(folder, `${name}.js`));
      copyFileSync(join(part, 'licenses.txt'), join(folder, `${name}.licenses.txt`));
    } finally {
      rmSync(part, { recursive: true, force: true });
    }
  }
  for (const path of copied) copyFileSync(join(sources, path), join(folder, basename(path)));
  for (const [name, text] of Object.entries(entries)) writeFileSync(join(folder, name), text);
  for (const name of readdirSync(folder)) {
    if (/Cannot find module|MODULE_NOT_FOUND/.test(stubsOf(readFileSync(join(folder, name), 'utf8')))) {
      console.error(`${name}: a module could not be found, and ncc put a stub in its place`);
      process.exit(1);
    }
  }
};

/** ncc's stub for a missing module: `eval("require")` of it, or an error that is thrown on use. */
const stubsOf = (text) => {
  const statements = [...text.matchAll(/webpackMissingModule/g)].map(({ index }) => {
    const begin = Math.max(...[';', '{', '}'].map((end) => text.lastIndexOf(end, index))) + 1;
    const length = text.slice(index).search(/[;{}]/);
    return text.slice(begin, length < 0 ? undefined : index + length);
  });
  return [...statements, ...(text.match(/e=new Error\("Cannot find module '[^"]*"\)/g) ?? [])].join('\n');
};

const contents = (folder) =>
  existsSync(folder)
    ? new Map(
        readdirSync(folder, { recursive: true })
          .sort()
          .map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
      )
    : new Map();

if (process.argv.includes('--check')) {
  const fresh = mkdtempSync(join(tmpdir(), 'mcprt-bundle-'));
  try {
    bundleInto(fresh);
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
  bundleInto(committed);
  const bytes = [...contents(committed).values()].reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  console.log(`dist/: ${(bytes / 1e6).toFixed(2)} MB`);
}
