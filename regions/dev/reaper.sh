# Ends what a launcher leaves behind when it is killed with -9. Started by reaper.ts, one per launcher.
#
# stdin: a pipe from the launcher, a line per child:
#   + PID TICKS KIND    a child has started; TICKS is its start time (field 22 of /proc/PID/stat), against reuse
#                       of the number; KIND is "group" (PID leads a process group) or "postgres" (a postmaster)
#   - PID               that child has ended
# The pipe's end means that the launcher is gone, and what is still listed is ended:
#   group:    SIGTERM to the process group, SIGKILL after 2.5 s
#   postgres: SIGINT to the postmaster (fast shutdown), SIGQUIT after 10 s (immediate); it ends its own backends

# `kill -s NAME -- -PID` and not `kill -NAME -- -PID`: dash does not understand the latter.

set -f
trap '' INT TERM HUP

# same PID TICKS: succeeds if that process, or its zombie, is still the one with this number
same() {
  { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
  set -- "$1" "$2" ${stat##*) }
  [ "${22}" = "$2" ]
}

# running PID TICKS: succeeds if it is that process and no zombie
running() {
  same "$1" "$2" || return 1
  rest=${stat##*) }
  [ "${rest%% *}" != Z ]
}

# ours PID TICKS: succeeds if process group PID is the child's. Its leader may have ended before the others; then
# nobody has this number, which the kernel does not give out again while the group exists.
ours() {
  kill -s 0 -- "-$1" 2>/dev/null || return 1
  [ ! -e "/proc/$1" ] || same "$1" "$2"
}

children=""
while read -r operation pid ticks kind; do
  case $operation in
    +) children="$children $pid:$ticks:$kind" ;;
    -)
      kept=""
      for child in $children; do
        [ "${child%%:*}" = "$pid" ] || kept="$kept $child"
      done
      children=$kept
      ;;
  esac
done

groups=""
postmasters=""
for child in $children; do
  pid=${child%%:*}
  kind=${child##*:}
  ticks=${child#*:}
  ticks=${ticks%:*}
  if [ "$kind" = postgres ]; then
    running "$pid" "$ticks" && kill -s INT "$pid" 2>/dev/null && postmasters="$postmasters $pid:$ticks"
  else
    ours "$pid" "$ticks" && kill -s TERM -- "-$pid" 2>/dev/null && groups="$groups $pid"
  fi
done

tenths=0
while [ -n "$groups$postmasters" ]; do
  left=""
  for pid in $groups; do
    kill -s 0 -- "-$pid" 2>/dev/null || continue
    if [ $tenths -ge 25 ]; then kill -s KILL -- "-$pid" 2>/dev/null; else left="$left $pid"; fi
  done
  groups=$left
  left=""
  for child in $postmasters; do
    running "${child%:*}" "${child#*:}" || continue
    if [ $tenths -ge 100 ]; then kill -s QUIT "${child%:*}" 2>/dev/null; else left="$left $child"; fi
  done
  postmasters=$left
  tenths=$((tenths + 1))
  sleep 0.1
done
