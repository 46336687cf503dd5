#include "completion_scripts.hpp"

#include <span>

#include <reel/base/whole_file.hpp>

namespace {

constexpr const char* kBashCompletion = R"SCRIPT(# bash completion for reel: `reel completion bash`
_reel() {
  local current=${COMP_WORDS[COMP_CWORD]} word kinds kind IFS=$' \t\n'
  [[ $current == = ]] && current=
  COMPREPLY=()
  while IFS= read -r word; do
    case $word in
      :nospace) compopt -o nospace 2>/dev/null ;;
      :dirs)
        compopt -o filenames 2>/dev/null
        while IFS= read -r kind; do COMPREPLY+=("$kind"); done < <(compgen -d -- "$current")
        ;;
      :files*)
        compopt -o filenames 2>/dev/null
        kinds=${word#:files}
        while IFS= read -r word; do
          if [[ -z $kinds || -d $word || " $kinds " == *" ${word##*.} "* ]]; then COMPREPLY+=("$word"); fi
        done < <(compgen -f -- "$current")
        ;;
      *) COMPREPLY+=("${word%%$'\t'*}") ;;
    esac
  done < <("${1/#\~/$HOME}" __complete "$COMP_CWORD" "${COMP_WORDS[@]}" 2>/dev/null)
}
complete -F _reel reel
)SCRIPT";

constexpr const char* kZshCompletion = R"SCRIPT(#compdef reel
# zsh completion for reel: `reel completion zsh`
_reel() {
  local line pattern
  local -a offered flags
  integer files=0 directories=0
  for line in "${(@f)$("${(Q)words[1]/#\~/$HOME}" __complete $((CURRENT - 1)) "${(@Q)words}" 2>/dev/null)}"; do
    case $line in
      '') ;;
      :nospace) flags=(-S '') ;;
      :dirs) directories=1 ;;
      :files*) files=1; pattern=${${line#:files}# } ;;
      *$'\t'*) offered+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}") ;;
      *) offered+=("${line//:/\\:}") ;;
    esac
  done
  (( $#offered )) && _describe -t reel reel offered "${flags[@]}"
  (( directories )) && _files -/
  if (( files )); then
    if [[ -n $pattern ]]; then _files -g "*.(${pattern// /|})(-.)"; else _files; fi
  fi
}
if [[ ${funcstack[1]} == _reel ]]; then _reel "$@"; else compdef _reel reel; fi
)SCRIPT";

constexpr const char* kFishCompletion = R"SCRIPT(# fish completion for reel: `reel completion fish`
function __reel_complete
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    for line in (command $before[1] __complete (count $before) $before "$current" 2>/dev/null)
        switch $line
            case :nospace
            case :dirs
                __fish_complete_directories "$current"
            case ':files'
                __fish_complete_path "$current"
            case ':files *'
                set -l kinds (string replace ':files ' '' $line | string replace -a ' ' '|')
                __fish_complete_path "$current" | string match -r "^[^\\t]*(?:/|\\.(?:$kinds))(?:\\t.*)?\$"
            case '*'
                echo $line
        end
    end
end
complete -c reel -f -a '(__reel_complete)'
)SCRIPT";

void write(const std::string& path, std::string_view text) {
  reel::write_whole_file(path, std::as_bytes(std::span(text)), "DIRECTORY");
}

}  // namespace

std::string_view completion_script(std::string_view shell) {
  return shell == "bash" ? kBashCompletion : shell == "zsh" ? kZshCompletion : kFishCompletion;
}

void write_completions(const std::string& directory) {
  write(directory + "/reel.bash", kBashCompletion);
  write(directory + "/_reel", kZshCompletion);
  write(directory + "/reel.fish", kFishCompletion);
}
