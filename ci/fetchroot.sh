#!/usr/bin/env bash
# ci/fetchroot.sh ARCH DIR SUITE PACKAGE...
#
# Unpacks Debian packages of another architecture or suite, with all that they depend on, into DIR,
# without installing anything here. The mirror is the one that this system's apt sources name; the
# apt state lives beside DIR.
set -euo pipefail
arch=$1 dir=$2 suite=$3
shift 3

mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null || true)
mirror=$(grep -oE "https?://[^ ]+/debian/?( |$)" <<<"$mirror" | head -n 1 | tr -d " ")
[ -n "$mirror" ] || { echo 'fetchroot: no Debian mirror in the apt sources' >&2; exit 2; }

state=$dir.apt
mkdir -p "$state/lists/partial" "$state/cache/archives/partial" "$dir"
: >"$state/status"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb [arch=$arch signed-by=$keyring] $mirror $suite main" >"$state/sources.list"
cat >"$state/apt.conf" <<EOT
APT::Architecture "$arch";
APT::Architectures { "$arch"; };
APT::Install-Recommends "0";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "5";
Dir::State "$state";
Dir::State::status "$state/status";
Dir::State::lists "$state/lists";
Dir::Cache "$state/cache";
Dir::Etc::sourcelist "$state/sources.list";
Dir::Etc::sourceparts "-";
Dir::Etc::preferencesparts "-";
EOT
export APT_CONFIG=$state/apt.conf
apt-get update -qq
apt-get install -y -qq --download-only "$@" >/dev/null
for package in "$state"/cache/archives/*.deb; do
  dpkg -x "$package" "$dir"
done
rm -rf "$state" "$dir/usr/share/doc" "$dir/usr/share/locale"
