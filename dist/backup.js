import { backupAction } from './index.js';

await backupAction('0.1.0');
