/** The network namespace in which the user's commands run. */

import { ownNetns } from './netns.ts';

/** Its inode number, where it can be read: a command for it needs no prefix. */
export function hostNetns(): { hostNetns?: number } {
  try {
    return { hostNetns: ownNetns() };
  } catch {
    return {}; // no /proc: every command is then given with its namespace
  }
}
