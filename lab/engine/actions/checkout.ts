import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { getInput, info, setFailed, setOutput } from '@actions/core';
import { z } from 'zod';

/** Stands in for actions/checkout of another repository, which is a folder of this machine; its own one is the engine's business. */
const checkouts = z.record(z.string(), z.object({ folder: z.string(), token: z.string().optional() }));
const repositories = checkouts.parse(JSON.parse(process.env.MCPRT_LAB_CHECKOUTS ?? '{}'));
const [repository, ref] = [getInput('repository'), getInput('ref')];
const found = repositories[repository];
const given = createHash('sha256').update(getInput('token')).digest('hex');
const workspace = process.env.GITHUB_WORKSPACE ?? '';
const path = resolve(workspace, getInput('path'));
const isBelow = !/^\.\.(?:\/|$)|^$/.test(relative(workspace, path));
const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8' }).trim();

if (found === undefined || (found.token !== undefined && found.token !== given)) {
  // GitHub does not say which of the two it is.
  setFailed(`Not Found: ${repository}`);
} else if (!isBelow) {
  setFailed(`Repository path '${path}' is not under '${workspace}'`);
} else {
  rmSync(path, { recursive: true, force: true });
  git('clone', '--quiet', '--no-local', found.folder, path);
  if (ref !== '') git('-C', path, 'checkout', '--quiet', ref);
  const commit = git('-C', path, 'rev-parse', 'HEAD');
  info(`${repository} is at ${commit}`);
  setOutput('commit', commit);
  setOutput('ref', ref);
}
