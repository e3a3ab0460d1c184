#!/bin/sh
# A place to try playbooks against something that may break: runs restart-when-down against a file that stands for a
# service, in a data directory of its own. Nothing outside of a scratch directory is touched.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export TEND_DATA_DIR="$scratch/state"
cd "$here"

# The service is down: its page is not there. Restarting it writes the page.
cat >"$scratch/restart" <<'EOF'
#!/bin/sh
echo "hello from $1" >"$(dirname "$0")/page"
EOF
chmod +x "$scratch/restart"

tend lint
tend run restart-when-down -p url="file://$scratch/page" -p service=shop -p restart="$scratch/restart"
test -e "$scratch/page"

# Now it is up, and nothing is restarted.
rm "$scratch/restart"
tend run restart-when-down -p url="file://$scratch/page" -p service=shop -p restart="$scratch/restart"
tend runs list
echo "the test of restart-when-down holds"
