import { diagnose } from '../checks/diagnose.js';
import { isExplainedByCluster } from '../checks/explains.js';
import type { Finding } from '../checks/finding.js';
import { concernsMoreThanSetup } from '../checks/stages.js';
import type { Cluster } from '../cluster/cluster.js';
import { messageOf } from '../errors.js';
import { observePlatform } from '../facts/observe-platform.js';
import { given } from '../profile/values.js';
import { direct } from '../proxy.js';
import { annotateFindings, findingsTable } from './findings.js';
import { log } from './log.js';
import { Markdown } from './markdown.js';
import type { Mask } from './mask.js';
import type { Target } from './profile.js';

/**
 * Looks at the cluster after it has kept an operation from its end, and adds what it finds to log and summary, causes
 * before what they bring about. Of a wrong input, key or store the cluster knows nothing, and is not looked at. A look that
 * fails itself is said, and hides nothing.
 */
export async function diagnoseFailure(error: unknown, cluster: Cluster, target: Target, mask: Mask): Promise<void> {
  // What the rules know is MCP Runtime.
  if (!target.isPlatform || !isExplainedByCluster(error)) return;
  const findings = await findingsNow(cluster, target, mask);
  if (findings.length === 0) return;
  annotateFindings(findings);
  const markdown = new Markdown().heading('What the cluster looks like');
  findingsTable(markdown, findings);
  await markdown.write();
}

async function findingsNow(cluster: Cluster, { hosts, values }: Target, mask: Mask): Promise<Finding[]> {
  try {
    const facts = await observePlatform(cluster, {
      hosts,
      imagePlatform: given(values, 'MCP_IMAGE_PLATFORM'),
      rules: [],
      overrides: [],
      dnsServer: '',
      caBundle: '',
      proxies: direct,
      // The names are for setup to look at; from a runner that only backs up they may be out of reach.
      names: false,
      backup: undefined,
      installer: undefined,
      mask,
    });
    return diagnose(facts).filter(({ code }) => concernsMoreThanSetup(code));
  } catch (cause) {
    log.info(`the cluster could not be looked at: ${messageOf(cause)}`);
    return [];
  }
}
