# Sourced by the scripts beside it: installs what is missing and says what it does.
#
#   need_programs PROGRAM:PACKAGE …   Debian packages, when root or with sudo; otherwise it says what is missing
#   need_venv EXTRAS                  .venv with Ayni itself (editable) and these extras, renewed when they changed

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$root/.venv

say() { printf 'ayni: %s\n' "$*" >&2; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        env DEBIAN_FRONTEND=noninteractive "$@"
    else
        sudo env DEBIAN_FRONTEND=noninteractive "$@"
    fi
}

# has PROGRAM: on the PATH, or where Debian keeps daemons, which is not on everybody's PATH
has() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ]; }

install_packages() {
    if ! command -v apt-get >/dev/null 2>&1; then
        return 1
    fi
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null 2>&1 || return 1
        # a password may be asked for only where somebody can type one
        sudo -n true 2>/dev/null || { [ -t 0 ] && sudo -v; } || return 1
    fi
    say "installing with apt: $*"
    ( # one at a time: .ci/run has two that may want something
        flock 9
        as_root apt-get update -q >/dev/null || true
        as_root apt-get install -y -q --no-install-recommends "$@" >/dev/null
    ) 9<"$root/scripts/setup.sh"
}

need_programs() {
    local missing=() pair
    for pair in "$@"; do
        has "${pair%%:*}" || missing+=("${pair#*:}")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    install_packages "${missing[@]}" && return 0
    say "missing and not installable from here: ${missing[*]}; install them as root: apt-get install ${missing[*]}"
    return 1
}

need_venv() {
    local extras=$1 stamp want
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || {
        say "Python 3.11 or later is needed; this is $(python3 --version 2>&1)"
        exit 1
    }
    if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
        install_packages python3-venv || {
            say "the Python module venv is missing; install it as root: apt-get install python3-venv"
            exit 1
        }
    fi
    stamp=$venv/.ayni-$extras
    want=$(cat "$root/pyproject.toml" "$root"/core/ayni_io/locale/*/LC_MESSAGES/*.po 2>/dev/null | cksum)
    [ -x "$venv/bin/python" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$want" ] && return 0
    say "setting up $venv (extras: $extras); this takes a minute or two"
    [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
    # Since 23.3 pip finds out what goes together without fetching it, in half the time; Debian 12 has 23.0.
    "$venv/bin/python" -m pip install -q --disable-pip-version-check "pip>=23.3" || say "going on with an older pip"
    # pip would compile on one processor only.
    "$venv/bin/python" -m pip install -q --disable-pip-version-check --no-compile -e "$root[$extras]" || {
        say "the Python packages could not be installed; is there a way to the Internet?"
        exit 1
    }
    "$venv/bin/python" -m compileall -q -j 0 "$venv"/lib/python3*/site-packages >/dev/null || true # some are templates
    printf '%s' "$want" >"$stamp"
}
