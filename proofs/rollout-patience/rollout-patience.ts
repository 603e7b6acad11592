import { isWanted, type Proof } from '../support/proof.js';
import { compareWithKstatus } from './kstatus.js';

export const rolloutPatience: Proof = {
  name: 'rollout-patience',
  claim:
    'worlds in which a correct rollout must not be undone, each made on the lab; and the verdict on generated workloads is that of kstatus itself, but for a listed handful',
  async run(context) {
    return isWanted(context, 'kstatus') ? { kstatus: await compareWithKstatus(context) } : {};
  },
};
