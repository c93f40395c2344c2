#!/bin/bash
# run-guest.sh [-t SECONDS] [-m MEMORY] COMMAND [ARGUMENT...]
#
# Boots another Linux kernel as an ordinary program (User-Mode Linux, Debian's package: 6.1 with
# most network modules) on this machine's own root file system, and runs COMMAND there as root, in
# the current folder and with the current environment. It may load modules (modprobe). The guest
# sees / under a layer in memory that is thrown away, so nothing that it writes stays; it has no
# network but its own. What COMMAND writes to stdout and stderr is passed on as it comes.
#
# Exits with COMMAND's status, or else with
#   124  SECONDS (600) have passed
#   125  the guest could not be booted: a line on stderr says why, after the kernel's log
#   126  the guest ended before COMMAND did: the kernel's log is on stderr
#
# Needs root, an x86-64 machine, and the packages user-mode-linux, kmod, util-linux, iproute2.
# The guest has one CPU; a system call costs about 13 µs there: nothing can be timed in it.
set -u
ENVIRONMENT=$(export -p)
LIMIT=600 MEMORY=1024M
while getopts t:m: option; do case $option in
  t) LIMIT=$OPTARG;; m) MEMORY=$OPTARG;; *) exit 2;;
esac; done
shift $((OPTIND - 1))
[ $# -gt 0 ] || { sed -n '2,/^set/{/^#/p}' "$0" >&2; exit 2; }

cannot() { echo "run-guest: $*" >&2; exit 125; }
[ "$(uname -m)" = x86_64 ] || cannot "user-mode-linux is for x86-64, not $(uname -m)"
[ "$(id -u)" = 0 ] || cannot "needs root"
KERNEL=/usr/bin/linux.uml MODULES=$(echo /usr/lib/uml/modules/*) KMOD=$(command -v kmod)
[ -x "$KERNEL" ] && [ -d "$MODULES" ] && [ -x "$KMOD" ] ||
  cannot "apt-get install --no-install-recommends user-mode-linux kmod"

# Everything that host and guest share: the scripts going in, the status coming out.
S=$(mktemp -d /tmp/run-guest.XXXXXX) || cannot "no folder in /tmp"
GUEST=
clear_up() {
  trap '' INT TERM HUP PIPE  # A signal may come twice, and nobody may be reading any more.
  [ -z "$GUEST" ] || { kill -9 -- -$GUEST $GUEST; wait; } 2>/dev/null
  rm -rf "$S"
}
trap clear_up EXIT
trap 'trap "" INT TERM HUP; exit 130' INT
trap 'trap "" INT TERM HUP; exit 143' TERM HUP

{
  echo "$ENVIRONMENT"
  printf 'cd %q || exit 1\n' "$PWD"
  printf 'exec %s\n' "$(printf '%q ' "$@")"
} >"$S/command"

# The guest's process 1. It starts on / read-only, and puts a writable layer over it.
printf '%s\n' '#!/bin/bash' "S=$S MODULES=$MODULES KMOD=$KMOD" >"$S/init"
cat >>"$S/init" <<'EOF'
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
off() { sync; echo o >/proc/sysrq-trigger; sleep 99; }
die() { echo "run-guest, process 1: $* failed" >/dev/console; off; }
mount -t proc proc /proc || die proc
(exec -a insmod "$KMOD" "$MODULES/kernel/fs/overlayfs/overlay.ko") || die overlay.ko
mount -t tmpfs -o size=75% tmpfs /mnt && mkdir /mnt/upper /mnt/work /mnt/root || die tmpfs
mount -t overlay root -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root || die overlay
mount -n --move /proc /mnt/root/proc
mount -n --move /dev /mnt/root/dev
cd /mnt/root && mkdir -p old && pivot_root . old && cd / && umount -l /old && rmdir /old || die pivot_root
mount -t sysfs sysfs /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tmpfs tmpfs /run
mkdir -p /dev/pts /dev/shm /run/lock
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
for link in fd stdin:fd/0 stdout:fd/1 stderr:fd/2; do
  ln -sfn "/proc/self/${link#*:}" "/dev/${link%:*}"
done
mount -t hostfs -o "$S" hostfs "$S" || die "mount $S"
mkdir -p /lib/modules
ln -sfn "$MODULES" "/lib/modules/$(uname -r)"
for tool in modprobe insmod rmmod lsmod modinfo; do
  [ -e /sbin/$tool ] || ln -s "$KMOD" /sbin/$tool
done
hostname guest
ip link set lo up
modprobe ipv6
echo >"$S/booted"
# The command writes into pipes, as many programs treat terminals differently.
mkfifo /run/1 /run/2
for i in 1 2; do stty -F /dev/tty$i raw -echo; cat /run/$i >/dev/tty$i & done
setsid /bin/bash "$S/command" </dev/null >/run/1 2>/run/2; status=$?
for i in {1..10}; do [ -z "$(jobs -r)" ] && break; sleep .1; done  # A daemon may hold them open.
for i in 1 2; do stty -F /dev/tty$i raw; done  # Returns when the output has left.
echo $status >"$S/status"
off
EOF
chmod +x "$S/init"

# The guest's processes take turns: they do so twice as fast on one CPU.
PIN=(taskset -c $(($$ % $(nproc)))); "${PIN[@]}" true 2>/dev/null || PIN=()
# The guest's memory is an executable file: in /dev/shm, unless that is small or noexec.
M=/dev/shm
[[ $(df --output=avail -k $M 2>/dev/null | tail -1) -gt 1048576 &&
  $(findmnt -no OPTIONS $M) != *noexec* ]] || M=$S
# The guest makes its terminals non-blocking, so they are pipes of its own.
mkfifo "$S/out" "$S/err"
cat "$S/out" & OUT=$!
cat "$S/err" >&2 & ERR=$!
# A pid namespace and parent-death signals: nothing outlives this script, not even its kill -9. The
# shell is process 1 of that namespace: as such, UML could not abort on a panic, and would spin.
TIED=(setpriv --pdeathsig KILL)
env -i PATH="$PATH" TMPDIR=$M "${PIN[@]}" "${TIED[@]}" timeout -s KILL "$LIMIT" \
  "${TIED[@]}" unshare --pid --fork --kill-child --mount-proc sh -c '"$@"; exit $?' sh \
  "$KERNEL" mem="$MEMORY" root=/dev/root rootfstype=hostfs rootflags=/ ro quiet init="$S/init" \
  uml_dir="$S" umid=uml con=null con0=null,fd:5 con1=null,fd:3 con2=null,fd:4 ssl=null \
  </dev/null >>"$S/log" 2>&1 3>"$S/out" 4>"$S/err" 5>>"$S/log" & GUEST=$!
{ wait $GUEST; ended=$?; } 2>/dev/null
GUEST=
wait $OUT $ERR

[ -s "$S/status" ] && exit "$(cat "$S/status")"
tail -n 40 "$S/log" >&2
[ $ended = 137 ] && { echo "run-guest: not done after $LIMIT s" >&2; exit 124; }
[ -e "$S/booted" ] || cannot "the guest does not boot here (linux.uml: status $ended)"
echo "run-guest: the guest ended early (linux.uml: status $ended)" >&2
exit 126
