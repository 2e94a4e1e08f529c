# Completion for bash: the options and commands of otterbeat, and the words of each command.
_otterbeat() {
        local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command="" each
        local words="--config --init --check --json --once --dry-run --version --help cursor replay page grafana datadog"
        for each in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
                case $each in cursor | replay | page | grafana | datadog) command=$each ;; esac
        done
        case $before in
                -c | --config) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
                --init | --out) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
                --since | --until | --url) COMPREPLY=(); return ;;
                rewind) mapfile -t COMPREPLY < <(compgen -W "delay throughput history log" -- "$word"); return ;;
        esac
        case $command in
                cursor) words="show export rewind" ;;
                replay) words="--since --until" ;;
                page) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
                grafana) words="--out --url --replace" ;;
                datadog) words="--out --replace" ;;
        esac
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _otterbeat otterbeat
