import { area, arrow, box, label, picture, type Theme } from './svg.js';

/** Who holds what, and what crosses from one to the other. SECURITY.md has who can do what with it. */
export function trustBoundaries(theme: Theme): string {
  const title = 'Who holds what';
  return picture(
    { width: 760, height: 372 },
    `${title}: a job that backs up holds the backup key and cannot read backups; a job that restores waits for a reviewer and holds the restore key; stores hold sealed files only; the cluster checks the account of each job`,
    [
      label({ x: 8, y: 22 }, title, { size: 15, weight: 600 }),
      area({ x: 8, y: 38, width: 236, height: 320 }, 'line', { dashed: true }),
      label({ x: 20, y: 58 }, 'GitHub: environments', { colour: 'quiet', size: 12 }),
      box({ x: 20, y: 70, width: 212, height: 84 }, 'mcprt-backup', [
        'backup key: seals and signs',
        'cannot read a backup',
      ]),
      box(
        { x: 20, y: 166, width: 212, height: 84 },
        'mcprt-restore',
        ['restore key: reads, checks', 'a reviewer lets it start'],
        true,
      ),
      box({ x: 20, y: 262, width: 212, height: 84 }, 'mcprt-plan, -smoke, …', ['no key', 'cannot change the cluster']),
      area({ x: 290, y: 38, width: 196, height: 320 }, 'line', { dashed: true }),
      label({ x: 302, y: 58 }, 'Runner: one job', { colour: 'quiet', size: 12 }),
      box({ x: 302, y: 70, width: 172, height: 84 }, 'action-backup', [
        'secrets in memory only,',
        'masked before they are read',
      ]),
      box({ x: 302, y: 166, width: 172, height: 84 }, 'action-backup, restore', [
        'checks signature, age,',
        'cluster and repository',
      ]),
      box({ x: 302, y: 262, width: 172, height: 84 }, 'the other actions', ['a token of minutes,', 'for this job']),
      box({ x: 540, y: 70, width: 212, height: 118 }, 'Stores', [
        'cache, artifact, directory,',
        'oci, s3: sealed files,',
        'nothing to read for',
        'whoever has one',
      ]),
      box({ x: 540, y: 232, width: 212, height: 114 }, 'Cluster', [
        'an account for each environment,',
        'with what its operations need;',
        'the API server checks the',
        'job’s own identity',
      ]),
      arrow({ x: 232, y: 112 }, { x: 302, y: 112 }),
      arrow({ x: 232, y: 208 }, { x: 302, y: 208 }),
      arrow({ x: 232, y: 304 }, { x: 302, y: 304 }),
      arrow({ x: 474, y: 104 }, { x: 540, y: 104 }),
      arrow({ x: 540, y: 168 }, { x: 474, y: 196 }),
      arrow({ x: 474, y: 226 }, { x: 540, y: 262 }),
      arrow({ x: 474, y: 304 }, { x: 540, y: 304 }),
    ],
    theme,
  );
}
