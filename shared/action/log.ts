import * as core from '@actions/core';
import type { InstallerLog } from '../setup/installer.js';

/**
 * Text from outside (a cluster, an installer) as the log shows it. What looks like a command to the runner, at the
 * beginning of a line or after `##`, is made none.
 */
export function plainLines(text: string): string {
  return text.replace(/^([\s\u0085]*)::/gm, '$1: :').replace(/##\[/g, '## [');
}

/** A log that is folded by step, as the runner shows groups. */
export function foldedLog(): InstallerLog {
  let open = false;
  return {
    step(title) {
      if (open) core.endGroup();
      core.startGroup(title);
      open = true;
    },
    line: (text) => core.info(plainLines(text)),
    end() {
      if (open) core.endGroup();
      open = false;
    },
  };
}
