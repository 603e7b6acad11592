/** A line of the code that keeps something from happening, and the test that misses it. */
export interface Guard {
  /** What it keeps. */
  name: string;
  /** Source, from the root of the repository. */
  file: string;
  /** Text that is there once, and what stands in its place when the guard is off. */
  off: readonly [on: string, instead: string];
  /** Test file, without its ending. */
  test: string;
}

const backup = (name: string): string => `shared/backup/${name}`;

/** The guards that the promise stands on. */
export const guards: readonly Guard[] = [
  {
    name: 'a wipe deletes only the very object that was planned',
    file: 'shared/wipe/delete.ts',
    off: ['{ uid });', '{});'],
    test: 'shared/wipe/delete.test',
  },
  {
    name: 'what is on its way out is not deleted again',
    file: 'shared/wipe/delete.ts',
    off: ['targets.filter(({ leaving }) => !leaving)', '[...targets]'],
    test: 'shared/wipe/delete.test',
  },
  {
    name: 'the barrier waits until cert-manager has looked into the canary',
    file: backup('barrier.ts'),
    off: ["ready?.reason === 'MissingData'", 'ready !== undefined'],
    test: backup('barrier.test'),
  },
  {
    name: 'the canary is in the class of restored Secrets',
    file: backup('barrier.ts'),
    off: ["labels: { [label.partOfCertManager]: 'true' }", 'labels: {}'],
    test: backup('barrier.test'),
  },
  {
    name: 'the barrier hears a cancel',
    file: backup('barrier.ts'),
    off: [
      'AbortSignal.any([signal, AbortSignal.timeout(deadline)])',
      'AbortSignal.any([AbortSignal.timeout(deadline)])',
    ],
    test: backup('barrier.test'),
  },
  {
    name: 'a lock of another run that may be alive is not taken over',
    file: backup('brake.ts'),
    off: ['other !== run && expires > now', 'false'],
    test: backup('brake.test'),
  },
  {
    name: 'a lock whose time is over is taken over',
    file: backup('brake.ts'),
    off: ['other !== run && expires > now', 'other !== run'],
    test: backup('brake.test'),
  },
  {
    name: 'the brake is on only when a dry run was denied',
    file: backup('brake.ts'),
    off: ['if (mustHold) await', 'if (false) await'],
    test: backup('brake.test'),
  },
  {
    name: 'the binding goes before the policy',
    file: backup('brake.ts'),
    off: [
      'await cluster.delete(kinds.admissionPolicyBinding, { name });\n    await cluster.delete(kinds.admissionPolicy, { name });',
      'await cluster.delete(kinds.admissionPolicy, { name });\n    await cluster.delete(kinds.admissionPolicyBinding, { name });',
    ],
    test: backup('brake.test'),
  },
  {
    name: 'the wait for the brake hears a cancel',
    file: backup('brake.ts'),
    off: ['await pause(wait, signal);', 'await pause(wait, new AbortController().signal);'],
    test: backup('brake.test'),
  },
  {
    name: 'a brake that a killed run left stays on at a cancel',
    file: backup('brake.ts'),
    off: ['if (takenOver) throw withBrakeNote(error);', ''],
    test: backup('brake.test'),
  },
  {
    name: 'what others depend on is restored first',
    file: backup('apply.ts'),
    off: ['for (const wave of waves) {', 'for (const wave of [...waves].reverse()) {'],
    test: backup('restore.test'),
  },
  {
    name: 'a conflict is decided about again',
    file: backup('apply.ts'),
    off: ['if (!isConflict(error)) throw error;', 'throw error;'],
    test: backup('restore.test'),
  },
  {
    name: 'added keys are read back',
    file: backup('apply.ts'),
    off: [
      'return Object.fromEntries(keys.flatMap((key) => (data[key] === undefined ? [] : [[key, data[key]]])));',
      'return {};',
    ],
    test: backup('restore.test'),
  },
  {
    name: 'a restore that would lead to an order stops before any write',
    file: backup('restore.ts'),
    off: ['if (plan.orders > maxOrders) {', 'if (false) {'],
    test: backup('restore.test'),
  },
  {
    name: 'an error under the brake says that it is on',
    file: backup('restore.ts'),
    off: ['? error : withBrakeNote(error);', '? error : error;'],
    test: backup('restore.test'),
  },
  {
    name: 'the wait for certificates hears a cancel',
    file: backup('restore.ts'),
    off: ['await pause(150, signal);', 'await pause(150, new AbortController().signal);'],
    test: backup('restore.test'),
  },
  {
    name: 'an issuance that had begun is called off where cert-manager is stopped, too',
    file: backup('restore.ts'),
    off: [
      'for (const abort of plan.aborts) await callOff',
      'if (isRunning) for (const abort of plan.aborts) await callOff',
    ],
    test: backup('restore.test'),
  },
  {
    name: 'an order for what was restored is an error',
    file: backup('restore.ts'),
    off: ['if (newOrders.length > options.maxOrders) {', 'if (false) {'],
    test: backup('restore.test'),
  },
  {
    name: 'a renewal that is due is not counted',
    file: backup('excuses.ts'),
    off: ["if (reason === 'Renewing' || lapsed.has(secret)) return 'renewal';", ''],
    test: backup('restore.test'),
  },
  {
    name: 'what had to be issued before is not counted',
    file: backup('excuses.ts'),
    off: ["accepted.has(key) ? 'before' : undefined", 'undefined'],
    test: backup('restore.test'),
  },
  {
    name: 'a team is not restored without its database',
    file: backup('decide.ts'),
    off: ['if ((live === undefined || leaving !== undefined) && isGhost(item, context)) {', 'if (false) {'],
    test: backup('restore.test'),
  },
  {
    name: 'a certificate takes the place of nothing that is not cert-manager’s',
    file: backup('decide.ts'),
    off: ['if (!isCertManagers(live, context)) return inTheWay', 'if (false) return inTheWay'],
    test: backup('decide.test'),
  },
  {
    name: 'what goes over a Secret has only the keys of a certificate',
    file: backup('decide.ts'),
    off: ['data: onlyTlsKeys((object as LiveSecret).data)', 'data: (object as LiveSecret).data'],
    test: backup('decide.test'),
  },
  {
    name: 'restored Secrets carry the label by which cert-manager caches them',
    file: backup('decide.ts'),
    off: ["{ ...object.metadata.labels, [label.partOfCertManager]: 'true' }", '{ ...object.metadata.labels }'],
    test: backup('decide.test'),
  },
  {
    name: 'a valid certificate is not replaced by an older one',
    file: backup('decide.ts'),
    off: ["if (typeof present === 'string' || present === undefined) return overUseless", 'return overUseless'],
    test: backup('decide.test'),
  },
  {
    name: 'the platform’s Secrets are written in their own role only',
    file: backup('role-rules.ts'),
    off: ['} else if (isPlatforms) {', '} else if (false) {'],
    test: backup('role-rules.test'),
  },
  {
    name: 'identities that the cluster makes are not restored',
    file: backup('role-rules.ts'),
    off: ['if (clustersOwnTypes.some((one) => one === type)) return', 'if (false) return'],
    test: backup('role-rules.test'),
  },
  {
    name: 'no variable that loads code gets into the platform’s programs',
    file: backup('role-rules.ts'),
    off: ["if (hasRole({ roles }, 'platform-secret') && runtimeVariables.test(key)) return false;", ''],
    test: backup('role-rules.test'),
  },
  {
    name: 'the anchor never goes back',
    file: backup('anchor.ts'),
    off: ['if (found !== undefined && anchorIn(found).generation >= anchor.generation) return;', ''],
    test: backup('anchor.test'),
  },
  {
    name: 'an anchor that cannot be read is an error',
    file: backup('anchor.ts'),
    off: ['return found && anchorIn(found);', 'return found && shape.safeParse(unpackedTexts(found)).data;'],
    test: backup('anchor.test'),
  },
  {
    name: 'nothing is stored that a restore would refuse',
    file: backup('backup.ts'),
    off: ['  rehearse(snapshot, ', '  void (snapshot, '],
    test: backup('rehearse.test'),
  },
  {
    name: 'the troubles of the platform stop a backup',
    file: backup('backup.ts'),
    off: ['if (refusing.length > 0) throw refused(refusing);', ''],
    test: backup('backup.test'),
  },
  {
    name: 'a certificate that only its request keeps is not accepted',
    file: backup('refusals.ts'),
    off: ["if (alone.verdict === 'order' && alone.reason !== 'Renewing') {", 'if (false) {'],
    test: backup('backup.test'),
  },
  {
    name: 'post-quantum and classic recipients are not mixed',
    file: backup('keys.ts'),
    off: ['if (new Set(recipients.map(isHybrid)).size > 1) {', 'if (false) {'],
    test: backup('keys.test'),
  },
  {
    name: 'the encrypted part belongs to the statement around it',
    file: backup('seal.ts'),
    off: ['if (!isDeepStrictEqual(context, backup.context)) {', 'if (false) {'],
    test: backup('seal.test'),
  },
  {
    name: 'what no backup job can have stored is not looked at',
    file: backup('walk.ts'),
    off: ['why: entry.foreign ?? (isNameOf', 'why: (isNameOf'],
    test: backup('select.test'),
  },
  {
    name: 'a newer backup that may be real is not passed over in silence',
    file: backup('select.ts'),
    off: ['if (doubts.length > 0 && !overrides.older) {', 'if (false) {'],
    test: backup('select.test'),
  },
  {
    name: 'a replay of an older backup is noticed',
    file: backup('select.ts'),
    off: ['if (anchor !== undefined && generation < anchor.generation) {', 'if (false) {'],
    test: backup('select.test'),
  },
  {
    name: 'a backup of another cluster is not taken',
    file: backup('select.ts'),
    off: ['if (wanted !== undefined && context.fingerprint !== wanted) {', 'if (false) {'],
    test: backup('select.test'),
  },
  {
    name: 'nothing else is restored than what was approved',
    file: backup('plan-digest.ts'),
    off: ["if (expected === '' || expected === digest) return;", 'return;'],
    test: backup('plan-digest.test'),
  },
  {
    name: 'nothing is wiped that the backup does not hold as it is',
    file: 'shared/wipe/inventory.ts',
    off: ['isDeepStrictEqual(known.object, item.object) ? [] :', 'known !== undefined ? [] :'],
    test: 'shared/wipe/inventory.test',
  },
  {
    name: 'a wipe names the domain that it is for',
    file: 'shared/wipe/guard.ts',
    off: ['if (!inputs.dryRun && inputs.confirm !== inputs.domain) {', 'if (false) {'],
    test: 'shared/wipe/guard.test',
  },
  {
    name: 'the cluster’s own namespaces are never wiped',
    file: 'shared/wipe/targets.ts',
    off: ["return namespace === 'default' || namespace.startsWith('kube-');", 'return false;'],
    test: 'shared/wipe/targets.test',
  },
  {
    name: 'a journal of a wipe that cannot be read is an error',
    file: 'shared/wipe/journal.ts',
    off: ["throw new McprtError('wipe-journal', {", "return undefined;\n  throw new McprtError('wipe-journal', {"],
    test: 'shared/wipe/journal.test',
  },
  {
    name: 'a record of a first install that cannot be read is an error',
    file: 'shared/setup/unfinished.ts',
    off: ["throw new McprtError('setup-record', {", "return undefined;\n  throw new McprtError('setup-record', {"],
    test: 'shared/setup/unfinished.test',
  },
  {
    name: 'a platform does not become one of another mode unasked',
    file: 'shared/setup/platform-mode.ts',
    off: ['if (agreed) {', 'if (true) {'],
    test: 'shared/setup/platform-mode.test',
  },
  {
    name: 'what a killed restore left under way is called off',
    file: backup('called-off.ts'),
    off: ['filter((line) => line.isInPlace)', 'filter(() => false)'],
    test: backup('restore.test'),
  },
  {
    name: 'a renewal and what somebody triggered are not called off',
    file: backup('called-off.ts'),
    off: ["settledBySecret.includes(issuing?.reason ?? '') &&", ''],
    test: backup('restore.test'),
  },
  {
    name: 'what came first and cannot be replaced is not taken for restored',
    file: backup('apply.ts'),
    off: ["if (decision.action === 'refuse') throw", 'if (false) throw'],
    test: backup('restore.test'),
  },
  {
    name: 'what is being deleted is not taken for restored',
    file: backup('decide.ts'),
    off: ["if (leaving !== undefined) return { action: 'refuse', reason: leaving };", ''],
    test: backup('restore.test'),
  },
  {
    name: 'of cert-manager’s controllers the one that acts counts',
    file: backup('controller.ts'),
    off: ['states.flatMap((state) => byState.get(state) ?? [])', 'found'],
    test: backup('controller.test'),
  },
  {
    name: 'a lock that is over is taken over by one run only',
    file: backup('brake.ts'),
    off: ["{ op: 'test', path: '/metadata/resourceVersion', value: found.metadata.resourceVersion },", ''],
    test: backup('brake.test'),
  },
  {
    name: 'a wipe that goes on takes no more than it began with',
    file: 'shared/wipe/start.ts',
    off: [' || !wasToGo.has(namespace)', ''],
    test: 'shared/wipe/start.test',
  },
  {
    name: 'what may be a secret is told before a kubeconfig is looked at',
    file: 'shared/cluster/kubeconfig-text.ts',
    off: ['  onSecrets(suspects(given));\n', ''],
    test: 'shared/cluster/credentials.test',
  },
  {
    name: 'of what was given as a kubeconfig only a path is shown',
    file: 'shared/cluster/kubeconfig-text.ts',
    off: ['const shown = shownPath(path);', 'const shown: string | undefined = path;'],
    test: 'shared/cluster/credentials.test',
  },
  {
    name: 'a token that no header can have is refused',
    file: 'shared/cluster/credentials.ts',
    off: ['if (/^[\\x20-\\x7e]+$/.test(trimmed) && !/^Bearer .*\\s/.test(trimmed)) return trimmed;', 'return trimmed;'],
    test: 'shared/cluster/credentials.test',
  },
  {
    name: 'only a connection that breaks is tried again',
    file: 'shared/cluster/transport.ts',
    off: ['return passingCodes.test(codeOf(error)) && !isCertificateProblem(error);', 'return true;'],
    test: 'shared/cluster/transport.test',
  },
  {
    name: 'a stream is read no further than its limit',
    file: 'shared/bounded.ts',
    off: ['if (size > most) throw tooMuch();', ''],
    test: 'shared/backup/stores/zip.test',
  },
  {
    name: 'a line that does not end is given up',
    file: 'shared/bounded.ts',
    off: ['if (length > most) throw tooMuch();', ''],
    test: 'shared/cluster/transport.test',
  },
  {
    name: 'a list of the API server’s has an end',
    file: 'shared/cluster/cluster.ts',
    off: ['pages > mostListed.pages || ', ''],
    test: 'shared/cluster/transport.test',
  },
  {
    name: 'a list of tools has an end',
    file: 'shared/mcp/client.ts',
    off: ['pages >= mostTools.pages || ', ''],
    test: 'shared/mcp/client.test',
  },
  {
    name: 'what GitHub would make something of is code',
    file: 'shared/action/markdown.ts',
    off: ['(live.test(word) ? span(word) : word.replace(', '(false ? span(word) : word.replace('],
    test: 'shared/action/markdown.test',
  },
  {
    name: 'a line end in foreign text is none in Markdown',
    file: 'shared/action/log.ts',
    off: ["return linesOf(text, most).join(' ');", 'return text.slice(0, most);'],
    test: 'shared/action/markdown.test',
  },
  {
    name: 'no line of foreign text is a command to the runner',
    file: 'shared/action/log.ts',
    off: ["(line.trimStart().startsWith('::') ? line.replace('::', ': :') : line)", 'line'],
    test: 'shared/action/log.test',
  },
  {
    name: 'secrets are hidden where they are encoded',
    file: 'shared/action/mask.ts',
    off: ['views(text).flatMap(', 'views(text).slice(0, 1).flatMap('],
    test: 'shared/action/mask.test',
  },
  {
    name: 'of a fork’s metadata only known fields are taken',
    file: 'shared/platform/servers-file.ts',
    off: ['if (!fields.includes(name)) refuse(', 'if (false) refuse('],
    test: 'shared/platform/servers-file.test',
  },
  {
    name: 'a comment of another bot is not ours',
    file: 'shared/action/github-api.ts',
    off: ['isRecord(user) && user.login === login', "isRecord(user) && (user.login === login || user.type === 'Bot')"],
    test: 'shared/action/sticky-comment.test',
  },
  {
    name: 'a wait that nothing can end is told',
    file: 'shared/action/run.ts',
    off: ["process.once('beforeExit', tell);", ''],
    test: 'shared/action/run.test',
  },
  {
    name: 'inputs are masked before one is read',
    file: 'shared/action/inputs.ts',
    off: ['else if (!isPublic?.(value)) secretsIn(value).forEach(mask);', ''],
    test: 'shared/action/inputs.test',
  },
];
