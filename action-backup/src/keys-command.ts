import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { checkoutThatAdds, writeKeyFiles } from '../../shared/backup/key-files.js';
import { makeKeys } from '../../shared/backup/keys.js';
import { McprtError } from '../../shared/errors.js';
import { shellWord } from '../../shared/shell-word.js';

const help = `Makes a set of keys for mcprt and prints the lines that store them.

  node dist/keys.js [--out FOLDER] [--repo OWNER/NAME] [--classic]

  --out      folder for the three files; it must not exist yet, nor be where git would add it   (mcprt-keys)
  --repo     repository that the printed lines are for            (the one of the present folder)
  --classic  X25519 instead of the post-quantum hybrid: for a restore by hand with age older than 1.3
`;

/** The command that makes keys. It writes files that only their owner can read, and prints no key. */
export async function keysCommand(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      out: { type: 'string', default: 'mcprt-keys' },
      repo: { type: 'string' },
      classic: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return;
  }
  const checkout = await checkoutThatAdds(values.out);
  if (checkout !== undefined) {
    const { code, message, why, next } = new McprtError('key-inside', {
      what: 'the folder for the keys is inside of a checkout',
      why: `the next \`git add\` in ${checkout} would take ${values.out} along`,
      next: `give a folder outside of it: --out ${shellWord(`${checkout}-mcprt-keys`)}`,
    });
    process.stderr.write(`${code}: ${message}\nwhy: ${why}\nnext: ${next}\n`);
    process.exitCode = 1;
    return;
  }
  const keys = await makeKeys(values.classic ? 'classic' : 'hybrid');
  // Fails when the folder exists: no key is ever overwritten.
  await mkdir(values.out, { mode: 0o700 });
  await writeKeyFiles(values.out, keys);
  const repo = values.repo === undefined ? '' : ` --repo ${shellWord(values.repo)}`;
  process.stdout.write(`Made three keys in ${values.out}. Store them with these lines, put restore.key into a password manager, then delete the folder:

  gh secret set MCPRT_BACKUP_KEY --env mcprt-backup${repo} < ${shellWord(join(values.out, 'backup.key'))}
  gh secret set MCPRT_RESTORE_KEY --env mcprt-restore${repo} < ${shellWord(join(values.out, 'restore.key'))}

Keep ${join(values.out, 'offline.txt')} off every computer (paper, a safe): it decrypts all backups when the rest is lost.
Protect the environment mcprt-restore with required reviewers; mcprt-backup needs none: its key cannot read backups.
`);
}
