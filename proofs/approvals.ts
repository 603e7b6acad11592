import { orders } from './approvals/orders.js';
import { plans } from './approvals/plans.js';
import type { Proof } from './proof.js';

export const approvals: Proof = {
  name: 'approvals',
  claim:
    'an approval is one of what was shown: moved tag, planted image, other commit, Dockerfile, argument, profile or flag, an empty, masked or missing plan, missing reviewers and a cancelled run each stop before any write; runs that wait push nobody out, and a wipe is followed by its install',
  async run(context) {
    const problems: string[] = [];
    const isWanted = (part: string): boolean => [undefined, part].includes(context.flags.only?.toString());
    const refused = isWanted('plans') ? await plans(context, problems) : {};
    const ordered = isWanted('orders') ? await orders(context, problems) : {};
    return { ok: problems.length === 0, figures: { refused, ordered }, problems };
  },
};
