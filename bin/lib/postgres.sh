# shellcheck shell=bash
# A Postgres to work with: the one DATABASE_URL names, else a private cluster made with the installed binaries. A private cluster
# listens on 127.0.0.1 alone, has no socket in the file system, and lets nobody in without its random password.

# Prints the folder with initdb of the newest Postgres from 15 on.
find_postgres() {
  local found dir version best=14 best_dir=
  found=$(
    dirname "$(command -v initdb)" 2>/dev/null
    pg_config --bindir 2>/dev/null
    ls -d /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql@*/bin /usr/local/opt/postgresql@*/bin 2>/dev/null
  ) || true
  while IFS= read -r dir; do
    if [ ! -x "$dir/initdb" ] || [ ! -x "$dir/psql" ]; then continue; fi
    version=$("$dir/initdb" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
    if [ "$version" -gt "$best" ]; then
      best=$version
      best_dir=$dir
    fi
  done <<<"$found"
  [ -n "$best_dir" ] && echo "$best_dir"
}

# Sets PG_BIN and exports DATABASE_URL. need_postgres kept: the checkout's own data folder, there again at the next run;
# need_postgres thrown-away: a new and quick one, gone at the end; need_postgres measured: the same, but as safe as in production.
# DATABASE_URL, if set, is taken in all cases.
need_postgres() {
  PG_BIN=$(find_postgres) || {
    if [ -n "${DATABASE_URL:-}" ]; then return 0; fi
    install Postgres postgresql postgresql@17
    PG_BIN=$(find_postgres) || die "Postgres 15 or newer is missing: install it, or name a database in DATABASE_URL"
  }
  if [ -n "${DATABASE_URL:-}" ]; then return 0; fi
  case $1 in
    kept) start_kept_cluster ;;
    # Nobody will miss this data after a power cut.
    thrown-away) start_thrown_away_cluster "$(quick_dir)" fsync=off synchronous_commit=off full_page_writes=off max_connections=300 ;;
    measured) start_thrown_away_cluster /tmp shared_buffers=1GB max_wal_size=4GB ;;
  esac
}

# Postgres refuses to run as root. It must also be able to enter its working folder.
as_postgres() {
  if is_root; then
    (cd / && runuser -u postgres -- "$@")
  else
    "$@"
  fi
}

# state_dir: makes and prints the folder where this checkout's data stays between runs. Root's home is closed to the user postgres.
state_dir() {
  local dir
  if is_root; then
    dir="/var/tmp/liteboard-0/$CHECKOUT"
    mkdir -p "$dir"
    # /var/tmp is everybody's: somebody else's folder of that name is not to be trusted with a key.
    [ -O "/var/tmp/liteboard-0" ] || die "/var/tmp/liteboard-0 belongs to somebody else"
    chmod 755 "/var/tmp/liteboard-0" "$dir"
  else
    dir="${XDG_STATE_HOME:-$HOME/.local/state}/liteboard/$CHECKOUT"
    mkdir -p "$dir"
    chmod 700 "$dir"
  fi
  echo "$dir"
}

start_kept_cluster() {
  local dir
  dir="$(state_dir)/postgres"
  if is_owned "$dir"; then die "bin/dev is running here already, as process $(cut -d' ' -f2 "$dir/owner"): end that one first"; fi
  # Left running by a command that was killed with no chance to tidy up.
  stop_cluster "$dir"
  if [ ! -f "$dir/made" ]; then
    rm -rf "$dir"
    make_cluster "$dir"
  elif [ "$(cat "$dir/data/PG_VERSION")" != "$("$PG_BIN/postgres" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')" ]; then
    die "the data in $dir was made by Postgres $(cat "$dir/data/PG_VERSION"): install that version, or remove the folder to begin anew"
  fi
  at_exit leave_cluster "$dir"
  own "$dir"
  start_cluster "$dir" 5433
}

# Memory, where there is plenty: each test makes a database of its own, hundreds of files on a disk. A few hundred MB are used of it.
quick_dir() {
  local room plenty=$((4 * 1024 * 1024))
  # Of the folder, and of the memory behind it: whichever has less.
  room=$({
    df -Pk /dev/shm | awk 'NR == 2 { print $4 }'
    awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo
  } 2>/dev/null | sort -n | head -n 1) || true
  if [ -w /dev/shm ] && [ "${room:-0}" -gt "$plenty" ]; then echo /dev/shm; else echo /tmp; fi
}

# start_thrown_away_cluster BASE SETTING...: in a folder of its own in BASE.
start_thrown_away_cluster() {
  local dir
  sweep_clusters
  dir=$(mktemp -d "$1/liteboard-$(id -u)-XXXXXX")
  shift
  at_exit remove_cluster "$dir"
  chmod 755 "$dir"
  own "$dir"
  make_cluster "$dir"
  start_cluster "$dir" "$(random_port)" "$@"
}

