export const COMPLETION_SHELLS = ['bash', 'zsh', 'fish'] as const;
export type CompletionShell = (typeof COMPLETION_SHELLS)[number];

export type CompletedCommand = {
  /** The words of the command: `['keys', 'generate']`. */
  words: readonly string[];
  summary: string;
  flags: readonly { name: string; summary: string }[];
};

/** What may follow a run of words: the next words, and the flags if the run is a command. */
type Completions = Map<string, Map<string, string>>;

/** A script for a shell that completes words and flags of every command, from the commands alone. */
export function completionScript(
  shell: CompletionShell,
  commands: readonly CompletedCommand[],
): string {
  const completions = collect(commands);
  if (shell === 'fish') return fishScript(completions);
  return shell === 'bash' ? bashScript(completions) : zshScript(completions);
}

function collect(commands: readonly CompletedCommand[]): Completions {
  const completions: Completions = new Map([['', new Map()]]);
  const at = (words: readonly string[]) => {
    const key = words.join(' ');
    const found = completions.get(key) ?? new Map<string, string>();
    completions.set(key, found);
    return found;
  };
  for (const { words, summary, flags } of commands) {
    words.forEach((word, index) => {
      const last = index === words.length - 1;
      const entries = at(words.slice(0, index));
      if (last || !entries.has(word)) entries.set(word, last ? summary : '');
    });
    for (const flag of flags) at(words).set(`--${flag.name}`, flag.summary);
  }
  return completions;
}

function bashScript(completions: Completions): string {
  const cases = [...completions].map(
    ([words, next]) => `    '${words}') candidates='${[...next.keys()].join(' ')}' ;;`,
  );
  return `# bash completion for vkit
_vkit() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path='' candidates='' word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ "$word" == -* ]] && break
    path="\${path:+$path }$word"
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$candidates" -- "$current"))
  [[ \${#COMPREPLY[@]} -eq 0 ]] && compopt -o default
}
complete -F _vkit vkit`;
}

function zshScript(completions: Completions): string {
  const cases = [...completions].map(([words, next]) => {
    const entries = [...next].map(
      ([name, summary]) => `'${name.replace(':', '\\:')}:${plain(summary)}'`,
    );
    return `    '${words}') candidates=(${entries.join(' ')}) ;;`;
  });
  return `#compdef vkit
_vkit() {
  local path='' word
  local -a candidates
  for word in "\${(@)words[2,CURRENT-1]}"; do
    [[ "$word" == -* ]] && break
    path="\${path:+$path }$word"
  done
  case "$path" in
${cases.join('\n')}
  esac
  (( \${#candidates} )) && _describe vkit candidates || _files
}
if [ "$funcstack[1]" = "_vkit" ]; then _vkit "$@"; else compdef _vkit vkit; fi`;
}

function fishScript(completions: Completions): string {
  const lines = [...completions].flatMap(([words, next]) =>
    [...next].map(([name, summary]) => {
      const what = name.startsWith('--') ? `-l ${name.slice(2)}` : `-f -a ${name}`;
      return `complete -c vkit -n "test (__vkit_path) = '${words}'" ${what} -d '${plain(summary)}'`;
    }),
  );
  return `# fish completion for vkit
function __vkit_path
  set -l path
  for word in (commandline -opc)[2..-1]
    string match -q -- '-*' $word; and break
    set -a path $word
  end
  echo "$path"
end
${lines.join('\n')}`;
}

/** A summary without what the three shells would read as their own. */
function plain(summary: string): string {
  return summary.split('\n')[0]?.replace(/['"\\:$`()[\]]/g, ' ') ?? '';
}
