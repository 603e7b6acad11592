import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { checkoutThatAdds, writeKeyFiles } from '../../shared/backup/key-files.js';
import { makeKeys } from '../../shared/backup/keys.js';
import { letReadersGo } from '../../shared/closed-pipe.js';
import { givenOptions, tellError } from '../../shared/command.js';
import { McprtError, messageOf } from '../../shared/errors.js';
import { shellWord } from '../../shared/shell-word.js';

const help = `Makes a set of keys for mcprt and prints the lines that store them.

  node dist/keys.js [--out FOLDER] [--repo OWNER/NAME] [--classic]

  --out      folder for the three files; it must not exist yet, nor be where git would add it   (mcprt-keys)
  --repo     repository that the printed lines are for            (the one of the present folder)
  --classic  X25519 instead of the post-quantum hybrid: for a restore by hand with age older than 1.3
`;

/** The command that makes keys. It writes files that only their owner can read, and prints no key. */
export async function keysCommand(args: string[]): Promise<void> {
  letReadersGo(process.stdout, process.stderr);
  const values = givenOptions(help, {
    args,
    options: {
      out: { type: 'string', default: 'mcprt-keys' },
      repo: { type: 'string' },
      classic: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values === undefined) return;
  if (values.help) {
    process.stdout.write(help);
    return;
  }
  const checkout = await checkoutThatAdds(values.out);
  if (checkout !== undefined) {
    tellError(
      new McprtError('key-inside', {
        what: 'the folder for the keys is inside of a checkout',
        why: `the next \`git add\` in ${checkout} would take ${values.out} along`,
        next: `give a folder outside of it: --out ${shellWord(`${checkout}-mcprt-keys`)}`,
      }),
    );
    return;
  }
  const keys = await makeKeys(values.classic ? 'classic' : 'hybrid');
  try {
    // Fails when the folder exists: no key is ever overwritten.
    await mkdir(values.out, { mode: 0o700 });
    await writeKeyFiles(values.out, keys);
  } catch (cause) {
    tellError(
      new McprtError('key-folder', {
        what: `the keys cannot be written to ${values.out}`,
        why: messageOf(cause),
        next: 'give a folder that is not there yet, in one where you may write, with --out: no key is ever overwritten',
      }),
    );
    return;
  }
  process.stdout.write(storingText(values.out, values.repo));
}

/** What is to be done with a first set. A rotation stores the old restore key too, which this command does not have. */
function storingText(folder: string, repository: string | undefined): string {
  const repo = repository === undefined ? '' : ` --repo ${shellWord(repository)}`;
  const loop = (secret: string, file: string, environments: string): string =>
    [
      `  for environment in ${environments}; do`,
      `    gh secret set ${secret} --env "$environment"${repo} < ${shellWord(join(folder, file))}`,
      '  done',
    ].join('\n');
  return `Made three keys in ${folder}. Where a repository had keys before, this is a rotation: do not run these lines, as backups
that exist could not be read any more, but those of docs/keys.md, "How do I rotate the keys?". A first set is stored with these:

${loop('MCPRT_BACKUP_KEY', 'backup.key', 'mcprt-backup mcprt-wipe')}
${loop('MCPRT_RESTORE_KEY', 'restore.key', 'mcprt-restore mcprt-drill')}

A further platform of the repository has its prefix in the place of mcprt. For an environment that the repository does not
have, gh says "HTTP 404" and stores nothing: mcprt-wipe is for a reinstallation only, and mcprt-drill for drills.
Keep ${join(folder, 'offline.txt')} off every computer (paper, a safe): it decrypts all backups when the rest is lost.
Put ${join(folder, 'restore.key')} into a password manager, then delete the folder.
Protect mcprt-restore and mcprt-wipe with required reviewers; mcprt-backup needs none: its key cannot read backups.
`;
}
