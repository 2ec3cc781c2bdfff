# shellcheck shell=bash
# What comes from the system's package manager and from npm.

is_root() { [ "$(id -u)" = 0 ]; }

as_root() { if is_root; then "$@"; else sudo -n "$@"; fi; }

# apt_install PACKAGE...: as root, or with a sudo that asks nothing.
apt_install() {
  if ! is_root && ! sudo -n true 2>/dev/null; then die "packages are missing, run this once: sudo apt-get install $*"; fi
  say "Installing with apt: $*"
  # `update` may fail for one stale source and still bring what is needed.
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq >&2 || true
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2
}

# install WHAT APT_PACKAGES BREW_PACKAGES
install() {
  local what=$1 apt=$2 brew=$3
  # The lists are words on purpose.
  # shellcheck disable=SC2086
  if command -v apt-get >/dev/null; then
    run apt_install $apt
  elif command -v brew >/dev/null; then
    say "Installing with brew: $brew"
    run brew install --quiet $brew >&2
  else
    die "$what is missing: install it with your package manager"
  fi
}

find_browser() {
  local candidate
  # The first of them has no windows: tests take a fifth less with it.
  for candidate in "${CHROMIUM:-}" chromium-headless-shell chromium chromium-browser google-chrome-stable google-chrome \
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" "/Applications/Chromium.app/Contents/MacOS/Chromium"; do
    if [ -n "$candidate" ] && CHROMIUM=$(command -v "$candidate"); then return 0; fi
  done
  return 1
}

# Exports CHROMIUM, the browser's executable.
need_browser() {
  find_browser || install Chromium chromium "--cask chromium"
  find_browser || die "no Chromium found: install it, or name its executable in CHROMIUM"
  export CHROMIUM
}

# Puts Playwright, wasm-opt, lightningcss and a Node that is new enough for them on the PATH, as end2end/package-lock.json has them.
need_node_tools() {
  export PATH="$ROOT/end2end/node_modules/.bin:$PATH"
  if cmp -s end2end/package-lock.json end2end/node_modules/.installed; then return 0; fi
  command -v npm >/dev/null || install npm "nodejs npm" node
  with_lock npm install_node_tools
}

install_node_tools() {
  say "Installing the Node tools of end2end/"
  (cd end2end && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2)
  # Where npm has no Node of its own for this machine, the system's must do.
  node -e 'const [major, minor] = process.versions.node.split(".").map(Number); process.exit(major > 22 || (major === 22 && minor >= 12) ? 0 : 1)' ||
    die "Node $(node --version) is too old: install Node 22.12 or newer"
  # It only links the program of its platform to its place.
  (cd end2end/node_modules/lightningcss-cli && node postinstall.js >&2)
  cp end2end/package-lock.json end2end/node_modules/.installed
}
