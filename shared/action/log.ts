import * as core from '@actions/core';
import type { InstallerLog } from '../setup/installer.js';

/** A log that is folded by step, as the runner shows groups. */
export function foldedLog(): InstallerLog {
  let open = false;
  return {
    step(title) {
      if (open) core.endGroup();
      core.startGroup(title);
      open = true;
    },
    // A line that looks like a command to the runner is none: the installer is not to be trusted with those.
    line: (text) => core.info(text.replace(/^(\s*)::/, '$1: :').replace(/##\[/g, '## [')),
    end() {
      if (open) core.endGroup();
      open = false;
    },
  };
}
