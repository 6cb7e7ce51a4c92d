/** Shell completion, made from the table of commands. */

import type { Command } from './command.ts';
import type { Flag } from './flag.ts';

/** A bash script: commands, the flags of each, and the values of those flags that have a list of them. */
export function bashCompletion(commands: readonly Command[]): string {
  return `_losslog() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} words=
  if [ "$COMP_CWORD" -eq 1 ]; then
    words='${[...commands.map(({ name }) => name), '--help', '--version'].join(' ')}'
  else
    case \${COMP_WORDS[1]}:$prev in
${commands.flatMap(valueCases).join('\n')}
      *:--store) COMPREPLY=($(compgen -d -- "$cur")); return ;;
${commands.map(flagCase).join('\n')}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F _losslog losslog
`;
}

/** The same for zsh, through its emulation of bash completion. */
export function zshCompletion(commands: readonly Command[]): string {
  return `autoload -U +X compinit && compinit
autoload -U +X bashcompinit && bashcompinit
${bashCompletion(commands)}`;
}

function valueCases({ name, flags }: Command): string[] {
  const listed = Object.entries(flags).filter(([, flag]) => flag.type === 'value' && flag.choices);
  return listed.map(([flag, { choices }]: [string, Flag & { choices?: readonly string[] }]) =>
    caseOf(`${name}:--${flag}`, choices ?? []),
  );
}

function flagCase({ name, flags, argument }: Command): string {
  const optional = Object.entries(flags).flatMap(([flag, entry]) =>
    entry.type === 'optional' ? (entry.choices ?? []).map((value) => `--${flag}=${value}`) : [],
  );
  const names = Object.keys(flags).map((flag) => `--${flag}`);
  return caseOf(`${name}:*`, [...(argument?.choices?.() ?? []), ...names, ...optional, '--help']);
}

const caseOf = (pattern: string, words: readonly string[]): string => `      ${pattern}) words='${words.join(' ')}' ;;`;
