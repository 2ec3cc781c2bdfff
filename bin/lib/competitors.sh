# shellcheck shell=bash
# What bin/bench sets a drain beside: Meta's own SDK in a thread pool, and graphile-worker with fetch. Both do the same calls: they take
# the ids on standard input and GRAPH_URL, META_APP_ID, META_APP_SECRET and ACCESS_TOKEN from the environment, and print one line of
# JSON with calls, answered, refused, seconds and settings.

COMPETITORS_SOURCE="$ROOT/bin/lib/competitors"

# Sets COMPETITORS to the folder where both are installed; leaves it empty, and says so, where they can't be had.
need_competitors() {
  local dir
  # Another checkout may pin other versions.
  dir="$CACHE/bench/$(cat "$COMPETITORS_SOURCE/requirements.txt" "$COMPETITORS_SOURCE/package-lock.json" | cksum | cut -d' ' -f1)"
  COMPETITORS=$dir
  if has_competitors "$dir"; then return 0; fi
  need_node_tools
  if ! with_lock competitors install_competitors "$dir"; then
    COMPETITORS=
    say "The comparison is left out: its packages could not be installed, see $dir/log"
  fi
}

# The second look is for a Python that was replaced since: a venv is tied to the one that made it.
has_competitors() { [ -f "$1/.installed" ] && "$1/venv/bin/python" -c '' 2>/dev/null; }

# The lines are chained since the caller asks whether it failed, and then bash goes on after a line that does.
install_competitors() {
  local dir=$1
  # Somebody may have held the lock to do just this.
  if has_competitors "$dir"; then return 0; fi
  say "Installing what the drain is compared with"
  rm -rf "$dir" && mkdir -p "$dir" &&
    make_venv "$dir/venv" &&
    "$dir/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --retries 1 \
      --requirement "$COMPETITORS_SOURCE/requirements.txt" >"$dir/log" 2>&1 &&
    cp "$COMPETITORS_SOURCE/package.json" "$COMPETITORS_SOURCE/package-lock.json" "$dir" &&
    (cd "$dir" && npm ci --ignore-scripts --no-audit --no-fund --fetch-retries=1 --loglevel=error >>log 2>&1) &&
    : >"$dir/.installed"
}

# make_venv DIR: Debian keeps what a venv needs in a package of its own.
make_venv() {
  if python3 -m venv "$1" >/dev/null 2>&1; then return 0; fi
  if command -v apt-get >/dev/null; then apt_install python3 python3-venv; fi
  rm -rf "$1"
  python3 -m venv "$1" >&2
}
