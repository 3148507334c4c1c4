#!/bin/sh
# Puts the extension together in build/vsix and packs it: package.sh PYTHON FILE.vsix
# The language server and its libraries (pure Python, of the releases that constraints.txt names) go with it.
set -eu
cd "$(dirname "$0")/.."
python=$1 file=$2 stage=build/vsix

rm -rf "$stage"
mkdir -p "$stage" "$(dirname "$file")"
cp -R LICENSE CHANGELOG.md vscode-client/package.json vscode-client/language-configuration.json vscode-client/README.md vscode-client/.vscodeignore \
  vscode-client/syntaxes "$stage"
install -D vscode-client/media/icon.png "$stage/media/icon.png"
(cd vscode-client && node build.mjs "../$stage/dist")

"$python" -m pip install --quiet --no-deps --no-compile --only-binary=:all: -c constraints.txt -t "$stage/bundled/libs" \
  pygls lsprotocol cattrs attrs typing_extensions lark click
"$python" -m pip install --quiet --no-deps --no-compile --only-binary=:all: --platform any --implementation py --abi none \
  -c constraints.txt -t "$stage/bundled/libs" protobuf # the build without compiled code, which is not for one system only
rm -rf build/lib build/bdist.* # setuptools keeps modules there that exist no more
"$python" -m pip install --quiet --no-deps --no-compile -t "$stage/bundled/libs" .
rm -rf "$stage/bundled/libs/bin" "$stage"/bundled/libs/bsls-*/direct_url.json build/lib build/bdist.*
"$python" -c '
import tomllib
project = tomllib.load(open("pyproject.toml", "rb"))["project"]
print(*project["dependencies"], *project["optional-dependencies"]["train"], sep="\n")
' >"$stage/bundled/training-requirements.txt"

cd "$stage"
npx --no-install vsce package --no-dependencies --allow-missing-repository --out "../../$file" >/dev/null
