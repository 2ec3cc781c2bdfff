# shellcheck shell=bash
# Rust with the wasm32 target, and wasm-bindgen. Both halves are built with the same toolchain.

WASM=wasm32-unknown-unknown

# Links a real module: it proves that std is there, fits this compiler, and that the linker works.
builds_wasm() {
  local out status=0
  out=$(mktemp -d)
  printf 'pub fn f() -> String { String::new() }' |
    rustc --target "$WASM" --crate-type cdylib -o "$out/f.wasm" - >/dev/null 2>&1 || status=1
  rm -rf "$out"
  return "$status"
}

is_new_enough() {
  local wanted have
  wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
  have=$(rustc --version 2>/dev/null | cut -d' ' -f2) || return 1
  [ "$(printf '%s\n%s\n' "$wanted" "$have" | sort -V | head -n1)" = "$wanted" ]
}

is_usable() { is_new_enough && builds_wasm; }

# use_toolchain NAME: for this script and all it starts.
use_toolchain() { export RUSTUP_TOOLCHAIN=$1; }

# Leaves a cargo and rustc on the PATH, new enough and with the wasm32 target; exports RUSTUP_TOOLCHAIN if that takes it.
need_toolchain() {
  command -v cargo >/dev/null || [ ! -x "$HOME/.cargo/bin/cargo" ] || export PATH="$HOME/.cargo/bin:$PATH"
  command -v cargo >/dev/null || die "cargo is missing: install Rust from https://rustup.rs"
  if is_usable; then return 0; fi
  if [ -n "${RUSTUP_TOOLCHAIN:-}" ]; then die "RUSTUP_TOOLCHAIN=$RUSTUP_TOOLCHAIN is too old or lacks the target $WASM"; fi
  if command -v rustup >/dev/null; then
    # Before rustup is asked, which can take long where its server can't be reached.
    if rustup toolchain list | grep -q '^debian' && (use_toolchain debian && is_usable); then
      use_toolchain debian
      return 0
    fi
    say "Adding the target $WASM with rustup"
    if is_new_enough && with_timeout 300 rustup target add "$WASM" >&2 && is_usable; then return 0; fi
    say "rustup could not; trying Debian's packages"
  fi
  with_lock toolchain install_debian_rust
  if command -v rustup >/dev/null; then
    use_toolchain debian
  else
    export PATH="/usr/bin:$PATH"
  fi
  is_usable || die "there is no Rust with the target $WASM: run \`rustup update stable && rustup target add $WASM\`"
}

# Debian packages a new rustc for its browsers, with no std for wasm32; that is built once from the packaged source.
install_debian_rust() {
  command -v apt-get >/dev/null || die "the target $WASM is missing: run \`rustup update stable && rustup target add $WASM\`"
  local lld lib=/usr/lib/rustlib bin
  # On a fresh image apt knows no packages until it is told to look.
  if is_root || sudo -n true 2>/dev/null; then as_root apt-get update -qq >&2 || true; fi
  lld=$(apt-cache search --names-only '^lld-[0-9]+$' | cut -d' ' -f1 | sort -V | tail -n1)
  apt_install rustc-web cargo-web rust-web-clippy rustfmt-web rust-web-src "${lld:-lld}"
  bin="$lib/$(/usr/bin/rustc -vV | sed -n 's/^host: //p')/bin"
  as_root mkdir -p "$bin" "$lib/$WASM/lib"
  as_root ln -sf "/usr/bin/${lld:-lld}" "$bin/rust-lld"
  if command -v rustup >/dev/null; then rustup toolchain link debian /usr; fi
  if PATH="/usr/bin:$PATH" builds_wasm; then return 0; fi

  say "Building std for $WASM, once"
  local scratch
  scratch=$(mktemp -d)
  mkdir "$scratch/src"
  printf '[package]\nname = "std_seed"\nversion = "0.1.0"\nedition = "2024"\n' >"$scratch/Cargo.toml"
  : >"$scratch/src/lib.rs"
  (cd "$scratch" && PATH="/usr/bin:$PATH" RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR="$scratch/target" /usr/bin/cargo build --quiet \
    --release --target "$WASM" -Zbuild-std=std,panic_abort,test >&2)
  rm -f "$scratch/target/$WASM/release/deps/"libstd_seed-*
  # Those of an earlier compiler would be found as well.
  as_root find "$lib/$WASM/lib" -name '*.rlib' -delete
  as_root cp "$scratch/target/$WASM/release/deps/"*.rlib "$lib/$WASM/lib/"
  rm -rf "$scratch"
}

# cargo fmt of the toolchain in use or, where that has no rustfmt, of rustup's default one.
cargo_fmt() {
  if cargo fmt --version >/dev/null 2>&1; then
    cargo fmt "$@"
  else
    env -u RUSTUP_TOOLCHAIN cargo fmt "$@"
  fi
}

# locked_version CRATE: as Cargo.lock has it.
locked_version() { awk -v name="\"$1\"" '$1 == "name" { found = $3 == name } found && $1 == "version" { gsub("\"", "", $3); print $3; exit }' Cargo.lock; }

# Sets WASM_BINDGEN to a wasm-bindgen of exactly the version in Cargo.lock: its output fits no other.
need_wasm_bindgen() {
  local version root
  version=$(locked_version wasm-bindgen)
  [ -n "$version" ] || die "Cargo.lock does not name wasm-bindgen"
  if [ "$(wasm-bindgen --version 2>/dev/null)" = "wasm-bindgen $version" ]; then
    WASM_BINDGEN=$(command -v wasm-bindgen)
    return 0
  fi
  root="$CACHE/wasm-bindgen-$version"
  WASM_BINDGEN="$root/bin/wasm-bindgen"
  if [ -x "$WASM_BINDGEN" ]; then return 0; fi
  with_lock wasm-bindgen install_wasm_bindgen "$version" "$root"
}

install_wasm_bindgen() {
  local version=$1 root=$2 target
  if [ -x "$root/bin/wasm-bindgen" ]; then return 0; fi
  say "Building wasm-bindgen $version, once a machine (a few minutes)"
  target="$CACHE/wasm-bindgen-target"
  # From /, where no setting of this checkout reaches it.
  (
    cd /
    cargo install wasm-bindgen-cli --quiet --version "$version" --root "$root" --target-dir "$target" --locked >&2 || {
      say "Its own lock names a crate that this registry does not have; taking what there is"
      cargo install wasm-bindgen-cli --quiet --version "$version" --root "$root" --target-dir "$target" >&2
    }
  )
  rm -rf "$target"
}
