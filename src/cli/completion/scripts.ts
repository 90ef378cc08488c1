/** Scripts that ask `cwl-runner --get-completions WORDS…` for candidates, one a line. `$1` is the command as it was typed. */
export const completionScripts: Readonly<Record<string, string>> = {
  bash: `# source <(cwl-runner completion bash)
_cwl_runner() {
  local IFS=$'\\n'
  mapfile -t COMPREPLY < <("$1" --get-completions "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == */ ]] && compopt -o nospace 2>/dev/null
  return 0
}
complete -F _cwl_runner cwl-runner
`,
  zsh: `#compdef cwl-runner
# source <(cwl-runner completion zsh)
_cwl_runner() {
  local -a found
  found=("\${(@f)$("\${words[1]}" --get-completions "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -S '' -- \${(M)found:#*/}
  compadd -- \${found:#*/}
}
(( \${+functions[compdef]} )) && compdef _cwl_runner cwl-runner
`,
  fish: `# cwl-runner completion fish | source
function __cwl_runner_complete
  set -l words (commandline -opc)
  $words[1] --get-completions $words[2..-1] (commandline -ct) 2>/dev/null
end
complete -c cwl-runner -f -a '(__cwl_runner_complete)'
`,
};
