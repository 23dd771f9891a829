#include "cli/completion.h"

#include <stddef.h>
#include <string.h>

const char *const cli_completion_shells[] = {"bash", "zsh", "fish", NULL};

/* All three hand the words over to "faas-cli complete", which knows the table of commands. */
static const char *const scripts[] = {
    /* Readline cuts words at "=" and replaces only what is behind it. */
    "# Completion of faas-cli for bash. Load it with: source <(faas-cli completion --shell bash)\n"
    "_faas_cli()\n"
    "{\n"
    "    local line=${COMP_LINE:0:COMP_POINT} words reply offer before=\n"
    "    read -ra words <<< \"$line\"\n"
    "    [[ $line == *[[:space:]] ]] && words+=('')\n"
    "    mapfile -t reply < <(\"${words[0]}\" complete -- \"${words[@]:1}\" 2> /dev/null)\n"
    "    [[ ${words[-1]} == *=* && $COMP_WORDBREAKS == *=* ]] && before=${words[-1]%%=*}=\n"
    "    COMPREPLY=()\n"
    "    for offer in \"${reply[@]:1}\"; do\n"
    "        offer=${offer%%$'\\t'*}\n"
    "        COMPREPLY+=(\"${offer#\"$before\"}\")\n"
    "    done\n"
    "    if [[ ${reply[0]} == :files && ${#COMPREPLY[@]} -eq 0 ]]; then\n"
    "        compopt -o default 2> /dev/null\n"
    "    fi\n"
    "}\n"
    "complete -F _faas_cli faas-cli\n",

    "#compdef faas-cli\n"
    "# Completion of faas-cli for zsh. Load it, after compinit, with:\n"
    "#   source <(faas-cli completion --shell zsh)\n"
    "# or save it as _faas-cli in a folder of $fpath.\n"
    "_faas_cli()\n"
    "{\n"
    "    local -a reply offers\n"
    "    local line\n"
    "    reply=(\"${(@f)$(\"${words[1]}\" complete -- \"${(@)words[2,CURRENT]}\" 2> "
    "/dev/null)}\")\n"
    "    for line in \"${(@)reply[2,-1]}\"; do\n"
    "        offers+=(\"${${line%%$'\\t'*}//:/\\\\:}:${line#*$'\\t'}\")\n"
    "    done\n"
    "    (( ${#offers} )) && _describe -t values faas-cli offers\n"
    "    [[ ${reply[1]} == :files ]] && _files\n"
    "}\n"
    "if [[ ${funcstack[1]} == _faas-cli ]]; then\n"
    "    _faas_cli \"$@\"\n"
    "else\n"
    "    compdef _faas_cli faas-cli\n"
    "fi\n",

    "# Completion of faas-cli for fish. Load it with: faas-cli completion --shell fish | source\n"
    "function __faas_cli_complete\n"
    "    set -l words (commandline -opc) (commandline -ct)\n"
    "    set -l reply ($words[1] complete -- $words[2..-1] 2> /dev/null)\n"
    "    test (count $reply) -gt 1; and printf '%s\\n' $reply[2..-1]\n"
    "    test \"$reply[1]\" = :files; and __fish_complete_path (commandline -ct)\n"
    "end\n"
    "complete -c faas-cli -f -a '(__faas_cli_complete)'\n",
};

const char *cli_completion_script(const char *shell)
{
    for (size_t i = 0; shell && cli_completion_shells[i]; i++)
        if (strcmp(cli_completion_shells[i], shell) == 0)
            return scripts[i];
    return NULL;
}
