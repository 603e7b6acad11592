// What the thin entries in dist/ import from the one bundle.

export { keysCommand } from '../action-backup/src/keys-command.js';
export { backupAction } from '../action-backup/src/main.js';
export { rolloutAction } from '../action-rollout/src/main.js';
export { rolloutPostAction } from '../action-rollout/src/post.js';
export { setupAction } from '../action-setup/src/main.js';
export { setupPostAction } from '../action-setup/src/post.js';
export { smokeTestAction } from '../action-smoke-test/src/main.js';
export { smokeTestPostAction } from '../action-smoke-test/src/post.js';
export { initCommand } from '../init/command.js';
export { reviewedAction } from '../shared/action/reviewed.js';
