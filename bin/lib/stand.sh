# shellcheck shell=bash
# The app and the simulator standing together, as bin/dev and the browser tests use them.

# As src/graph_simulator/ has them: the app it plays Meta for, two partners, and the people of the first one.
NORTHLANE=102000000000001
HARBOUR_REACH=102000000000002

# app_settings: exports what the app needs to take the simulator, on SIMULATOR_PORT, for Meta. Beside DATABASE_URL and
# ENCRYPTION_KEY, which differ from stand to stand.
app_settings() {
  export GRAPH_URL="http://127.0.0.1:$SIMULATOR_PORT" META_DIALOG_URL="http://127.0.0.1:$SIMULATOR_PORT"
  export META_APP_ID=680000000000001 META_APP_SECRET=simulator-app-secret META_LOGIN_CONFIG_ID=770000000000001
  export PARTNER_BUSINESS_IDS="$NORTHLANE,$HARBOUR_REACH"
  export META_WEBHOOK_VERIFY_TOKEN=simulator-verify-token
  export LITEBOARD_SITE_DIR="$ROOT/target/site"
}

# A key as ENCRYPTION_KEY takes it.
new_encryption_key() { echo "k1:$(head -c 32 /dev/urandom | base64 | tr -d '\n')"; }

build_stand() {
  say "The server and the simulator"
  run cargo build --features simulator --bins
  say "The browser's half"
  run bin/site dev
}

serve_simulator() { exec target/debug/graph-simulator --listen "127.0.0.1:$1"; }

serve_app() { LISTEN="127.0.0.1:$1" PUBLIC_URL="http://127.0.0.1:$1" exec target/debug/liteboard serve; }

# start_stand LOGS SIMULATOR_PORT APP_PORT: starts both on the first free ports from those on, the roles of the simulator's people
# given. Leaves the ports in SIMULATOR_PORT and APP_PORT.
start_stand() {
  local logs=$1 app_port=$3
  mkdir -p "$logs"
  start_listening "The simulator" "$logs/simulator.log" "$2" / serve_simulator
  SIMULATOR_PORT=$PORT
  app_settings
  run target/debug/liteboard migrate
  add_member 122000000000001 "Ana Moreira" admin
  add_member 122000000000002 "Tomás Lindqvist" account_manager
  add_member 122000000000003 "Priya Raman" support
  start_listening Liteboard "$logs/liteboard.log" "$app_port" /readyz serve_app
  subscribe "$PORT"
  # Read by whoever called.
  # shellcheck disable=SC2034
  APP_PORT=$PORT
}

# subscribe APP_PORT: has the simulator send webhooks to the app. Asked without curl, which may not be there.
subscribe() {
  local form="url=http://127.0.0.1:$1/webhooks/meta&verify_token=$META_WEBHOOK_VERIFY_TOKEN" status
  exec 3<>"/dev/tcp/127.0.0.1/$SIMULATOR_PORT"
  printf 'POST /simulator/webhook HTTP/1.0\r\nHost: 127.0.0.1:%s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %s\r\n\r\n%s' \
    "$SIMULATOR_PORT" "${#form}" "$form" >&3
  read -r status <&3
  exec 3>&-
  case $status in *" 200 "*) ;; *) die "the simulator does not send webhooks: $status" ;; esac
}

# add_member FACEBOOK_USER NAME ROLE: of Northlane, who would otherwise join as support.
add_member() {
  run target/debug/liteboard member --partner "$NORTHLANE" --facebook-user "$1" --name "$2" --role "$3"
}
