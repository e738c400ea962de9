#!/usr/bin/env bash
# What tests/it/compose/container.rs begins its scripts with. $1 is an empty folder.
set -euo pipefail
pod=$1
mount -t tmpfs -o mode=755 pod "$pod"
mount -t proc proc /proc
ip link set lo up
declare -A pid_of user_of group_of groups_of

tell() {
  local log
  for log in "$pod"/*.log; do
    printf '== %s\n' "$log" >&2
    tail -n 30 "$log" >&2
  done
}
trap tell ERR
set -o errtrace

# Waits until a command succeeds.
eventually() {
  local words
  for _ in $(seq 600); do
    if words=$("$@" 2>&1); then return 0; fi
    sleep 0.1
  done
  printf 'waited a minute for: %s\n%s\n' "$*" "$words" >&2
  return 1
}

# begin NAME FILES: a root of its own over these files, not yet closed.
begin() {
  box=$pod/$1 root=$pod/$1/root
  mkdir -p "$box/upper" "$box/work" "$root"
  mount -t overlay "$1" -o "lowerdir=$2,upperdir=$box/upper,workdir=$box/work" "$root"
  mkdir -p "$root"/{proc,sys,dev,etc}
  mount -t proc proc "$root/proc"
  mount -t sysfs -o ro sysfs "$root/sys"
  mount --rbind /dev "$root/dev"
  cp "$pod/hosts" "$root/etc/hosts"
}

# with_busybox PROGRAM ...: these are BusyBox', as in images that have little else.
with_busybox() {
  cp --dereference /bin/busybox "$root/usr/bin/busybox"
  local program
  for program; do
    rm -f "$root/usr/bin/$program" "$root/usr/local/bin/$program"
    ln -s /usr/bin/busybox "$root/usr/bin/$program"
  done
}

# memory TARGET: a file system in memory, as Docker makes them.
memory() {
  mkdir -p "$root$1"
  mount -t tmpfs -o mode=1777,nosuid,nodev,noexec memory "$root$1"
}

# mounted bind|tree|volume SOURCE TARGET ro|rw
mounted() {
  local source=$2 target=$root$3 at
  case $1 in
    volume)
      source=$pod/volumes/$2
      if [[ ! -d $source ]]; then
        mkdir -p "$source"
        mount -t tmpfs -o mode=1777 "$2" "$source"
      fi
      ;;
    *)
      # Docker makes a folder where nothing is; we leave the machine as it is.
      if [[ ! -e $source ]]; then
        source=$pod/nothing
        mkdir -p "$source"
      fi
      ;;
  esac
  if [[ -d $source ]]; then
    mkdir -p "$target"
  else
    mkdir -p "$(dirname "$target")"
    : >>"$target"
  fi
  if [[ $1 == tree ]]; then
    mount --rbind "$source" "$target"
    mount --make-rslave "$target"
  else
    mount --bind "$source" "$target"
  fi
  [[ $4 == ro ]] || return 0
  # As Docker from 25 on does it: with all that is mounted below. What cannot be, was already.
  while read -r at; do
    mount -o remount,bind,ro "$at" 2>/dev/null || true
  done < <(findmnt --submounts --raw --noheadings --output TARGET --target "$target")
}

# as NAME USER GROUP GROUPS VARIABLE=VALUE ...: closes the root, and says who runs in it.
as() {
  mount -o remount,ro "$root"
  user_of[$1]=$2 group_of[$1]=$3 groups_of[$1]=$4
  local name=$1
  shift 4
  : >"$pod/$name.variables"
  [[ $# -eq 0 ]] || printf '%s\0' "$@" >"$pod/$name.variables"
}

# started NAME PROGRAM ARGUMENT ...: runs in the background, with its output in a file that is the user's, as its pipe is
# with Docker.
started() {
  : >"$pod/$1.log"
  chown "${user_of[$1]}:${group_of[$1]}" "$pod/$1.log"
  run_in "$@" >"$pod/$1.log" 2>&1 &
  pid_of[$1]=$!
}

# end NAME ...: asks these to end.
end() {
  local name
  for name; do kill "${pid_of[$name]}"; done
}

# run_in NAME PROGRAM ARGUMENT ...: becomes the program, in the container and with no more rights than it has.
run_in() {
  local root=$pod/$1/root user=${user_of[$1]} group=${group_of[$1]} groups=${groups_of[$1]} all variables
  mapfile -d '' -t variables <"$pod/$1.variables"
  shift
  all=(env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "${variables[@]}")
  if [[ -x $root/usr/bin/setpriv ]]; then
    exec chroot "$root" "${all[@]}" /usr/bin/setpriv --reuid "$user" --regid "$group" --groups "${groups:-$group}" \
      --bounding-set=-all --inh-caps=-all --no-new-privs "$@"
  fi
  # An image without any program but its own.
  exec "${all[@]}" setpriv --no-new-privs chroot --userspec="$user:$group" --groups="$groups" "$root" "$@"
}
