#!/bin/sh
# check_rooms.sh TOP 'ROOM: ROOMS IT MAY USE'...
#
# Fails if a source or header of a room includes a header of another room that
# is not among those it may use.
top=$1
shift
bad=0
for rule in "$@"; do
    room=${rule%%:*}
    allowed=$(echo "${rule#*: }" | tr ' ' '|')
    found=$(grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]+"' \
        "$top/$room"/*.c "$top/include/$room"/*.h /dev/null |
        grep -vE "include[[:space:]]+\"($allowed)/")
    if [ -n "$found" ]; then
        echo "$found" | sed "s|\$|   <- $room may use only: ${rule#*: }|"
        bad=1
    fi
done
exit $bad
