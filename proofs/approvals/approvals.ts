import { isWanted, type Proof } from '../support/proof.js';
import { orders } from './orders.js';
import { plans } from './plans.js';

export const approvals: Proof = {
  name: 'approvals',
  claim:
    'an approval is one of what was shown: moved tag, planted image, other commit, Dockerfile, argument, profile or flag, an empty, masked or missing plan, missing reviewers and a cancelled run each stop before any write; runs that wait push nobody out, and a wipe is followed by its install',
  async run(context) {
    const refused = isWanted(context, 'plans') ? await plans(context) : {};
    const ordered = isWanted(context, 'orders') ? await orders(context) : {};
    return { refused, ordered };
  },
};
