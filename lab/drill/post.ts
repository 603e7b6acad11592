import { rm } from 'node:fs/promises';
import { getState } from '@actions/core';

/** The state by which the post step knows the folder of its drill. */
export const folderState = 'folder';

/** Takes away what the action has made, also after a drill that was killed: its lab is in there. */
export async function drillPostAction(): Promise<void> {
  const folder = getState(folderState);
  if (folder !== '') await rm(folder, { recursive: true, force: true });
}
