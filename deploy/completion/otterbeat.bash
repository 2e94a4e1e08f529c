# Completion for bash: the options and commands of otterbeat, and the words of each command.
_otterbeat() {
        local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command="" each
        local words="--config --init --mysql --password-file --manager --statsd --graphite --check --json --once --dry-run --version --help cursor replay verify page top cluster migrate grafana datadog"
        for each in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
                case $each in cursor | replay | verify | page | top | cluster | migrate | grafana | datadog) command=$each ;; esac
        done
        case $before in
                -c | --config | --password-file) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
                --init | --out | --from-dir | --to-dir) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
                --since | --until | --url | --runbook | --every | --render | --sink | --mysql | --manager | --statsd | --graphite) COMPREPLY=(); return ;;
                --datasource) mapfile -t COMPREPLY < <(compgen -W "graphite prometheus" -- "$word"); return ;;
                rewind) mapfile -t COMPREPLY < <(compgen -W "delay throughput history log" -- "$word"); return ;;
        esac
        case $command in
                cursor) words="show export rewind" ;;
                replay) words="--since --until" ;;
                verify) words="--since --until --render --sink --json" ;;
                page) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
                top) words="--url --every" ;;
                cluster) words="--json release" ;;
                migrate) words="--from-dir --to-dir --replace" ;;
                grafana) words="--out --datasource --url --runbook --replace" ;;
                datadog) words="--out --replace" ;;
        esac
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _otterbeat otterbeat
