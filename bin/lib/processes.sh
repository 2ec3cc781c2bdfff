# shellcheck shell=bash
# Starting and stopping processes so that none outlives the command: after the normal end, a failure, Ctrl-C, TERM or HUP.

UNDO=()
FOREGROUND=
GUARDIAN=

# Registers a command line for the end; the last one registered runs first.
at_exit() {
  local line
  guard
  printf -v line '%q ' "$@"
  UNDO+=("$line")
  printf '%s\n' "$line" >>"$JOURNAL"
}

finish() {
  local status=$? pid
  # A second Ctrl-C must not leave half of it running.
  trap '' INT TERM HUP
  trap - EXIT
  set +e
  tidy_up
  # A signal can arrive between a start and its at_exit.
  for pid in $(jobs -p); do
    if [ "$pid" != "$GUARDIAN" ]; then stop "$pid"; fi
  done
  if [ -n "$GUARDIAN" ]; then
    kill -KILL -- "-$GUARDIAN" 2>/dev/null
    wait "$GUARDIAN" 2>/dev/null
    rm -f "$JOURNAL" "$JOURNAL.foreground"
  fi
  exit "$status"
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

tidy_up() {
  local i
  # INT, as from the keyboard: Playwright closes its browsers on it.
  if [ -n "$FOREGROUND" ]; then stop "$FOREGROUND" INT; fi
  for ((i = ${#UNDO[@]} - 1; i >= 0; i--)); do eval "${UNDO[i]}"; done
}

# Starts the process that tidies up in our place if we are killed with KILL, which no trap sees.
guard() {
  if [ -n "$GUARDIAN" ]; then return 0; fi
  JOURNAL=$(mktemp)
  set -m
  keep_watch >/dev/null 2>&1 </dev/null &
  GUARDIAN=$!
  set +m
}

keep_watch() {
  local line
  set +e
  while is_alive $$; do sleep 1; done
  UNDO=()
  while IFS= read -r line; do UNDO+=("$line"); done <"$JOURNAL"
  FOREGROUND=$(cat "$JOURNAL.foreground")
  tidy_up
  rm -f "$JOURNAL" "$JOURNAL.foreground"
}

# is_alive PID: a zombie is not, however long its parent leaves it.
is_alive() {
  if command -v ps >/dev/null; then
    case $(ps -o stat= -p "$1") in
      '' | Z*) return 1 ;;
    esac
  else
    kill -0 "$1" 2>/dev/null
  fi
}

# start LOG COMMAND...: runs it in the background, in a process group of its own; leaves its pid in STARTED.
start() {
  local log=$1
  shift
  set -m
  "$@" >"$log" 2>&1 </dev/null &
  STARTED=$!
  set +m
  at_exit stop "$STARTED"
}

# run COMMAND...: as if called directly, but a signal ends it at once. bash runs a trap only between two commands, and `wait` is
# one that it leaves early.
run() {
  local status=0
  guard
  set -m
  "$@" </dev/null &
  FOREGROUND=$!
  set +m
  echo "$FOREGROUND" >"$JOURNAL.foreground"
  wait "$FOREGROUND" || status=$?
  FOREGROUND=
  : >"$JOURNAL.foreground"
  return "$status"
}

# stop PID [SIGNAL]: ends the process group that PID leads, politely for 10 seconds, and waits until it is gone.
stop() {
  local pid=$1 signal=${2:-TERM} tenths
  if kill "-$signal" -- "-$pid" 2>/dev/null; then
    for ((tenths = 0; tenths < 100; tenths++)); do
      group_lives "$pid" || break
      # Whoever was started with INT ignored, as a shell does with `&`, passes that on.
      if [ "$tenths" = 20 ]; then kill -TERM -- "-$pid" 2>/dev/null; fi
      sleep 0.1
    done
    kill -KILL -- "-$pid" 2>/dev/null
  fi
  wait "$pid" 2>/dev/null
  return 0
}

# group_lives PID: zombies aside, which stay for good where process 1 of a container collects none.
group_lives() {
  if command -v ps >/dev/null; then
    ps -A -o pgid=,stat= | awk -v group="$1" '$1 == group && $2 !~ /^Z/ { found = 1 } END { exit !found }'
  else
    kill -0 -- "-$1" 2>/dev/null
  fi
}

# with_timeout SECONDS COMMAND...: macOS has no `timeout`; there the command simply runs.
with_timeout() {
  if command -v timeout >/dev/null; then
    timeout "$@"
  else
    shift
    "$@"
  fi
}

# with_lock NAME COMMAND...: one at a time on this machine, so that two checkouts don't install the same thing into the cache.
with_lock() {
  mkdir -p "$CACHE"
  run locked "$@"
}

locked() {
  local name=$1
  shift
  # macOS has no flock; there two first runs at once would do the work twice.
  if command -v flock >/dev/null; then
    (
      flock 9
      # 9>&-: a process that the command leaves behind must not keep the lock.
      "$@" 9>&-
    ) 9>"$CACHE/$name.lock"
  else
    "$@"
  fi
}

port_is_free() { ! (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# free_port FROM: prints the first port from FROM on that nobody listens on.
free_port() {
  local port=$1
  until port_is_free "$port"; do port=$((port + 1)); done
  echo "$port"
}

# A port to begin looking at, for runs that may happen side by side. Below the range that the kernel gives to clients.
random_port() { echo $((15000 + RANDOM % 15000)); }

# answers PORT PATH: an HTTP 200, asked without curl, which may not be there.
answers() {
  (
    exec 3<>"/dev/tcp/127.0.0.1/$1"
    printf 'GET %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nConnection: close\r\n\r\n' "$2" "$1" >&3
    read -r -t 5 line <&3
    [[ "$line" == "HTTP/1.1 200"* ]]
  ) 2>/dev/null
}

# start_listening NAME LOG PORT PATH FUNCTION: calls `FUNCTION PORT` in the background on the first port from PORT on that can be
# had, and returns when PATH answers 200. Leaves the port in PORT.
start_listening() {
  local name=$1 log=$2 path=$4 function=$5 tenths
  PORT=$3
  while :; do
    PORT=$(free_port "$PORT")
    start "$log" "$function" "$PORT"
    for ((tenths = 0; tenths < 900; tenths++)); do
      # The second look is for a stranger that took the port first and answers in our place.
      if answers "$PORT" "$path" && kill -0 "$STARTED" 2>/dev/null; then return 0; fi
      kill -0 "$STARTED" 2>/dev/null || break
      sleep 0.1
    done
    if kill -0 "$STARTED" 2>/dev/null || ! grep -qi 'in use' "$log"; then break; fi
    PORT=$((PORT + 1))
  done
  tail -n 30 "$log" >&2
  die "$name did not start; its log is $log"
}
