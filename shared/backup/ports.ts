import type { OperationPorts } from '../ports.js';
import type { Store } from './stores/store.js';

/** What an operation on backups needs from outside. */
export interface Ports extends OperationPorts {
  stores: Store[];
}