# own DIR: notes that this command uses it.
own() { echo "$(hostname) $$" >"$1/owner"; }

# is_owned DIR: by a command that still runs. The host is compared because the folder may be shared by containers, whose process
# ids mean nothing here; then it counts as owned.
is_owned() {
  local host pid
  read -r host pid 2>/dev/null <"$1/owner" || return 1
  [ "$host" != "$(hostname)" ] || is_alive "$pid"
}

# Clusters of commands that were killed with no chance to tidy up.
sweep_clusters() {
  local owner dir
  for owner in {/tmp,/dev/shm}/liteboard-"$(id -u)"-*/owner; do
    dir=$(dirname "$owner")
    if [ -O "$owner" ] && ! is_owned "$dir"; then remove_cluster "$dir"; fi
  done
}

# make_cluster DIR: data in DIR/data, the password of its superuser in DIR/password; DIR/made says that it is whole.
make_cluster() {
  local dir=$1 locale
  if is_root && ! id postgres >/dev/null 2>&1; then die "Postgres refuses to run as root and there is no user \`postgres\`: add one"; fi
  mkdir -p "$dir"
  (
    umask 077
    od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >"$dir/password"
    mkdir "$dir/data"
  )
  if is_root; then chown postgres "$dir/data" "$dir/password"; fi
  # Letters beyond ASCII are letters only in a UTF-8 locale; full text and trigrams depend on it.
  locale=$(locale -a 2>/dev/null | grep -iE -m1 '^(C|en_US)\.utf-?8$') || locale=C
  as_postgres "$PG_BIN/initdb" --pgdata="$dir/data" --username=postgres --pwfile="$dir/password" --auth=scram-sha-256 \
    --encoding=UTF8 --locale="$locale" --no-sync >"$dir/initdb.log" 2>&1 || {
    cat "$dir/initdb.log" >&2
    die "initdb failed"
  }
  : >"$dir/made"
}

# start_cluster DIR PORT SETTING...: on the first port from PORT on that can be had; exports DATABASE_URL.
start_cluster() {
  local dir=$1 port=$2 options='' setting
  shift 2
  for setting in "listen_addresses=127.0.0.1" "unix_socket_directories=''" "timezone=UTC" "$@"; do options+=" -c $setting"; done
  # Ctrl-C can come when the server is on its way but has not yet written its process id.
  : >"$dir/starting"
  while :; do
    port=$(free_port "$port")
    if as_postgres "$PG_BIN/pg_ctl" start --pgdata="$dir/data" --log="$dir/data/log" --silent --wait --timeout=60 \
      --options="-p $port$options" >/dev/null 2>&1 </dev/null; then break; fi
    # Another command took the port since we looked.
    if tail -n 20 "$dir/data/log" | grep -q 'could not bind'; then
      port=$((port + 1))
      continue
    fi
    tail -n 20 "$dir/data/log" >&2
    die "Postgres did not start in $dir"
  done
  rm -f "$dir/starting"
  DATABASE_URL="postgres://postgres:$(cat "$dir/password")@127.0.0.1:$port/postgres"
  export DATABASE_URL
}

stop_cluster() {
  local dir=$1 tenths bin
  # The guardian began before PG_BIN was known.
  bin=${PG_BIN:-$(find_postgres)}
  for ((tenths = 0; tenths < 20; tenths++)); do
    if [ ! -f "$dir/starting" ] || [ -f "$dir/data/postmaster.pid" ]; then break; fi
    sleep 0.1
  done
  rm -f "$dir/starting"
  if [ ! -f "$dir/data/postmaster.pid" ]; then return 0; fi
  as_postgres "$bin/pg_ctl" stop --pgdata="$dir/data" --mode=fast --silent --wait --timeout=20 >/dev/null 2>&1 ||
    as_postgres "$bin/pg_ctl" stop --pgdata="$dir/data" --mode=immediate --silent --wait --timeout=10 >/dev/null 2>&1 || true
}

leave_cluster() {
  stop_cluster "$1"
  rm -f "$1/owner"
}

remove_cluster() {
  stop_cluster "$1"
  rm -rf "$1"
}

# sql DATABASE_URL ARGUMENT...: psql that stops at the first error.
sql() {
  [ -n "${PG_BIN:-}" ] || die "psql is missing: install the Postgres client"
  "$PG_BIN/psql" "$1" --no-psqlrc --quiet --set=ON_ERROR_STOP=1 "${@:2}"
}

# new_database NAME: prints the URL of a new, empty database beside the one in DATABASE_URL.
new_database() {
  local base=${DATABASE_URL%%\?*} query=
  case $DATABASE_URL in *\?*) query="?${DATABASE_URL#*\?}" ;; esac
  PGOPTIONS=--client-min-messages=warning sql "$DATABASE_URL" \
    --command="DROP DATABASE IF EXISTS \"$1\" WITH (FORCE)" --command="CREATE DATABASE \"$1\"" >&2
  echo "${base%/*}/$1$query"
}
