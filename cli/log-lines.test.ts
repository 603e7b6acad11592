import { describe, expect, it } from '@jest/globals';
import { lineFor } from './log-lines.js';
import { asOptions } from './remedies.js';
import { actionOf, actions } from './testing/actions.js';

const wording = { action: actionOf('setup'), actions };

function line(printed: string) {
  return lineFor(printed, wording, '/home/mcprt');
}

describe('a line that a step prints', () => {
  it('is told as a person reads it, with what is for the runner taken out', () => {
    expect(line('looking')).toEqual({ kind: 'plain', text: 'looking' });
    expect(line('::add-mask::100%25 secret')).toEqual({ kind: 'secret', text: '100% secret' });
    expect(line('::group::Step 1')).toEqual({ kind: 'title', text: 'Step 1' });
    expect(line('::debug::a%0Ab')).toEqual({ kind: 'debug', text: 'a\nb' });
    for (const told of ['::endgroup::', '::save-state name=a::b', '::anything else::x'])
      expect(line(told)).toBeUndefined();
  });

  it('that is an error has its code, reasons and the way forward below it', () => {
    const text =
      '::error title=action-setup%3A setup-orders::too many%0Awhy: `max-orders` says 0%0Anext: set `max-orders: 2`%0Amore: docs/troubleshooting.md#setup-orders';
    expect(line(text)).toEqual({
      kind: 'error',
      text: [
        'error (setup-orders): too many',
        '  why: `--max-orders` says 0',
        '  next: set `--max-orders 2`',
        '  more: /home/mcprt/docs/troubleshooting.md#setup-orders',
      ].join('\n'),
    });
  });

  it('names pages of this release where they are, and no others', () => {
    const text =
      '::error title=x::a%0Awhy: see docs/keys.md, docs/rbac/setup.yaml and docs/x%0Anext: /else/docs/keys.md';
    expect(line(text)?.text.split('\n')).toEqual([
      'error (x): a',
      '  why: see /home/mcprt/docs/keys.md, /home/mcprt/docs/rbac/setup.yaml and docs/x',
      '  next: /else/docs/keys.md',
    ]);
  });

  it('that stands for an annotation too many is told as one', () => {
    expect(line('warning: setup: set `source`')?.text).toBe('warning: setup: set `--source`');
  });

  it('that is about a place in a file names it', () => {
    const text = '::warning file=a.env,line=3,title=profile-empty::is empty';
    expect(line(text)).toEqual({ kind: 'warning', text: 'warning (profile-empty) a.env:3: is empty' });
    expect(line('::notice::as it is')).toEqual({ kind: 'notice', text: 'notice: as it is' });
  });
});

describe('a remedy', () => {
  it.each([
    ['give `server`, or `kubeconfig`', 'give `--server`, or `--kubeconfig`'],
    ['set `dry-run: true`', 'set `--dry-run`'],
    ['set `doctor: false`', 'set `--doctor=false`'],
    ['set `allow: older-backup`', 'set `--allow older-backup`'],
    ['`operation: check` and `operation: wipe` of action-backup', '`mcprt setup check` and `mcprt backup wipe`'],
    ['`operation: plan`', '`mcprt backup plan`'],
    ['run action-setup: it, or `action-backup`.', 'run `mcprt setup`: it, or `mcprt backup`.'],
    ['`retention-days` of action-backup, and `keep`', '`--retention-days` of `mcprt backup`, and `keep`'],
    ['`source` of `action-rollout`', '`--source` of `mcprt rollout`'],
    ['`s3` and `s3-endpoint`', '`--s3` and `--s3-endpoint`'],
    ['`s3-credentials` is empty', '`--s3-credentials-file` (or MCPRT_S3_CREDENTIALS) is empty'],
    ['`stores: oci`', '`--stores oci`'],
    ['`stores: cache, artifact`', "`--stores 'cache, artifact'`"],
    ['the input `restore-key` is empty', '`--restore-key-file` (or MCPRT_RESTORE_KEY) is empty'],
    ['set `allow` to `fewer-objects`, `secret-missing:a/b`', 'set `--allow fewer-objects --allow secret-missing:a/b`'],
    ['give `permissions: id-token: write`', 'give `permissions: id-token: write`'],
    ['run `kubectl get pods`, see server: x', 'run `kubectl get pods`, see server: x'],
    ['`operation: dance` and `no-input: x`', '`operation: dance` and `no-input: x`'],
  ])('names options in place of inputs: %s', (text, told) => {
    expect(asOptions(text, wording)).toBe(told);
  });
});
