import { getState } from '@actions/core';
import { takeAway } from '../driver/left-behind.js';

/** The state by which the post step knows the folder of its drill. */
export const folderState = 'folder';

/** Ends and takes away what the action has started and made, also after a drill that was killed: its lab holds every secret of a backup. */
export async function drillPostAction(): Promise<void> {
  const folder = getState(folderState);
  if (folder !== '') await takeAway(folder);
}
