# bash: what otterbeat's --help lists.
_otterbeat() {
        local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
        case $before in
                -c | --config) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
                --init) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
                cursor) mapfile -t COMPREPLY < <(compgen -W "show export rewind" -- "$word"); return ;;
                rewind) mapfile -t COMPREPLY < <(compgen -W "delay throughput history log" -- "$word"); return ;;
                replay) mapfile -t COMPREPLY < <(compgen -W "--since --until" -- "$word"); return ;;
                grafana | datadog) mapfile -t COMPREPLY < <(compgen -W "--out" -- "$word"); return ;;
                --out) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
                page) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        esac
        mapfile -t COMPREPLY < <(compgen -W "--config --init --check --json --once --dry-run --version --help cursor replay page grafana datadog" -- "$word")
}
complete -F _otterbeat otterbeat
