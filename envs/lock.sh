#!/bin/sh
# Resolve requirements*.in anew into requirements*.txt and softbio.yaml: make lock
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/env"
pip="$work/env/bin/python -m pip"
# A CPU wheel of torch would be frozen as +cpu, a GPU machine's nvidia packages by name: neither
# installs everywhere, and torch itself pins what it needs of the latter.
freeze() { $pip freeze --all | grep -v '^pip==' | sed -E 's/\+(cpu|cu[0-9]+)$//' | grep -Ev '^(nvidia-|cuda-|triton)'; }

$pip install --quiet -r requirements.in
{ echo '# Made by envs/lock.sh from requirements.in; do not edit.'; freeze; } > "$work/base"
$pip install --quiet -c "$work/base" -r requirements-dev.in
{
    echo '# Made by envs/lock.sh from requirements-dev.in; do not edit.'
    freeze | grep -vxFf "$work/base"
} > "$work/dev"
{
    echo '# Made by envs/lock.sh: the pins of requirements.txt for conda users; do not edit.'
    echo 'name: softbio'
    echo 'channels: [conda-forge, nodefaults]'
    echo 'dependencies:'
    echo '  - python =3.11'
    echo '  - pip'
    echo '  - pip:'
    grep -v '^#' "$work/base" | sed 's/^/      - /'
} > "$work/conda"
mv "$work/base" requirements.txt
mv "$work/dev" requirements-dev.txt
mv "$work/conda" softbio.yaml
