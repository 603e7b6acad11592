import { healthSuite } from '../../shared/smoke/health.js';
import { multitenancySuite } from '../../shared/smoke/multitenancy.js';
import { tenantSuite } from '../../shared/smoke/tenant.js';
import { cleanUpLeftovers } from './cleanup.js';
import { serialsOf } from './platform.js';
import { runPreview } from './preview.js';
import { callOf, type SmokeRun } from './run.js';

/** Does what the operation asks for; what was checked stands in the record of the context. */
export async function runSuites(smoke: SmokeRun, reach: Parameters<typeof healthSuite>[1]['reach']): Promise<void> {
  const { inputs, context, report } = smoke;
  if (inputs.operation === 'cleanup') {
    await cleanUpLeftovers(smoke);
    return;
  }
  if (inputs.operation === 'preview') {
    await runPreview(smoke);
    return;
  }
  if (inputs.suite.includes('health')) {
    report.names = await healthSuite(
      context.record,
      {
        hosts: context.hosts,
        reach,
        web: context.web,
        minDays: inputs['min-days'],
        serials: await serialsOf(context.cluster, context.hosts),
        now: new Date(),
      },
      context,
    );
  }
  if (inputs.suite.includes('tenant')) {
    const published = await tenantSuite(context, {
      suite: 'tenant',
      metadata: () => smoke.metadata(false),
      nameOf: () => `smoke-${context.run}-tenant`,
      call: callOf(inputs),
      replaces: false,
    });
    Object.assign(report, published);
  }
  if (inputs.suite.includes('multitenancy')) {
    await multitenancySuite(context, { skipSetup: inputs['skip-setup'], env: process.env });
  }
}
