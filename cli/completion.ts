import { path } from '../shared/action/inputs.js';
import { type Action, isFlag, isKept } from './actions.js';
import { ownOptions, type Shell, shells } from './arguments.js';

/** A word that can be completed behind an action. */
interface Word {
  option: string;
  text: string;
  /** Whether a value follows it, and which ones; undefined for files. */
  takes: 'nothing' | 'text' | 'file' | readonly string[];
}

/** A script that completes the command in a shell. It is made of the actions' own descriptions, and calls nothing. */
export function completion(shell: Shell, actions: readonly Action[]): string {
  return { bash, zsh, fish }[shell](actions);
}

function wordsOf({ inputs }: Action): Word[] {
  return [
    ...inputs.flatMap((input): Word[] => {
      const { name, description: text, type } = input;
      const takes: Word['takes'] = isFlag(input)
        ? 'nothing'
        : (type.words ?? (type === path || isKept(input) ? 'file' : 'text'));
      return [
        ...(type.isSecret === true ? [] : [{ option: `--${name}`, text, takes }]),
        ...(isKept(input) ? [{ option: `--${name}-file`, text, takes: 'file' as const }] : []),
      ];
    }),
    ...ownOptions.map(
      ({ name, value, text }): Word => ({ option: `--${name}`, text, takes: value === '' ? 'nothing' : 'text' }),
    ),
  ];
}

const first = (actions: readonly Action[]): string =>
  [...actions.map(({ name }) => name), 'completion', '--help', '--version'].join(' ');

/** How a shell is told what follows an option; empty where nothing is to be said. */
interface Forms {
  nothing: string;
  file: string;
  text: string;
  words: (list: string) => string;
}

function formOf(takes: Word['takes'], forms: Forms): string {
  return typeof takes === 'string' ? forms[takes] : forms.words(takes.join(' '));
}

/** What follows an option, as cases by `ACTION OPTION`. */
function cases(actions: readonly Action[], forms: Forms): string[] {
  return actions.flatMap((action) =>
    wordsOf(action).flatMap(({ option, takes }) => {
      const done = formOf(takes, forms);
      return done === '' ? [] : [`    '${action.name} ${option}') ${done} ;;`];
    }),
  );
}

function bash(actions: readonly Action[]): string {
  const values = cases(actions, {
    nothing: '',
    file: 'files=1',
    text: 'return',
    words: (list) => `words='${list}'`,
  });
  const ofActions = actions.map(
    (action) =>
      `    ${action.name}) operations='${action.operations.join(' ')}' options='${wordsOf(action)
        .map(({ option }) => option)
        .join(' ')}' ;;`,
  );
  return `# Completion of mcprt for bash: source <(mcprt completion bash)
_mcprt() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} action=\${COMP_WORDS[1]}
  local words='' files='' operations='' options=''
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '${first(actions)}' -- "$current"))
    return
  fi
  # bash takes --name=value for three words.
  if [ "$current" = '=' ]; then current=''
  elif [ "$before" = '=' ]; then before=\${COMP_WORDS[COMP_CWORD-2]}; fi
  case "$action" in
${ofActions.join('\n')}
    completion) operations='${shells.join(' ')}' ;;
  esac
  case "$action $before" in
${values.join('\n')}
    *)
      if [ "\${current#-}" != "$current" ]; then words=$options
      elif [ "$COMP_CWORD" -eq 2 ]; then words=$operations; fi ;;
  esac
  if [ -n "$files" ]; then
    compopt -o filenames 2>/dev/null
    COMPREPLY=($(compgen -f -- "$current"))
  else
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  fi
}
complete -F _mcprt mcprt
`;
}

function zsh(actions: readonly Action[]): string {
  const values = cases(actions, {
    nothing: '',
    file: '_files; return',
    text: 'return',
    words: (list) => `compadd -- ${list}; return`,
  });
  const ofActions = actions.map(
    (action) =>
      `    ${action.name}) operations=(${action.operations.join(' ')}); options=(${wordsOf(action)
        .map(({ option }) => option)
        .join(' ')}) ;;`,
  );
  return `#compdef mcprt
# Completion of mcprt for zsh: source <(mcprt completion zsh)
_mcprt() {
  local -a operations options
  if (( CURRENT == 2 )); then
    compadd -- ${first(actions)}
    return
  fi
  case $words[2] in
${ofActions.join('\n')}
    completion) operations=(${shells.join(' ')}) ;;
  esac
  local before=$words[CURRENT-1]
  if compset -P '*='; then before=\${words[CURRENT]%%=*}; fi
  case "$words[2] $before" in
${values.join('\n')}
  esac
  if [[ $PREFIX == -* ]]; then compadd -- $options
  elif (( CURRENT == 3 )); then compadd -- $operations
  fi
}
compdef _mcprt mcprt
`;
}

function fish(actions: readonly Action[]): string {
  const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const top = actions.map(
    ({ name, description }) => `complete -c mcprt -f -n __fish_use_subcommand -a ${name} -d ${quoted(description)}`,
  );
  const ofActions = actions.flatMap((action) => {
    const within = `-n '__fish_seen_subcommand_from ${action.name}'`;
    return [
      `complete -c mcprt -f -n '__fish_seen_subcommand_from ${action.name}; and test (count (commandline -opc)) -eq 2' -a '${action.operations.join(' ')}'`,
      ...wordsOf(action).map(({ option, text, takes }) => {
        const value = formOf(takes, { nothing: '', file: ' -r -F', text: ' -x', words: (list) => ` -x -a '${list}'` });
        return `complete -c mcprt ${within} -l ${option.slice(2)}${value} -d ${quoted(text)}`;
      }),
    ];
  });
  return [
    '# Completion of mcprt for fish: mcprt completion fish | source',
    ...top,
    'complete -c mcprt -f -n __fish_use_subcommand -a completion',
    `complete -c mcprt -f -n '__fish_seen_subcommand_from completion' -a '${shells.join(' ')}'`,
    ...ofActions,
    '',
  ].join('\n');
}
