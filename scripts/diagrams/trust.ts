import { area, arrow, box, label, picture, type Theme } from './svg.js';

/** Who holds what, and what crosses from one to the other. SECURITY.md has who can do what with it. */
export function trustBoundaries(theme: Theme): string {
  const title = 'Who holds what';
  return picture(
    { width: 760, height: 396 },
    `${title}: a job that backs up holds the backup key and cannot read backups; a job that restores waits for a reviewer and holds the restore key; a drill holds it without one; stores hold sealed files only; the cluster checks the account of each job`,
    [
      label({ x: 8, y: 22 }, title, { size: 15, weight: 600 }),
      area({ x: 8, y: 38, width: 236, height: 348 }, 'line', { dashed: true }),
      label({ x: 20, y: 58 }, 'GitHub: environments', { colour: 'quiet', size: 12 }),
      box({ x: 20, y: 70, width: 212, height: 70 }, 'mcprt-backup, -wipe', [
        'backup key: seals and signs,',
        'cannot read a backup',
      ]),
      box(
        { x: 20, y: 150, width: 212, height: 70 },
        'mcprt-restore',
        ['restore key: reads and checks;', 'a reviewer lets each job start'],
        true,
      ),
      box({ x: 20, y: 230, width: 212, height: 70 }, 'mcprt-drill', [
        'restore key, by the clock:',
        'no reviewer, branch main only',
      ]),
      box({ x: 20, y: 310, width: 212, height: 70 }, 'production, -plan, -smoke, …', ['no key']),
      area({ x: 290, y: 38, width: 206, height: 348 }, 'line', { dashed: true }),
      label({ x: 302, y: 58 }, 'Runner: one job', { colour: 'quiet', size: 12 }),
      box({ x: 302, y: 70, width: 182, height: 70 }, 'backup, verify, wipe', [
        'secrets in memory only,',
        'masked before they are read',
      ]),
      box({ x: 302, y: 150, width: 182, height: 70 }, 'restore', ['checks signature, age,', 'cluster and repository']),
      box({ x: 302, y: 230, width: 182, height: 70 }, 'drill', [
        'its own cluster, on the',
        'runner; deleted at the end',
      ]),
      box({ x: 302, y: 310, width: 182, height: 70 }, 'rollout, smoke test, …', [
        'with what the job may do,',
        'and no more',
      ]),
      box({ x: 550, y: 70, width: 202, height: 118 }, 'Stores', [
        'cache, artifact, directory,',
        'oci, s3: sealed files,',
        'nothing to read for',
        'whoever has one',
      ]),
      box({ x: 550, y: 262, width: 202, height: 118 }, 'Your cluster', [
        'an account for each',
        'environment; the API server',
        'checks the job’s own',
        'identity, for minutes',
      ]),
      arrow({ x: 232, y: 105 }, { x: 302, y: 105 }),
      arrow({ x: 232, y: 185 }, { x: 302, y: 185 }),
      arrow({ x: 232, y: 265 }, { x: 302, y: 265 }),
      arrow({ x: 232, y: 345 }, { x: 302, y: 345 }),
      arrow({ x: 484, y: 96 }, { x: 550, y: 96 }),
      arrow({ x: 550, y: 150 }, { x: 484, y: 176 }),
      arrow({ x: 550, y: 180 }, { x: 484, y: 250 }),
      arrow({ x: 550, y: 275 }, { x: 484, y: 125 }),
      arrow({ x: 484, y: 205 }, { x: 550, y: 295 }),
      arrow({ x: 484, y: 345 }, { x: 550, y: 345 }),
    ],
    theme,
  );
}
